"""Every recipe, wherever it lies below configs, parses, builds, and says what it is."""

from pathlib import Path

import pytest

from seqclass.training.lightning_cli import build_from_config

ROOT = Path(__file__).parents[1]
CONFIGS = sorted((ROOT / "configs").rglob("*.y*ml"))


def test_there_are_recipes():
    assert {path.stem for path in CONFIGS} >= {"lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_parses_and_builds(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli = build_from_config(path)
    assert cli.model.hparams["stack"] in path.read_text()
    assert cli.trainer.max_epochs >= 1
    # Nothing is made on disk before a run begins.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_head_says_what_it_trains_what_it_reaches_and_how(path):
    head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
    assert f"seqclass fit --config {path.relative_to(ROOT)}" in head
    assert "Any value can be overridden" in head
    assert "TODO" not in head
