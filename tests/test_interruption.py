"""A run cut off in the middle of an epoch goes on from its last checkpoint, and ends as if nothing had happened."""

import inspect
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.callbacks import ModelCheckpoint
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import IMDBDataModule
from seqclass.training import new_classifier
from seqclass.training.interruption import resuming_command

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

# Lightning before 2.6 has no such option, and loads everything that a checkpoint holds.
SAFELY = {"weights_only": True} if "weights_only" in inspect.signature(Trainer.fit).parameters else {}


class Curve(Callback):
    """Notes the figures of each epoch, and interrupts one if asked to, as Ctrl-C does."""

    def __init__(self, interrupt=None):
        self.figures, self.interrupt = {}, interrupt

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if (trainer.current_epoch, batch_idx) == self.interrupt:
            raise KeyboardInterrupt

    def on_validation_end(self, trainer, pl_module):
        figures = {**pl_module.figures("train"), **pl_module.figures("val")}
        self.figures[trainer.current_epoch] = figures


@pytest.fixture
def fit(easy_reviews, tmp_path):
    def fit(*, limits, interrupt=None, resume=None, **saving):
        seed_everything(7)
        data = IMDBDataModule(
            path=str(easy_reviews), maxlen=24, batch_size=16, validation=0.2, cache_dir=str(tmp_path / "cache")
        )
        classifier = new_classifier(data, stack="lstm", hidden_size=8, embedding_dim=8, optimizer=fast_adam)
        curve = Curve(interrupt)
        trainer = quiet_trainer(
            **{"max_epochs": 3, **limits},
            enable_checkpointing=True,
            callbacks=[curve, ModelCheckpoint(tmp_path / f"{interrupt}{resume is None}", save_last=True, **saving)],
        )
        try:
            trainer.fit(classifier, data, ckpt_path=resume, **SAFELY)
        except (KeyboardInterrupt, SystemExit):
            assert interrupt is not None
        return curve.figures, classifier, trainer.checkpoint_callback.last_model_path

    return fit


@pytest.mark.parametrize(
    ("limits", "saving", "place"),  # where the checkpoint was saved: epoch, and batches of it
    [
        ({}, {}, (0, 20)),
        ({}, {"every_n_train_steps": 23}, (1, 3)),
        ({"max_steps": 60}, {"every_n_train_steps": 7}, (1, 1)),
        ({"max_steps": 60}, {}, (0, 20)),
        ({"max_steps": 60, "limit_train_batches": 18}, {}, (0, 18)),
    ],
)
def test_the_last_checkpoint_resumes_to_the_same_curve(fit, limits, saving, place):
    straight, whole, _ = fit(limits=limits)
    begun, _, checkpoint = fit(limits=limits, interrupt=(1, 7), **saving)
    assert list(begun) == [0]
    (loader,) = torch.load(checkpoint, weights_only=True)["loops"]["fit_loop"]["state_dict"]["combined_loader"]
    assert (loader["epoch"], loader["batches"]) == place
    TextClassifier.load(checkpoint)
    rest, resumed, _ = fit(limits=limits, resume=checkpoint)
    assert list(rest) == [1, 2]
    assert begun | rest == straight
    for name, parameter in whole.state_dict().items():
        assert torch.equal(parameter, resumed.state_dict()[name]), name


class TestSignals:
    """A training from the command line, in a process of its own, that gets a real signal."""

    ROOT = Path(__file__).parents[1]

    def arguments(self, reviews, *more):
        return [
            *("fit", "--config", str(self.ROOT / "configs" / "lstm.yaml"), "--trainer.max_epochs", "3"),
            *("--data.path", str(reviews), "--data.maxlen", "24", "--data.batch_size", "16"),
            *("--data.validation", "0.2", "--data.eval_batch_size", "20"),
            *("--model.hidden_size", "8", "--model.embedding_dim", "8", "--trainer.accelerator", "cpu", *more),
        ]

    def run(self, arguments):
        path = os.pathsep.join([str(self.ROOT / "tests"), os.environ.get("PYTHONPATH", "")])
        # The sums' order, and with it the last bit, depends on the number of threads.
        return subprocess.run(
            [sys.executable, "-m", "seqclass", *arguments],
            env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": str(torch.get_num_threads())},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
        monkeypatch.delenv("SEQCLASS_IMDB", raising=False)

    def signal_at(self, **place):
        given = [word for key, value in place.items() for word in (f"--trainer.callbacks.{key}", str(value))]
        return ["--trainer.callbacks+", "support.signals.SignalAt", *given]

    @pytest.mark.slow
    def test_the_command_that_is_named_ends_as_if_nothing_had_happened(self, easy_reviews, capsys):
        arguments = self.arguments(easy_reviews)
        ended = self.run([*arguments, *self.signal_at(name="SIGTERM", part="train", epoch=1, batches=7)])
        assert ended.returncode == 128 + signal.SIGTERM == 143, ended.stderr
        *_, told, command = ended.stderr.splitlines()
        assert told == (
            "seqclass: stopped by SIGTERM: training stopped in epoch 2/3, after 7 of 20 batches. Its state is saved; "
            "go on with"
        )
        command = shlex.split(command)
        assert command[:2] == ["seqclass", "fit"]
        assert command[-2:] == ["--ckpt_path", "runs/lstm/1/checkpoints/last.ckpt"]
        signalled = command.index("--trainer.callbacks+")
        began = time.perf_counter()
        assert main(command[1:signalled] + command[-2:]) == 0
        took = time.perf_counter() - began
        after_it = capsys.readouterr().out
        printed = re.findall(r"^(epoch \S+(?: \(resumed\))?): ([\d.]+) s, ", after_it, re.MULTILINE)
        assert [name for name, _ in printed] == ["epoch 2/3 (resumed)", "epoch 3/3"]
        assert sum(float(seconds) for _, seconds in printed) < took + 0.1  # each is rounded to a tenth
        assert main(arguments) == 0
        straight = capsys.readouterr().out
        for epoch in ("epoch 2/3", "epoch 3/3"):
            one, other = (
                [line.split(" s, ")[1] for line in lines.splitlines() if line.startswith(epoch)]
                for lines in (after_it, straight)
            )
            assert one == other != []
        states = [TextClassifier.load(f"runs/lstm/{run}/checkpoints/last.ckpt").state_dict() for run in (2, 3)]
        assert all(torch.equal(weight, states[1][name]) for name, weight in states[0].items())

    @pytest.mark.parametrize(
        ("signals", "stopped", "saved"),  # epochs and batches counted from 0, as they are in the checkpoint
        [
            ([("SIGINT", "train", 7)], "in epoch 2/3, after 7 of 20 batches", (1, 7)),
            # A validation is finished first, and the epoch with it.
            ([("SIGTERM", "validation", 1)], "after epoch 2/3", (1, 20)),
            ([("SIGINT", "validation", 1)] * 2, "in epoch 2/3, after 20 of 20 batches", (0, 20)),
        ],
    )
    def test_what_is_saved(self, signals, stopped, saved, easy_reviews, capfd):
        at = [self.signal_at(name=name, part=part, epoch=1, batches=batches) for name, part, batches in signals]
        assert main(self.arguments(easy_reviews, *itertools.chain(*at))) == 128 + signal.Signals[signals[0][0]]
        told = capfd.readouterr().err
        assert "stopping after this batch, or validation; again to stop at once" in told
        assert f"training stopped {stopped}. Its state is saved" in told
        loops = torch.load("runs/lstm/1/checkpoints/last.ckpt", weights_only=True)["loops"]
        (batches,) = loops["fit_loop"]["state_dict"]["combined_loader"]
        assert (batches["epoch"], batches["batches"]) == saved

    def test_without_a_checkpoint(self, easy_reviews, capsys):
        at = self.signal_at(name="SIGTERM", part="train", batches=7)
        assert main(self.arguments(easy_reviews, "--checkpoint.save_last", "false", *at)) == 143
        assert "in epoch 1/3, after 7 of 20 batches; no checkpoint was saved to go on from" in capsys.readouterr().err

    def test_predictions_are_whole_or_not_there(self, checkpoint, easy_reviews, capsys):
        arguments = ["predict", *self.arguments(easy_reviews)[1:], "--ckpt_path", str(checkpoint)]
        assert main([*arguments, *self.signal_at(name="SIGTERM", part="predict", batches=2)]) == 143
        assert capsys.readouterr().err.endswith("\nseqclass: stopped by SIGTERM\n")
        assert {file.name for file in Path("runs/lstm/1").iterdir()} == {"config.yaml"}

    @pytest.mark.parametrize("given", [[], ["--ckpt_path", "old one.ckpt"], ["--ckpt_path=old one.ckpt"]])
    def test_the_command_names_one_checkpoint(self, given):
        command = resuming_command(["fit", *given, "--data.train", "my texts.csv"], "runs/my texts/1/last.ckpt")
        assert command == "seqclass fit --data.train 'my texts.csv' --ckpt_path 'runs/my texts/1/last.ckpt'"
