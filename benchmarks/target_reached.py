"""The callback with which `target` follows a recipe: it notes each validation, and ends the run at the target."""

from __future__ import annotations

import json
import time
from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer


class TargetReached(Callback):
    """Appends a line with the time and the accuracy of each validation to a file, and stops the trainer at the target.

    Args:
        target: the accuracy, ``val_acc``, at which the run has reached its end.
        file: of JSON lines, ``[seconds, accuracy]``, by `time.monotonic`, which all processes of a machine share.
    """

    def __init__(self, target: float, file: str) -> None:
        self.target = target
        self.file = Path(file)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        accuracy = float(trainer.callback_metrics["val_acc"])
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps([time.monotonic(), accuracy]) + "\n")
        if accuracy >= self.target:
            trainer.should_stop = True


def read_curve(file: Path, began: float) -> list[tuple[float, float]]:
    """The (seconds, accuracy) that the callback wrote, with the seconds counted from ``began``."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return [(seconds - began, accuracy) for seconds, accuracy in map(json.loads, lines)]
