import fsspec
import pytest
import torch
from support.disk import nearly_full_disk

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.training.checkpoint_io import WholeCheckpointIO


@pytest.fixture
def trainer(trained, monkeypatch):
    trainer, _, _ = trained
    monkeypatch.setattr(trainer.strategy, "checkpoint_io", WholeCheckpointIO())
    return trainer


def test_saves_what_lightning_saves(trainer, checkpoint, tmp_path):
    trainer.save_checkpoint(tmp_path / "new" / "a.ckpt")
    saved, expected = (torch.load(path, weights_only=True) for path in (tmp_path / "new" / "a.ckpt", checkpoint))
    assert saved.keys() == expected.keys()
    for name, weight in expected["state_dict"].items():
        torch.testing.assert_close(saved["state_dict"][name], weight, rtol=0, atol=0)


def test_a_full_disk_leaves_the_last_whole_checkpoint(trainer, tmp_path):
    path = tmp_path / "last.ckpt"
    trainer.save_checkpoint(path)
    before = path.read_bytes()
    for name in ("last.ckpt", "epoch=1.ckpt"):
        with nearly_full_disk(1000), pytest.raises(InputError, match=rf"^cannot write .*/{name}: File too large$"):
            trainer.save_checkpoint(tmp_path / name)
    assert [found.name for found in tmp_path.iterdir()] == ["last.ckpt"]
    assert path.read_bytes() == before
    assert TextClassifier.load(path).label_names == ("neg", "pos")


def test_other_places_are_left_to_lightning(trainer):
    trainer.save_checkpoint("memory://folder/a.ckpt")
    assert fsspec.filesystem("memory").exists("/folder/a.ckpt")
