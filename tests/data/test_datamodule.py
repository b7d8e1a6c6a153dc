"""What every DataModule shares, seen through that of the IMDB reviews on a small archive."""

import json

import numpy as np
import pytest
import torch
from data.small_imdb import REVIEWS
from lightning.pytorch import LightningModule, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint

from seqclass.data import IMDBDataModule, PaddedOnDemand
from seqclass.errors import InputError
from seqclass.text import TextPipeline, Tokenizer, Vocabulary


@pytest.fixture
def module(small_archive):
    """Makes a module for the small archive, ready to use."""

    def make(*, prepare=True, **options):
        options = {"path": str(small_archive), "maxlen": 4, "num_words": 20, "batch_size": 3, "seed": 7, **options}
        data = IMDBDataModule(**options)
        if prepare:
            data.prepare_data()
            data.setup("fit")
        return data

    return make


def number_of_encodings(cache):
    return sum(path.is_dir() for path in (cache / "encoded").iterdir())


def labels(loader):
    return [label for batch in loader for label in batch.labels.tolist()]


def rows(loader):
    return [tuple(row) for batch in loader for row in batch.ids.tolist()]


def test_after_setup(module):
    data = module()
    assert data.source_name == "imdb"
    assert data.label_names == ("neg", "pos")
    assert (data.train_size, data.val_size, data.test_size) == (8, 3, 3)
    assert data.pipeline.num_ids == 20
    assert data.pipeline.vocabulary.words[:4] == ("film", "a", "good", "bad")
    assert data.seed == 7


def test_batches_hold_the_padded_ids_of_the_texts(module):
    data = module()
    texts = [text for name, text in sorted(REVIEWS.items()) if name.startswith("test")]
    expected = data.pipeline.to_array(texts)
    for loader in (data.test_dataloader(), data.val_dataloader(), data.predict_dataloader()):
        np.testing.assert_array_equal(torch.cat([batch.ids for batch in loader]), expected)
        assert labels(loader) == [0, 1, 1]
    loader = data.train_dataloader()
    assert [len(batch.labels) for batch in loader] == [3, 3, 2]
    assert sorted(labels(loader)) == [0] * 4 + [1] * 4
    assert loader.ids.dtype == torch.int16


@pytest.mark.parametrize(
    ("sides", "short", "long"),
    [
        ({"padding": "pre", "truncating": "pre"}, [0, 0, 1, 7], [5, 10, 7, 4]),
        ({"padding": "post", "truncating": "post"}, [1, 7, 0, 0], [1, 5, 10, 7]),
    ],
)
def test_both_sides(module, sides, short, long):
    data = module(**sides)
    ids = data.train_dataloader().ids.tolist()
    names = [name for name in sorted(REVIEWS) if name.startswith("train")]
    assert ids[names.index("train/neg/2_1.txt")] == short
    assert ids[names.index("train/neg/1_2.txt")] == long


def test_large_vocabularies_get_wider_ids(module):
    assert module(num_words=32_768).train_dataloader().ids.dtype == torch.int16
    assert module(num_words=32_769).train_dataloader().ids.dtype == torch.int32


def test_padding_options_share_one_encoding(module, cache):
    module(maxlen=4)
    short = module(maxlen=2, padding="post")
    assert short.pipeline.maxlen == 2
    assert short.train_dataloader().ids.shape == (8, 2)
    assert number_of_encodings(cache) == 1
    module(num_words=21)
    module(lower="none")
    assert number_of_encodings(cache) == 3


@pytest.mark.parametrize("validation", ["test", 0.25])
def test_what_is_too_large_for_memory_gives_the_same_batches(module, monkeypatch, validation):
    options = {"validation": validation, "num_words": 7, "maxlen": 3}
    small = module(**options)
    monkeypatch.setattr("seqclass.data.datamodule.MATRIX_BYTES", 3 * 3 * 2)
    large = module(**options)
    assert isinstance(large.train_dataloader().ids, PaddedOnDemand)
    assert isinstance(large.val_dataloader().ids, torch.Tensor), "it fits"
    for left, right in (
        (small.train_dataloader(), large.train_dataloader()),
        (small.val_dataloader(), large.val_dataloader()),
    ):
        assert list(left.names) == list(right.names)
        for _ in range(2):
            for batch, other in zip(left, right, strict=True):
                assert torch.equal(batch.ids, other.ids)
                assert torch.equal(batch.labels, other.labels)
                assert other.ids.dtype == other.labels.dtype == torch.int64


def test_a_second_start_does_not_read_the_archive(module, monkeypatch, capsys):
    before = rows(module().train_dataloader())
    assert "Encoding the texts of imdb" in capsys.readouterr().err
    monkeypatch.setattr("seqclass.data.sources.imdb.ImdbSource.texts", None)
    assert rows(module().train_dataloader()) == before
    assert capsys.readouterr() == ("", "")


def test_a_changed_archive_is_encoded_again(module, small_archive, small_folder):
    module()
    (small_folder / "train" / "neg" / "0_1.txt").write_text("some new words")
    assert "words" in module(path=str(small_folder)).pipeline.vocabulary.words
    (small_folder / "train" / "neg" / "0_1.txt").write_text("and quite different ones")
    assert "different" in module(path=str(small_folder)).pipeline.vocabulary.words


class TestHoldout:
    def test_stratified_and_disjoint(self, module):
        data = module(validation=0.25, maxlen=6)
        assert (data.train_size, data.val_size, data.test_size) == (6, 2, 3)
        assert labels(data.val_dataloader()) == [0, 1]
        train, held = rows(data.train_dataloader()), rows(data.val_dataloader())
        assert not set(train) & set(held)
        assert sorted(train + held) == sorted(rows(module(maxlen=6).train_dataloader()))

    def test_follows_the_seed(self, module):
        held = {tuple(rows(module(validation=0.25, seed=seed).val_dataloader())) for seed in range(8)}
        assert len(held) > 1
        again = [rows(module(validation=0.25, seed=3).val_dataloader()) for _ in range(2)]
        assert again[0] == again[1]


class TestSeed:
    def test_without_one_seed_everything_decides(self, module):
        orders = []
        for seed in (1, 1, 2):
            seed_everything(seed, verbose=False)
            data = module(seed=None)
            orders.append((data.seed, rows(data.train_dataloader())))
        assert orders[0] == orders[1]
        assert orders[0][0] != orders[2][0]

    def test_what_was_drawn_before_does_not_matter(self, module):
        seeds = set()
        for drawn in (0, 5):
            seed_everything(1, verbose=False)
            torch.rand(drawn)
            seeds.add(module(seed=None).seed)
        assert len(seeds) == 1

    def test_setup_takes_it_once(self, module):
        data = module(seed=None)
        seed = data.seed
        seed_everything(seed + 1, verbose=False)
        data.setup("test")
        assert data.seed == seed

    def test_a_given_seed_is_not_overruled_by_a_checkpoint(self, module):
        data = module(seed=3)
        data.load_state_dict({"seed": 99})
        assert data.seed == 3

    @pytest.mark.parametrize("state", [{}, {"seed": -1}, {"seed": "7"}])
    def test_a_checkpoint_without_a_usable_seed(self, module, state):
        with pytest.raises(InputError, match=r"the seed in the checkpoint is .*; allowed are whole numbers from 0"):
            module().load_state_dict(state)


def test_nothing_is_known_before_setup(module):
    data = module(prepare=False)
    for name in ("pipeline", "label_names", "train_size", "val_size", "test_size"):
        with pytest.raises(RuntimeError, match=r"loaded in setup\(\), which has not been called"):
            getattr(data, name)
    with pytest.raises(RuntimeError, match=r"taken in setup\(\)"):
        module(prepare=False, seed=None).seed  # noqa: B018


class TestWordIndex:
    def test_its_ranks_are_used(self, module, tmp_path):
        index = tmp_path / "index.json"
        index.write_text(json.dumps({"good": 1, "film": 2}))
        data = module(word_index=str(index))
        assert data.pipeline.vocabulary.words == ("good", "film")
        assert data.pipeline.encode("a good film") == [1, 4, 5]
        index.write_text(json.dumps({"good": 2, "film": 1}))
        assert module(word_index=str(index)).pipeline.encode("a good film") == [1, 5, 4]

    def test_missing(self, module, tmp_path):
        with pytest.raises(InputError, match=r"cannot read the word index .*lost\.json"):
            module(word_index=str(tmp_path / "lost.json"))


class TestUsePipeline:
    def test_a_given_pipeline_encodes(self, module):
        pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("good", "zebra")), maxlen=3)
        data = module()
        data.use_pipeline(pipeline)
        data.setup("test")
        assert data.pipeline == pipeline
        assert rows(data.test_dataloader()) == [(0, 1, 5), (0, 1, 4), (0, 0, 1)]
        other = module(prepare=False)
        other.use_pipeline(pipeline)
        other.prepare_data()
        other.setup("test")
        assert rows(other.test_dataloader()) == rows(data.test_dataloader())

    def test_that_of_a_training_run_needs_no_second_encoding(self, module, cache, capsys):
        trained = module(maxlen=6)
        capsys.readouterr()
        pipeline = TextPipeline.from_state(trained.pipeline.state())
        data = module(prepare=False, maxlen=3)
        data.use_pipeline(pipeline)
        data.prepare_data()
        data.setup("test")
        assert rows(data.test_dataloader()) == rows(trained.test_dataloader())
        assert data.pipeline == pipeline
        assert capsys.readouterr().err == ""
        assert number_of_encodings(cache) == 1

    def test_it_needs_no_word_index(self, module, tmp_path):
        data = module(prepare=False, word_index=str(tmp_path / "only where it was trained.json"))
        data.use_pipeline(module().pipeline)
        data.prepare_data()
        data.setup("test")
        assert data.pipeline.num_ids == 20

    def test_its_padding_counts_too(self, module):
        vocabulary = Vocabulary(("good", "zebra"))
        for maxlen in (3, 2):
            data = module()
            data.use_pipeline(TextPipeline(tokenizer=Tokenizer(), vocabulary=vocabulary, maxlen=maxlen))
            data.setup("test")
            assert data.test_dataloader().ids.shape == (3, maxlen)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"num_words": 0}, "num_words is 0"),
        ({"skip_top": -1}, "skip_top is -1"),
        ({"lower": "yes"}, "lower is 'yes'"),
        ({"maxlen": 0}, "maxlen is 0"),
        ({"padding": "left"}, "padding is 'left'"),
        ({"batch_size": 0}, "batch_size is 0; allowed are whole numbers from 1 on"),
        ({"eval_batch_size": -1}, "eval_batch_size is -1"),
        ({"validation": "train"}, "validation is 'train'; allowed are 'test' and fractions above 0 and below 1"),
        ({"validation": 1.0}, r"validation is 1\.0"),
        ({"validation": 0}, "validation is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_wrong_options_are_refused_at_once(option, message):
    with pytest.raises(InputError, match=message):
        IMDBDataModule(**option)


class Recorder(LightningModule):
    """Trains one number, and writes down what it is shown."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen = []

    def training_step(self, batch, index):
        self.seen.append((self.current_epoch, batch.ids.tolist(), batch.labels.tolist()))
        return self.weight**2

    def validation_step(self, batch, index):
        self.log("rows", float(len(batch.labels)), batch_size=len(batch.labels))

    test_step = validation_step

    def predict_step(self, batch, index):
        return batch.labels

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)


# Lightning 2.6 asks torch 2.13's pytree in a way that it deprecates.
lightning_only = pytest.mark.filterwarnings("ignore:.*LeafSpec:FutureWarning")


def trainer(folder, **options):
    return Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )


@lightning_only
def test_lightning_runs_every_stage(module, tmp_path):
    data = module(prepare=False)
    run = trainer(tmp_path, max_epochs=2, enable_checkpointing=False)
    recorder = Recorder()
    run.fit(recorder, datamodule=data)
    assert [len(batch[2]) for batch in recorder.seen] == [3, 3, 2] * 2
    assert [batch[1:] for batch in recorder.seen[:3]] != [batch[1:] for batch in recorder.seen[3:]]
    run.validate(recorder, datamodule=data, verbose=False)
    assert run.test(recorder, datamodule=data, verbose=False) == [{"rows": 3.0}]
    assert [batch.tolist() for batch in run.predict(recorder, datamodule=data)] == [[0, 1, 1]]


@lightning_only
@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
@pytest.mark.parametrize("seed", [7, None])
def test_a_resumed_run_sees_the_rows_and_orders_of_the_uninterrupted_one(module, tmp_path, seed):
    options = {"seed": seed, "validation": 0.25, "prepare": False}
    seed_everything(1, verbose=False)
    whole = Recorder()
    run = {"max_epochs": 4, "callbacks": [ModelCheckpoint(tmp_path, filename="{epoch}", save_top_k=-1)]}
    trainer(tmp_path, **run).fit(whole, datamodule=module(**options))

    seed_everything(2, verbose=False)  # another start: what counts is in the checkpoint
    resumed = Recorder()
    trainer(tmp_path, **run).fit(resumed, datamodule=module(**options), ckpt_path=tmp_path / "epoch=1.ckpt")
    assert [epoch for epoch, *_ in resumed.seen] == [2, 2, 3, 3]
    assert resumed.seen == whole.seen[4:]
