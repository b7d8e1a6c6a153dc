"""Every recipe, wherever it lies below configs, parses, builds, and says what it is."""

from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from seqclass.cli import main
from seqclass.data import IMDBDataModule, TextDataModule
from seqclass.training.lightning_cli import build_from_config

ROOT = Path(__file__).parents[1]
SPACES = ROOT / "configs" / "spaces"  # what may be tried in place of a recipe's values: tests/tuning
PRETRAINING = ROOT / "configs" / "pretrain.yaml"  # of another command: see the last test
CONFIGS = sorted(path for path in (ROOT / "configs").rglob("*.y*ml") if path.parent != SPACES and path != PRETRAINING)


def test_there_are_recipes():
    assert {path.stem for path in CONFIGS} >= {"lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm"}


@pytest.fixture
def build(easy_reviews, tmp_path, monkeypatch):
    """Builds a recipe for a few small texts in place of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(easy_reviews.parent / "cache"))

    def build(path):
        own_texts = yaml.safe_load(path.read_text())["data"]["class_path"].endswith("TextDataModule")
        texts = ["--data.train", str(easy_reviews / "train")] if own_texts else ["--data.path", str(easy_reviews)]
        return build_from_config(path, *texts)

    return build


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_parses_and_builds(path, build, tmp_path):
    cli = build(path)
    assert cli.model.classifier.options.stack in path.read_text()
    assert cli.model.classifier.label_names == ("neg", "pos")
    assert cli.trainer.max_epochs >= 1
    # No folder is made before a run begins.
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_it_does_not_say_is_the_data_modules_own_default(path, build):
    recipe = yaml.safe_load(path.read_text())["data"]
    data_module = IMDBDataModule if recipe["class_path"].endswith("IMDBDataModule") else TextDataModule
    defaults = ArgumentParser()
    defaults.add_class_arguments(data_module, "data")
    expected = {**vars(defaults.get_defaults().data), **recipe["init_args"]}
    resolved = vars(build(path).config.data.init_args)
    given = "train" if data_module is TextDataModule else "path"
    assert {**resolved, given: None} == {**expected, given: None}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_head_says_what_it_trains_what_it_reaches_and_how(path):
    head = "".join(line for line in path.read_text().splitlines(keepends=True) if line.startswith("#"))
    assert f"seqclass fit --config {path.relative_to(ROOT)}" in head
    assert "Any value can be overridden" in head
    assert "TODO" not in head


def test_pretraining_and_what_starts_from_it(easy_reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    vectors, train = str(tmp_path / "vectors.safetensors"), str(easy_reviews / "train")
    small = ["--data.num_words", "40", "--model.embedding_dim", "4", "--data.maxlen", "50"]
    assert main(["pretrain", "--config", str(PRETRAINING), "--data.train", train, *small, "--out", vectors]) == 0
    recipe = ROOT / "configs" / "text.yaml"
    cli = build_from_config(recipe, "--data.train", train, "--model.pretrained", vectors)
    assert cli.model.classifier.options.embedding_dim == 4
    assert cli.datamodule.overridden_options == []  # all is read alike


def test_the_semisupervised_recipe_differs_in_little_from_the_supervised():
    one, other = (
        yaml.safe_load((ROOT / "configs" / f"imdb_{name}.yaml").read_text())
        for name in ("supervised", "semisupervised")
    )
    assert one["data"] == other["data"]
    assert {name for name in other["model"] if one["model"].get(name) != other["model"][name]} == {
        "lr_scheduler",
        "ngram_buckets",
    }
