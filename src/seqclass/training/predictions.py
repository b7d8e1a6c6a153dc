"""The file that `seqclass predict` writes."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import distributed

from seqclass.evaluation.predictions_file import prediction_columns, predictions_file
from seqclass.training.sequence_classifier import SequenceClassifier


class PredictionFile(Callback):
    """Writes one row for each text: its name, the predicted label, its probability, and that of each class.

    The rows are in the order of the texts, however many processes predict; the first of them writes. The file appears
    whole or not at all.

    Args:
        path: of the CSV file; the first process needs it.
    """

    def __init__(self, path: str | Path | None) -> None:
        self.path = path
        self._opened = ExitStack()
        self._rows = 0

    def on_predict_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._rows = 0
        if trainer.is_global_zero and self.path is not None:
            self._write = self._opened.enter_context(predictions_file(self.path))

    def on_predict_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        probabilities = _of_all_processes(outputs.cpu()).tolist()
        if not trainer.is_global_zero or self.path is None:
            return
        classifier = cast(SequenceClassifier, pl_module).classifier
        chosen = [classifier.chosen(row) for row in probabilities]
        numbers = range(self._rows, self._rows + len(probabilities))
        names = getattr(trainer.predict_dataloaders, "names", None)
        shown = list(numbers) if names is None else [names[number] for number in numbers]
        self._write({"name": shown, **prediction_columns(classifier.label_names, chosen, probabilities)})
        self._rows += len(probabilities)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._opened.close()

    def on_exception(self, trainer: Trainer, pl_module: LightningModule, exception: BaseException) -> None:
        self._opened.__exit__(type(exception), exception, exception.__traceback__)


def _of_all_processes(rows: torch.Tensor) -> torch.Tensor:
    """Gather the rows of a shared batch, in order, in the first process; the others get none."""
    if not distributed.is_available() or not distributed.is_initialized():
        return rows
    first = distributed.get_rank() == 0
    parts: list[torch.Tensor] | None = [rows] * distributed.get_world_size() if first else None
    distributed.gather_object(rows, parts)
    return torch.cat(parts) if parts is not None else rows[:0]
