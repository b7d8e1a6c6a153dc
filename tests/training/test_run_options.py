"""What the table of a run's needs in docs/own_texts.md promises: each is said on the command line and happens."""

import csv
import re
import zipfile
from pathlib import Path

import pytest
import torch
from support.disk import nearly_full_disk
from support.versions import OLD_PYTORCH

from seqclass.cli import main

CONFIG = Path(__file__).parents[2] / "configs" / "lstm.yaml"
BATCHES = 10

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


@pytest.fixture
def fit(easy_reviews, tmp_path, monkeypatch):
    """Runs a small recipe, and returns the run's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    runs = iter(range(1, 100))

    def fit(*options, epochs=2):
        small = [
            *("--data.path", str(easy_reviews), "--data.maxlen", "24", "--data.batch_size", "16"),
            *("--model.hidden_size", "8", "--model.embedding_dim", "8", "--trainer.accelerator", "cpu"),
            *("--trainer.limit_train_batches", str(BATCHES), "--trainer.max_epochs", str(epochs)),
        ]
        assert main(["fit", "--config", str(CONFIG), *small, *options]) == 0
        return Path("runs/lstm") / str(next(runs))

    return fit


def last(run):
    """The last checkpoint, read as data."""
    return torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)


def rate(run):
    return last(run)["optimizer_states"][0]["param_groups"][0]["lr"]


def distance(run, other):
    """Between the weights of two runs."""
    one, two = last(run)["state_dict"], last(other)["state_dict"]
    return sum((one[name] - two[name]).square().sum() for name in one).sqrt().item()


class TestRates:
    @pytest.mark.skipif(OLD_PYTORCH, reason="OneCycleLR of PyTorch 2.3 puts code into checkpoints, which is not read")
    def test_one_cycle_in_steps(self, fit):
        options = [
            *("--model.lr_scheduler", "OneCycleLR", "--model.lr_scheduler.max_lr", "0.01"),
            *("--model.lr_scheduler.total_steps", str(2 * BATCHES + 1), "--model.lr_scheduler_interval", "step"),
        ]
        run = fit(*options)
        state = last(run)
        assert state["lr_schedulers"][0]["last_epoch"] == 2 * BATCHES
        assert rate(run) < 0.01 / 1000
        half = fit(*options, epochs=1)
        assert rate(half) > 0.005
        resumed = fit(*options, "--ckpt_path", str(half / "checkpoints" / "last.ckpt"))
        assert rate(resumed) == rate(run)
        assert distance(resumed, run) == 0

    def test_on_a_plateau(self, fit):
        options = ["--model.lr_scheduler.patience", "0", "--model.lr_scheduler.threshold", "0.99"]
        # As good as never is 99% better, so it falls behind the second epoch and the third; the fourth is saved.
        run = fit("--model.lr_scheduler", "torch.optim.lr_scheduler.ReduceLROnPlateau", *options, epochs=4)
        assert rate(run) == pytest.approx(1e-3 * 0.1**2)

    def test_on_a_plateau_of_another_metric(self, fit):
        name = "lightning.pytorch.cli.ReduceLROnPlateau"
        options = ["--model.lr_scheduler.monitor", "val_acc", "--model.lr_scheduler.mode", "max"]
        run = fit("--model.lr_scheduler", name, *options, "--model.lr_scheduler.patience", "0", epochs=2)
        state = last(run)["lr_schedulers"][0]
        with (run / "metrics.csv").open() as file:
            accuracies = [float(row["val_acc"]) for row in csv.DictReader(file) if row["val_acc"]]
        assert state["best"] == pytest.approx(accuracies[0])

    def test_cosine(self, fit):
        run = fit("--model.lr_scheduler", "CosineAnnealingLR", "--model.lr_scheduler.T_max", "4")
        assert rate(run) == pytest.approx(0.5e-3)


def test_gradients_are_clipped(fit):
    one_step = ["--trainer.limit_train_batches", "1", "--model.optimizer", "torch.optim.SGD"]
    still = fit(*one_step, "--model.optimizer.lr", "0", epochs=1)
    moved = fit(*one_step, "--model.optimizer.lr", "1", epochs=1)
    clipped = fit(*one_step, "--model.optimizer.lr", "1", "--trainer.gradient_clip_val", "0.001", epochs=1)
    assert distance(moved, still) > 0.002
    assert distance(clipped, still) == pytest.approx(0.001, rel=1e-3)


def test_stops_early(fit):
    stop = ["--trainer.callbacks+=EarlyStopping", "--trainer.callbacks.monitor=val_loss"]
    run = fit(*stop, "--trainer.callbacks.patience=2", "--trainer.callbacks.min_delta=100", epochs=9)
    assert last(run)["epoch"] == 2  # the third, counted from 0


def test_word_vectors_frozen_and_class_weights_by_name(fit, capsys):
    with zipfile.ZipFile("glove.zip", "w") as archive:
        archive.writestr("glove.3d.txt", "film 0.1 0.2 0.3\nsuperb 1 2 3\n")
        archive.writestr("glove.1d.txt", "film 0.1\n")
    vectors = ["--model.word_vectors", "glove.zip/glove.3d.txt", "--model.embedding_dim", "null"]
    run = fit(*vectors, "--model.freeze_embedding", "true", "--model.class_weights", "{pos: 3, neg: 1}", epochs=1)
    assert "glove.3d.txt: vectors of size 3 for 2 of the vocabulary's 16 words (12.5%)" in capsys.readouterr().err
    checkpoint = last(run)
    embedding = checkpoint["state_dict"]["classifier.stack.embedding.weight"]
    assert [0.1, 0.2, 0.3] in embedding.double().round(decimals=6).tolist()
    assert checkpoint["seqclass"]["training"] == {"class_weights": [1.0, 3.0], "freeze_embedding": True}


def test_a_token_pattern_reaches_the_checkpoint_as_it_was_written(fit):
    pattern = r"\p{L}+(?:'\p{L}+)?|[.!?]|\d{2,}"
    run = fit("--data.tokenizer", "regex", "--data.token_pattern", pattern, epochs=1)
    assert last(run)["seqclass"]["pipeline"]["tokenizer"]["token_pattern"] == pattern


def test_the_last_checkpoint_is_of_the_last_epoch_and_knows_the_best(fit):
    # Without a rate nothing gets better after the first epoch.
    run = fit("--model.optimizer.lr", "0", epochs=3)
    files = {file.name for file in (run / "checkpoints").iterdir()}
    (best,) = files - {"last.ckpt"}
    assert best.startswith("epoch=0-")
    assert last(run)["epoch"] == 2
    paths = [state.get("best_model_path", "") for state in last(run)["callbacks"].values()]
    assert any(path.endswith(best) for path in paths)
    resumed = fit("--model.optimizer.lr", "0", "--ckpt_path", str(run / "checkpoints" / "last.ckpt"), epochs=4)
    assert last(resumed)["epoch"] == 3


def test_tensorboard_has_the_curves(fit):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    fit("--trainer.logger", "TensorBoardLogger", "--trainer.logger.save_dir", "curves", epochs=3)
    events = EventAccumulator("curves/lightning_logs/version_0")
    events.Reload()
    assert {"train_loss", "train_acc", "val_loss", "val_acc"} <= set(events.Tags()["scalars"])
    losses = [event.value for event in events.Scalars("train_loss")]
    assert len(losses) == 3
    assert losses[-1] < losses[0]


def test_tensorboard_beside_the_csv_file(fit, tmp_path):
    config = tmp_path / "loggers.yaml"
    config.write_text(
        "trainer:\n  logger:\n  - class_path: TensorBoardLogger\n    init_args: {save_dir: logs}\n"
        "  - class_path: CSVLogger\n    init_args: {save_dir: logs}\n"
    )
    fit("--config", str(config), epochs=1)
    names = {file.name.partition(".")[0] for file in Path("logs").rglob("*") if file.is_file()}
    assert {"events", "metrics"} <= names


@pytest.mark.parametrize("logger", ["CSVLogger", "TensorBoardLogger"])
def test_a_loggers_folder_of_another_run_is_left_alone(fit, logger, easy_reviews, capsys):
    fixed = ["--trainer.logger", logger, "--trainer.logger.save_dir", "logs", "--trainer.logger.version", "0"]
    fit(*fixed, epochs=1)
    before = {file: file.read_bytes() for file in Path("logs").rglob("*") if file.is_file()}
    capsys.readouterr()
    small = ["--data.path", str(easy_reviews), "--data.maxlen", "24", "--model.hidden_size", "8"]
    assert main(["fit", "--config", str(CONFIG), *small, "--trainer.accelerator", "cpu", *fixed]) == 2
    told = capsys.readouterr().err
    assert f"error: {logger} would write to logs/lightning_logs/version_0, which has another run's files: " in told
    assert "Traceback" not in told
    assert {file: file.read_bytes() for file in Path("logs").rglob("*") if file.is_file()} == before
    assert not Path("runs/lstm/2").exists()


def test_a_full_disk_in_training_leaves_whole_checkpoints(fit, easy_reviews, capsys):
    run = fit(epochs=1)
    size = (run / "checkpoints" / "last.ckpt").stat().st_size
    capsys.readouterr()
    options = ["--data.path", str(easy_reviews), "--data.maxlen", "24", "--data.batch_size", "16"]
    options += ["--model.hidden_size", "8", "--model.embedding_dim", "8", "--trainer.accelerator", "cpu"]
    with nearly_full_disk(size - 100):
        assert main(["fit", "--config", str(CONFIG), *options]) == 2
    told = capsys.readouterr().err.strip().splitlines()[-1]
    assert re.fullmatch(
        r"seqclass: error: cannot write .*runs/lstm/2/checkpoints/(epoch=0-.*|last)\.ckpt: File too large", told
    )
    # What was saved before the disk was full is whole, and nothing else is left.
    for left in Path("runs/lstm/2/checkpoints").glob("*"):
        assert left.suffix == ".ckpt"
        torch.load(left, weights_only=True)


def test_without_tensorboard(easy_reviews, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    for name in ("_TENSORBOARD_AVAILABLE", "_TENSORBOARDX_AVAILABLE"):
        monkeypatch.setattr(f"lightning.fabric.loggers.tensorboard.{name}", False)
    logger = ["--trainer.logger", "TensorBoardLogger", "--trainer.logger.save_dir", "curves"]
    small = ["--data.path", str(easy_reviews), "--model.hidden_size", "8", "--trainer.accelerator", "cpu"]
    assert main(["fit", "--config", str(CONFIG), *small, *logger]) == 2
    told = capsys.readouterr().err
    assert told.splitlines()[-1] == (
        "seqclass: error: fit needs tensorboard, which is not installed: pip install 'seqclass[tensorboard]'"
    )


def test_a_metric_that_is_not_there_is_one_clear_error(easy_reviews, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--data.path", str(easy_reviews), "--data.maxlen", "24", "--model.hidden_size", "4"]
    options = ["--model.lr_scheduler", "torch.optim.lr_scheduler.ReduceLROnPlateau", "--trainer.accelerator", "cpu"]
    options += ["--model.lr_scheduler_monitor", "val_f1", "--trainer.limit_train_batches", "1"]
    assert main(["fit", "--config", str(CONFIG), *small, *options]) == 2
    told = capsys.readouterr().err
    assert "val_f1" in told
    assert "Traceback" not in told
