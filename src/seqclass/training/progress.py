"""A progress bar with loss and accuracy, and one line per epoch."""

import sys
import time
from typing import Any, cast

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import TQDMProgressBar
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm
from tqdm import tqdm

from seqclass.training.sequence_classifier import SequenceClassifier


class EpochProgress(TQDMProgressBar):
    """Shows the running loss and accuracy of the epoch, and leaves one line per epoch behind.

    Epochs count from 1. The time of an epoch that was resumed in the middle is that of the remaining batches. Without a
    terminal (a pipe, a log file) only the lines are printed.

    Args:
        refresh_rate: batches between two updates; on a GPU each update waits for it.
    """

    def __init__(self, refresh_rate: int = 10) -> None:
        super().__init__(refresh_rate=refresh_rate)
        self._started, self._remark = 0.0, ""
        if not sys.stderr.isatty():
            self.disable()

    def init_train_tqdm(self) -> Tqdm:
        bar = super().init_train_tqdm()
        # The line that is printed instead says more.
        bar.leave = False
        return bar

    def on_train_start(self, trainer: Trainer, *args: Any) -> None:
        super().on_train_start(trainer, *args)
        # Where training is resumed in the middle of an epoch, that epoch has no start of its own.
        self._begin(trainer, " (resumed)")

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        self._begin(trainer)

    def _begin(self, trainer: Trainer, remark: str = "") -> None:
        super().on_train_epoch_start(trainer)
        self.train_progress_bar.set_description(_epoch_name(trainer))
        self._started, self._remark = time.perf_counter(), remark

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        super().on_train_epoch_end(trainer, pl_module)
        seconds = time.perf_counter() - self._started
        train = cast(SequenceClassifier, pl_module).figures("train")
        if trainer.is_global_zero:
            figures = {**_short(train), **_validation(trainer)}
            line = ", ".join(f"{name} {value:.4f}" for name, value in figures.items())
            tqdm.write(f"{_epoch_name(trainer)}{self._remark}: {seconds:.1f} s, {line}", file=sys.stdout)

    def get_metrics(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> dict[str, int | str | float | dict[str, float]]:
        if not trainer.training:
            return {}
        # Other processes do not ask, and would not answer.
        running = cast(SequenceClassifier, pl_module).running_figures("train")
        return {name: f"{value:.4f}" for name, value in _short(running).items()}


def _epoch_name(trainer: Trainer) -> str:
    last = "" if trainer.max_epochs in (None, -1) else f"/{trainer.max_epochs}"
    return f"epoch {trainer.current_epoch + 1}{last}"


def _short(figures: dict[str, float]) -> dict[str, float]:
    """Loss and accuracy, named as Keras prints them."""
    return {name.removeprefix("train_"): value for name, value in figures.items()}


def _validation(trainer: Trainer) -> dict[str, float]:
    return {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val_")}
