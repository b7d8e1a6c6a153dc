"""Texts without labels: which are kept, and how they come into batches."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seqclass.data import TextDataModule
from seqclass.errors import InputError

LABELLED = [("good film", "yes"), ("bad film", "no"), ("good story", "yes"), ("bad story", "no")] * 3
TESTED = [("a test text", "yes"), ("bad test text", "no")]


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def data(*texts, **options):
        Path("more.csv").write_text("body\n" + "".join(f"{text}\n" for text in texts))
        train, test = (tuple(map(list, zip(*rows, strict=True))) for rows in (LABELLED, TESTED))
        options = {"text_column": "body", "validation": 0.25, "seed": 1, "cache_dir": "cache", **options}
        made = TextDataModule(train=train, test=test, unlabelled="more.csv", **options)
        made.prepare_data()
        made.setup()
        return made

    return data


def test_labelled_and_repeated_texts_are_left_out(data):
    """Test texts too: their words are known here, those of the last are not."""
    made = data("good good film", "Good film!", "bad test text", "bad bad", "good good film", "unheard words")
    assert [made.pipeline.decode(ids, marks=False) for ids in made.unlabelled.ids] == ["good good film", "bad bad"]


def test_nothing_is_left(data):
    made = data("good film", "bad film")
    with pytest.raises(InputError, match=r"none of the 2 texts without labels in 'more.csv' can be used"):
        made.unlabelled  # noqa: B018


def test_another_pipeline_reads_the_same_texts(data):
    made = data("good film", "good good film", "bad bad")
    other = TextDataModule(train=(["a film"] * 4, ["x", "y"] * 2), test=(["a"], ["x"]), cache_dir="cache")
    other.prepare_data()
    other.setup()
    ids = made.unlabelled.encoded_by(other.pipeline)
    assert [other.pipeline.decode(text) for text in ids] == ["<start> <oov> <oov> film", "<start> <oov> <oov>"]


def test_batches_with_soft_labels(data):
    made = data("good good film", "bad bad")
    before = made.train_dataloader()
    made.unlabelled.label(np.array([[0.25, 0.75], [1, 0]], dtype=np.float32))
    batches = made.train_dataloader()
    assert len(before.labels) == made.train_size == 8
    assert torch.equal(batches.ids[:8], before.ids)
    assert torch.equal(batches.labels[:8], torch.nn.functional.one_hot(before.labels, 2).float())
    assert batches.labels[8:].tolist() == [[0.25, 0.75], [1, 0]]
    assert made.pipeline.decode(batches.ids[8].tolist(), marks=False) == "good good film"
    assert list(batches.names[7:]) == [before.names[7], "unlabelled:1", "unlabelled:2"]
    (batch,) = batches
    assert batch.labels.dtype == torch.float32
    assert made.val_dataloader().labels.dtype == made.test_dataloader().labels.dtype == torch.int64
