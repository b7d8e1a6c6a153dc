"""Trainers that are told to do less: each run does the rest, and says in one line what it left out."""

from pathlib import Path

import pytest

from seqclass.cli import main

RECIPE = """
seed_everything: 7
run_name: text
test_after_fit: true
model: {stack: lstm, embedding_dim: 8, hidden_size: 8}
data: {class_path: seqclass.data.TextDataModule, init_args: {train: mine.csv, maxlen: 16}}
trainer:
  accelerator: cpu
  max_epochs: 20
  callbacks:
    - {class_path: lightning.pytorch.callbacks.EarlyStopping, init_args: {monitor: val_loss, patience: 3}}
"""

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


@pytest.fixture
def fit(labelled_rows, tmp_path, monkeypatch):
    """Runs a recipe that stops early and tests the best epoch."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    rows = [f"{text},{labels}\n" for text, labels in labelled_rows if labels in ("good", "bad")]
    Path("mine.csv").write_text("".join(["text,label\n", *rows]))
    Path("recipe.yaml").write_text(RECIPE)
    return lambda *options: main(["fit", "--config", "recipe.yaml", *options])


def lines(capsys):
    """What was said, but for Lightning's seed and the cache."""
    said = capsys.readouterr().err.splitlines()
    return [line for line in said if not line.startswith(("Seed set to", "Encoding the texts"))]


def test_a_trial(fit, capsys):
    before = {path.name for path in Path().iterdir()}
    assert fit("--trainer.fast_dev_run", "true") == 0
    assert lines(capsys) == ["trainer.fast_dev_run is a trial: nothing is saved, and nothing is tested"]
    assert {path.name for path in Path().iterdir()} == before | {"cache"}


@pytest.mark.parametrize("limit", ["max_epochs", "max_steps", "limit_train_batches"])
def test_no_training(fit, limit, capsys):
    assert fit(f"--trainer.{limit}", "0") == 0
    assert lines(capsys) == [f"Nothing was trained, since trainer.{limit} is 0; no checkpoint was saved"]
    assert not list(Path("runs").rglob("*.ckpt"))


@pytest.mark.parametrize("zero", ["0", "0.0"])
def test_no_validation(fit, zero, capsys):
    assert fit("--trainer.limit_val_batches", zero, "--trainer.max_epochs", "5") == 0
    assert lines(capsys) == [
        "trainer.limit_val_batches is 0, so nothing is validated: the last epoch counts as the best and nothing stops "
        "early"
    ]
    assert {file.name for file in Path("runs/text/1/checkpoints").iterdir()} == {"last.ckpt"}
    assert "test_acc" in Path("runs/text/1/metrics.csv").read_text()


def test_no_checkpoints(fit, capsys):
    assert fit("--trainer.enable_checkpointing", "false", "--trainer.max_epochs", "1") == 0
    assert lines(capsys) == ["No checkpoint was saved, so none is tested"]
    assert not list(Path("runs").rglob("*.ckpt"))
