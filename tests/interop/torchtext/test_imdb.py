"""The IMDB reviews through torchtext: the same texts and labels as those that are read without it."""

import hashlib
import shutil

import pytest
from data.small_imdb import REVIEWS, with_members
from support.sources import read
from support.torchtext import needs_torchtext

from seqclass.cli import main
from seqclass.data import ImdbSource, MissingDataError
from seqclass.errors import InputError
from seqclass.interop.torchtext import TorchtextIMDBDataModule, TorchtextImdbSource
from seqclass.text.torchtext_library import import_torchtext

pytestmark = needs_torchtext


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Puts an archive where torchtext keeps it, which then takes it for the official one."""
    module = import_torchtext("datasets.imdb")

    def place(archive, *, train, test):
        folder = tmp_path / "torchtext" / "datasets" / "IMDB"
        folder.mkdir(parents=True)
        placed = folder / "aclImdb_v1.tar.gz"
        shutil.copyfile(archive, placed)
        monkeypatch.setattr(module, "MD5", hashlib.md5(placed.read_bytes()).hexdigest())
        monkeypatch.setattr(module, "NUM_LINES", {"train": train, "test": test})
        return tmp_path / "torchtext"

    return place


def pairs(part):
    return sorted(zip(part.labels, part.texts, strict=True))


def test_texts_and_labels_are_those_read_without_torchtext(tmp_path, place):
    archive = with_members(tmp_path / "small.tar.gz")
    parts = read(TorchtextImdbSource(place(archive, train=8, test=3), allow_download=False))
    expected = read(ImdbSource(archive))
    assert {name: pairs(part) for name, part in parts.items()} == {name: pairs(part) for name, part in expected.items()}
    assert parts["test"].names == ["test/0", "test/1", "test/2"]


def test_reads_a_second_time_from_what_torchtext_has_unpacked(tmp_path, place):
    root = place(with_members(tmp_path / "small.tar.gz"), train=8, test=3)
    first = read(TorchtextImdbSource(root))
    assert read(TorchtextImdbSource(root)) == first


def test_reviews_that_torchtext_loses_are_found(tmp_path, place):
    """It unpacks each run of reviews of one class over the one before, and reads that from then on."""
    mixed = dict(sorted(REVIEWS.items(), key=lambda item: item[0].rpartition("/")[2]))
    root = place(with_members(tmp_path / "mixed.tar.gz", reviews=mixed), train=8, test=3)
    read(TorchtextImdbSource(root))
    with pytest.raises(InputError, match=r"torchtext yields .* for train .* expected are 8 reviews of both classes"):
        read(TorchtextImdbSource(root))


def test_a_class_without_reviews_is_counted(tmp_path, place):
    lacking = {name: text for name, text in REVIEWS.items() if not name.startswith("train/pos")}
    root = place(with_members(tmp_path / "small.tar.gz", reviews=lacking), train=4, test=3)
    with pytest.raises(InputError, match="4 neg, 0 pos for train"):
        read(TorchtextImdbSource(root))


@pytest.mark.parametrize(("labels", "found"), [({"neg": "neg", "pos": "pos"}, True), ({"neg": 1, "pos": 3}, False)])
def test_labels_are_mapped_by_name(tmp_path, place, monkeypatch, labels, found):
    root = place(with_members(tmp_path / "small.tar.gz"), train=8, test=3)
    source = TorchtextImdbSource(root)
    yields = [(labels["neg"], "bad")] * 4 + [(labels["pos"], "good")] * 4
    module = import_torchtext("datasets.imdb")
    monkeypatch.setattr(module, "IMDB", lambda root, split: yields)
    monkeypatch.setattr(module, "NUM_LINES", {"train": 8, "test": 8})
    if found:
        assert read(source)["train"].labels == [0] * 4 + [1] * 4
    else:
        with pytest.raises(InputError, match="yields the label 3 for a review of train; known are 'neg', 'pos'"):
            read(source)


def test_without_the_archive_the_error_says_where_it_belongs(tmp_path, monkeypatch):
    with pytest.raises(MissingDataError, match=r"download is off\n.*datasets/IMDB/aclImdb_v1.tar.gz; or use IMDBData"):
        TorchtextImdbSource(tmp_path, allow_download=False)
    monkeypatch.setattr(import_torchtext("datasets.imdb"), "URL", "http://127.0.0.1:9/aclImdb_v1.tar.gz")
    with pytest.raises(MissingDataError, match="could not download them: "):
        TorchtextImdbSource(tmp_path)


def test_trains_and_classifies_with_everything_of_torchtexts(tmp_path, place, monkeypatch, capsys, easy_reviews):
    archive = with_members(
        tmp_path / "easy.tar.gz",
        reviews={
            str(path.relative_to(easy_reviews)): path.read_text()
            for path in sorted(easy_reviews.rglob("*.txt"), key=lambda path: path.parts)
        },
    )
    root = place(archive, train=400, test=90)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    options = ["--data", "seqclass.interop.torchtext.TorchtextIMDBDataModule", "--data.root", str(root)]
    options += ["--data.torchtext_tokenizer", "basic_english", "--data.maxlen", "24", "--data.batch_size", "16"]
    options += ["--model.hidden_size", "8", "--trainer.max_epochs", "1", "--trainer.accelerator", "cpu"]
    options += ["--seed_everything", "7"]
    assert main(["fit", *options]) == 0
    assert "epoch 1/1" in capsys.readouterr().out
    assert main(["classify", "runs/lstm/1/checkpoints/last.ckpt", "a wonderful, moving film"]) == 0
    assert capsys.readouterr().out.split("\t")[0] in ("neg", "pos")


@pytest.mark.imdb
@pytest.mark.slow
def test_the_real_reviews(imdb_path, place):
    root = place(imdb_path, train=25_000, test=25_000)
    data = TorchtextIMDBDataModule(root=str(root), download=False)
    parts = read(data.find_source(allow_download=False))
    expected = read(ImdbSource(imdb_path))
    assert {name: sum(part.labels) for name, part in parts.items()} == {"train": 12_500, "test": 12_500}
    for name, part in parts.items():
        assert pairs(part) == pairs(expected[name])
