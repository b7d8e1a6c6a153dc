"""A search as a person runs it: three small trials, interrupted, taken up again, with one that fails."""

import csv
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytest.importorskip("optuna", reason="lacks optuna: pip install 'seqclass[tune]'")

from seqclass.classifier import TextClassifier
from seqclass.cli import main

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

RECIPE = """\
seed_everything: 7
run_name: tiny
test_after_fit: true
model:
  stack: lstm
  embedding_dim: 8
  optimizer: {class_path: seqclass.optim.KerasAdam, init_args: {lr: 0.02}}
data:
  class_path: seqclass.data.TextDataModule
  init_args: {train: nowhere.csv, maxlen: 24, batch_size: 16}
trainer: {max_epochs: 1, accelerator: cpu}
"""
SPACE = """\
model.hidden_size: {choices: [4, 8]}
model.optimizer.init_args.lr: {low: 0.001, high: 0.05, log: true}
"""


@pytest.fixture
def small(easy_reviews, tmp_path, monkeypatch):
    """A recipe, a space and texts in an empty folder; the options of a new search."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    Path("tiny.yaml").write_text(RECIPE)
    Path("space.yaml").write_text(SPACE)
    return ["--config", "tiny.yaml", "--space", "space.yaml", "--data.train", str(easy_reviews / "train")]


def rows():
    with Path("runs/tiny-tune/1/trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_finds_the_best_and_fit_takes_its_config(small, capsys):
    assert main(["tune", *small, "--trials", "3"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("The search is in runs/tiny-tune/1\n")
    assert (
        len(re.findall(r"^trial [123]/3: val_loss \d\.\d{4}.*; hidden_size [48], lr 0\.\d+; \d+ s$", printed, re.M))
        == 3
    )
    found = rows()
    assert [row["state"] for row in found] == ["complete"] * 3
    best = min(found, key=lambda row: float(row["val_loss"]))
    assert f"The best of 3 trials, 0 of them failed: trial {best['trial']}, val_loss" in printed
    config = yaml.safe_load(Path("runs/tiny-tune/1/best.yaml").read_text())
    assert config["model"]["hidden_size"] == int(best["model.hidden_size"])
    assert config["model"]["optimizer"]["init_args"]["lr"] == float(best["model.optimizer.init_args.lr"])
    assert config["test_after_fit"] is True
    # Nothing was tested while the choice was open, and one model is kept.
    outputs = [file.read_text() for file in Path("runs/tiny-tune/1/trials").glob("*/output.txt")]
    assert len(outputs) == 3
    assert all("epoch 1/1" in output and "test_acc" not in output for output in outputs)
    kept = {path.parts[4] for path in Path("runs/tiny-tune/1/trials").rglob("*.ckpt")}
    assert kept == {best["trial"]}

    assert main(["fit", "--config", "runs/tiny-tune/1/best.yaml"]) == 0
    with Path("runs/tiny-tuned/1/metrics.csv").open(newline="") as file:
        again = list(csv.DictReader(file))
    assert [float(row["val_loss"]) for row in again if row["val_loss"]] == [float(best["val_loss"])]
    assert any(row["test_acc"] for row in again)
    classifier = TextClassifier.load("runs/tiny-tuned/1/checkpoints/last.ckpt")
    assert classifier.options.hidden_size == int(best["model.hidden_size"])


def test_a_failure_is_a_row(small, capsys):
    Path("space.yaml").write_text("model.hidden_size: {choices: [4, 0]}\n")
    assert main(["tune", *small, "--trials", "6", "--monitor", "val_acc"]) == 0
    printed = capsys.readouterr().out
    failed = [row for row in rows() if row["state"] == "fail"]
    good = [row for row in rows() if row["state"] == "complete"]
    assert failed
    assert good
    assert len(failed) + len(good) == 6
    assert all("hidden_size is 0" in row["reason"] and row["val_acc"] == "" for row in failed)
    assert "failed: hidden_size is 0" in printed
    assert max(float(row["val_acc"]) for row in good) == pytest.approx(
        float(re.search(r"val_acc (\d\.\d+)\n", printed)[1]), abs=1e-4
    )


def test_what_fails_whatever_the_values_ends_it(small, capsys):
    arguments = [word if word != small[-1] else "lost.csv" for word in small]
    assert main(["tune", *arguments, "--trials", "30"]) == 2
    assert "the first 3 trials have all failed: there are no texts at lost.csv" in capsys.readouterr().err
    assert len(rows()) == 3


def test_a_metric_that_is_not_there(small, capsys):
    assert main(["tune", *small, "--trials", "1", "--monitor", "val_f1"]) == 2
    captured = capsys.readouterr()
    assert "the run has no 'val_f1'; it has" in captured.out
    assert "val_acc" in captured.out
    assert "all 1 trials have failed" in captured.err


@pytest.mark.skipif(sys.platform == "win32", reason="lacks SIGTERM")
def test_interrupted_and_resumed(small, capsys):
    assert main(["tune", *small, "--trainer.max_epochs", "1", "--trials", "1"]) == 0
    assert len(rows()) == 1
    # The second trial is made endless, and ended by a signal.
    search = Path("runs/tiny-tune/1/search.yaml")
    as_begun = search.read_text()
    search.write_text(as_begun.replace("- '1'\n", "- '5000'\n"))
    assert search.read_text() != as_begun
    command = [sys.executable, "-m", "seqclass", "tune", "--resume", "runs/tiny-tune/1", "--trials", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        output = Path("runs/tiny-tune/1/trials/1/output.txt")
        while not (output.exists() and "epoch 2/5000" in output.read_text()):
            assert process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGTERM)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "1 of 3 trials are done; to go on: seqclass tune --resume runs/tiny-tune/1 --trials 3" in error
    assert len(rows()) == 1
    interrupted = yaml.safe_load(next(output.parent.glob("*/config.yaml")).read_text())

    search.write_text(as_begun)
    capsys.readouterr()
    assert main(["tune", "--resume", "runs/tiny-tune/1", "--trials", "3"]) == 0
    printed = capsys.readouterr().out
    assert "trial 2/3: " in printed
    assert "trial 1/3: " not in printed
    found = rows()
    assert [row["state"] for row in found] == ["complete"] * 3
    assert [row["trial"] for row in found] == ["0", "2", "3"]
    assert float(found[1]["model.optimizer.init_args.lr"]) == interrupted["model"]["optimizer"]["init_args"]["lr"]
    assert len({row["model.optimizer.init_args.lr"] for row in found}) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "needs --config and --space for a new search, or --resume"),
        (["--config", "tiny.yaml"], "a new search needs --space"),
        (["--config", "lost.yaml", "--space", "space.yaml"], "there is no config at lost.yaml"),
        (["--config", "tiny.yaml", "--space", "lost.yaml"], "cannot read the space lost.yaml"),
        (["--config", "tiny.yaml", "--space", "space.yaml", "--trials", "0"], "--trials is 0"),
        (["--config", "tiny.yaml", "--space", "space.yaml", "--trials", "many"], "invalid int value: 'many'"),
        (["--resume", "nowhere"], "there is no search in nowhere"),
        (["--resume", ".", "--data.train", "x.csv"], "--data.train does not go with --resume"),
        (["--resume", ".", "--space", "space.yaml"], "--space does not go with --resume"),
    ],
)
@pytest.mark.usefixtures("small")
def test_wrong_commands(arguments, message, capsys):
    assert main(["tune", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert not Path("runs").exists()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("content", ["", "[]", "a: {", "arguments: 3\nspace: {}\nmonitor: a\nmode: min\nseed: x\n"])
def test_a_damaged_search(content, capsys):
    Path("search.yaml").write_text(content)
    assert main(["tune", "--resume", "."]) == 2
    assert "search.yaml does not describe a search" in capsys.readouterr().err
