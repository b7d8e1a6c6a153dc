"""Two processes that share a run, started from the command line as a person does, give what one gives."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def seqclass(folder, *arguments, devices=1, cache=None):
    """Runs a command in `folder`, in so many processes."""
    several = ("--trainer.strategy", "ddp") if devices > 1 else ()
    command = [*arguments, "--trainer.accelerator", "cpu", "--trainer.devices", str(devices), *several]
    environment = {
        **os.environ,
        "SEQCLASS_CACHE": str(cache or folder / "cache"),
        "PYTHONPATH": os.pathsep.join([str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]),
        "OMP_NUM_THREADS": "1",
    }
    for name in ("SEQCLASS_IMDB", "LOCAL_RANK", "NODE_RANK", "WORLD_SIZE"):
        environment.pop(name, None)
    return subprocess.run(
        [sys.executable, "-m", "seqclass", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.fixture(scope="module")
def runs(easy_reviews, tmp_path_factory):
    """The folders of two runs that differ in the number of processes, and what they printed.

    400 texts in batches of 7 and 90 in batches of 89 leave a last batch of one: one of two processes has none of it.
    """
    found = {}
    for devices in (1, 2):
        folder = tmp_path_factory.mktemp(f"processes{devices}")
        done = seqclass(
            folder,
            *("fit", "--config", str(ROOT / "configs" / "lstm.yaml"), "--trainer.max_epochs", "2"),
            *("--data.path", str(easy_reviews), "--data.maxlen", "24"),
            *("--data.batch_size", "7", "--data.eval_batch_size", "89"),
            *("--model.hidden_size", "8", "--model.embedding_dim", "8", "--model.class_weights", "[1, 3]"),
            *("--model.optimizer.init_args.lr", "0.005"),
            *("--trainer.callbacks+", "support.step_losses.StepLosses", "--trainer.callbacks.path", "losses.json"),
            *("--test_after_fit", "true"),
            devices=devices,
        )
        assert done.returncode == 0, done.stderr
        found[devices] = folder, done
    return found


def test_every_step_has_the_loss_of_one_process(runs):
    one, two = (json.loads((folder / "losses.json").read_text()) for folder, _ in runs.values())
    assert len(one) == len(two) == 2 * 58
    assert two[:10] == pytest.approx(one[:10], rel=1e-6), "sums in another order, in single precision"
    assert two == pytest.approx(one, rel=1e-4), "and carried on through all steps"


def test_the_weights_at_the_end_are_those_of_one_process(runs):
    one, two = (
        torch.load(folder / "runs/lstm/1/checkpoints/last.ckpt", weights_only=True)["state_dict"]
        for folder, _ in runs.values()
    )
    assert one.keys() == two.keys()
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, rtol=0, atol=1e-4)


def test_the_figures_are_those_of_one_process(runs):
    """Losses, and accuracies to the last text: 90 texts shared by two, each counted once."""

    def figures(folder):
        with (folder / "runs/lstm/1/metrics.csv").open() as file:
            return [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]

    one, two = (figures(folder) for folder, _ in runs.values())
    assert {"train_loss", "val_acc", "test_acc"} <= {name for row in one for name in row}
    assert any(0.55 < row.get("val_acc", 0) < 1 for row in one), "else one text more or less would not show"
    for row, other in zip(one, two, strict=True):
        assert other == pytest.approx(row, rel=1e-4)


def test_everything_is_written_and_printed_once(runs):
    for folder, done in runs.values():
        assert [path.name for path in (folder / "runs/lstm").iterdir()] == ["1"]
        assert done.stdout.count("epoch 1/2: ") == 1
        assert done.stdout.count("This run's files are in") == 1
        assert done.stdout.count("all trainable") == 1
        assert done.stderr.count("Encoding the texts of imdb") == 1
    (one, _), (two, _) = runs.values()
    files = [sorted(str(path.relative_to(folder)) for path in (folder / "runs").rglob("*")) for folder in (one, two)]
    assert files[0] == files[1]


def test_predictions_are_complete_and_in_order(runs, easy_reviews):
    rows = []
    for devices, (folder, _) in runs.items():
        done = seqclass(
            folder,
            *("predict", "--config", str(ROOT / "configs" / "lstm.yaml")),
            *("--data.path", str(easy_reviews), "--data.eval_batch_size", "89"),
            *("--ckpt_path", str(runs[1][0] / "runs/lstm/1/checkpoints/last.ckpt")),
            devices=devices,
        )
        assert done.returncode == 0, done.stderr
        with (folder / "runs/lstm/2/predictions.csv").open() as file:
            rows.append(list(csv.reader(file)))
    one, two = rows
    assert len(one) == 91
    assert [row[:2] for row in two] == [row[:2] for row in one]
    assert [float(row[3]) for row in two[1:]] == pytest.approx([float(row[3]) for row in one[1:]], abs=2e-6)


def test_what_is_wrong_with_the_data_is_said_once(tmp_path):
    (tmp_path / "a.csv").write_text("text,label\nx,y\n")
    done = seqclass(
        tmp_path,
        *("fit", "--config", str(ROOT / "configs" / "text.yaml"), "--data.train", "a.csv"),
        devices=2,
    )
    assert done.returncode == 2
    assert done.stderr.count("a.csv has to hold texts of at least two classes") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()
