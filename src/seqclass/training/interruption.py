"""Runs that a signal ends: Ctrl-C (SIGINT), or SIGTERM, with which schedulers and container engines end a job."""

import os
import shlex
import signal
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities.exceptions import SIGTERMException

from seqclass.errors import Interrupted

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopOnSignal(Callback):
    """Stops where training can be resumed, and saves a checkpoint there.

    A training that gets a signal finishes its batch and is saved; in a validation it finishes that, and the epoch with
    it. A second signal stops at once, as does the first one in anything but training. `Interrupted` is raised either
    way.

    Lightning alone ends a training on SIGTERM too, but saves nothing, and exits with 0. Where several processes train
    it is left to that: they would have to agree on the batch after which they all stop.

    Args:
        last: what saves the last epoch, whose file is replaced; None saves nothing.
    """

    def __init__(self, last: ModelCheckpoint | None = None) -> None:
        self._last = last
        self._received: signal.Signals | None = None
        self._waits = False

    def _listen(self, trainer: Trainer, *, waits: bool) -> None:
        self._received, self._waits = None, waits
        # Lightning has put its handlers in place by now, and restores those before them when it is done.
        if trainer.world_size == 1 and threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                signal.signal(number, self._receive)

    def _receive(self, number: int, frame: FrameType | None) -> None:
        if not self._waits or self._received is not None:
            raise Interrupted(number)
        self._received = signal.Signals(number)
        # Not print: the signal may have come while standard error was being written to.
        notice = f"\n{self._received.name}: stopping after this batch, or validation; again to stop at once\n"
        os.write(2, notice.encode())

    def _stop_if_asked(self) -> None:
        if self._received is not None:
            raise Interrupted(self._received)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._listen(trainer, waits=True)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        # Behind the last batch come a validation and the end of the epoch, which Lightning would not go back to.
        if self._received is not None and not trainer.is_last_batch:
            if self._last is not None:
                trainer.save_checkpoint(self._last.format_checkpoint_name({}))
            raise Interrupted(self._received)

    # By now the epoch before has been saved.
    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop_if_asked()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._stop_if_asked()

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.state.fn != "fit":
            self._listen(trainer, waits=False)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._listen(trainer, waits=False)

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._listen(trainer, waits=False)


def signal_behind(error: BaseException) -> signal.Signals | None:
    """Return the signal that made Lightning, or this module, leave with this error; None if it was none."""
    if isinstance(error, Interrupted):
        return error.signal
    if isinstance(error, SIGTERMException):
        return signal.SIGTERM
    # Lightning leaves with exit status 1 on Ctrl-C.
    interrupted = isinstance(error, KeyboardInterrupt) or isinstance(error.__context__, KeyboardInterrupt)
    return signal.SIGINT if interrupted and isinstance(error, KeyboardInterrupt | SystemExit) else None


def place(trainer: Trainer) -> str:
    """Say how far a training has come: "in epoch 3/40, after 120 of 313 batches"."""
    epochs: Any = trainer.fit_loop.epoch_progress.current
    most = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
    if epochs.processed == epochs.ready or epochs.ready > epochs.started:
        return f"after epoch {epochs.processed}{most}" if epochs.processed else "before the first epoch"
    batches: Any = trainer.fit_loop.epoch_loop.batch_progress.current
    return f"in epoch {epochs.ready}{most}, after {batches.processed} of {trainer.num_training_batches} batches"


def resuming_command(arguments: Sequence[str], checkpoint: str) -> str:
    """Return the command that goes on from a checkpoint.

    Args:
        arguments: those of the interrupted run.
        checkpoint: path of the checkpoint.
    """
    kept: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--ckpt_path":
            next(given, None)
        elif not argument.startswith("--ckpt_path="):
            kept.append(argument)
    return shlex.join(["seqclass", *kept, "--ckpt_path", checkpoint])
