import time

import pytest
from jsonargparse import ArgumentParser

from seqclass.data import IMDBDataModule, MissingDataError
from seqclass.errors import InputError


def test_every_option_is_a_plain_value_of_the_command_line():
    parser = ArgumentParser()
    parser.add_class_arguments(IMDBDataModule, "data")
    defaults = vars(parser.get_defaults().data)
    assert defaults == {
        **{"path": None, "download": True, "on_missing": "error", "word_index": None, "num_words": 5000},
        **{"min_count": 1, "skip_top": 0, "start_char": 1, "oov_char": 2, "index_from": 3, "unseen_words": "skip"},
        **{"tokenizer": "words", "token_pattern": None, "lower": "ascii", "filters": None, "strip_html": False},
        "torchtext_tokenizer": None,
        **{"maxlen": 500, "padding": "pre", "truncating": "pre", "batch_size": 64, "eval_batch_size": 250},
        **{"unlabelled": None, "validation": "test", "seed": None, "cache_dir": None},
    }
    arguments = ["--data.validation=0.1", "--data.num_words=null", "--data.on_missing=sample"]
    data = parser.parse_args(arguments).data
    assert (data.validation, data.num_words, data.on_missing) == (0.1, None, "sample")
    assert parser.parse_args(["--data.validation=test"]).data.validation == "test"
    IMDBDataModule(**parser.parse_args(arguments).data)


def test_missing_reviews_are_an_error():
    data = IMDBDataModule(download=False)
    with pytest.raises(MissingDataError, match="Do one of these"):
        data.prepare_data()


def test_missing_reviews_become_the_sample_when_asked_for(capsys):
    data = IMDBDataModule(download=False, on_missing="sample")
    data.prepare_data()
    data.setup("fit")
    assert data.source_name == "sample"
    assert (data.train_size, data.test_size) == (6000, 1000)
    assert data.pipeline.num_ids == 5000
    told = capsys.readouterr().err
    assert told.count("all results are the sample's") == 1
    assert "Traceback" not in told


def test_a_wrong_path_does_not_become_the_sample(tmp_path, monkeypatch):
    data = IMDBDataModule(path=str(tmp_path / "lost"), on_missing="sample")
    with pytest.raises(InputError, match=r"not at .*lost \(from path\)"):
        data.prepare_data()
    monkeypatch.setenv("SEQCLASS_IMDB", str(tmp_path / "gone"))
    with pytest.raises(InputError, match=r"not at .*gone \(from SEQCLASS_IMDB\)"):
        IMDBDataModule(on_missing="sample").prepare_data()


def test_the_variable_is_used(small_folder, monkeypatch):
    monkeypatch.setenv("SEQCLASS_IMDB", str(small_folder))
    data = IMDBDataModule()
    data.setup()
    assert (data.source_name, data.train_size) == ("imdb", 8)


def test_setup_never_downloads(monkeypatch):
    monkeypatch.setattr("seqclass.data.sources.imdb.download", None)
    with pytest.raises(MissingDataError):
        IMDBDataModule().setup()


def test_wrong_on_missing():
    with pytest.raises(InputError, match="on_missing is 'ignore'; allowed are 'error', 'sample'"):
        IMDBDataModule(on_missing="ignore")


@pytest.mark.imdb
def test_the_real_reviews_from_path_to_tensors(imdb_path):
    IMDBDataModule(path=imdb_path).prepare_data()
    start = time.process_time()
    data = IMDBDataModule(path=imdb_path)
    data.prepare_data()
    data.setup()
    train, test = data.train_dataloader(), data.test_dataloader()
    assert time.process_time() - start < 1.0  # 0.2 s alone on a core
    assert train.ids.shape == test.ids.shape == (25_000, 500)
    assert (len(train), len(test)) == (391, 100)
    assert int(train.ids.max()) == 4999
    # 55.5% of the matrix is padding: the share that the reviews' lengths give.
    assert round(float((train.ids == 0).float().mean()), 3) == 0.555
