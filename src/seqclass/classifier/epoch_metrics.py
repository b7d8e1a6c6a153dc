"""The running figures of an epoch, for training, validation and test each."""

from typing import Literal, cast, get_args

import torch
from torch import nn
from torchmetrics import Metric

from seqclass.classifier.tasks import Task
from seqclass.metrics import MeanLoss

Stage = Literal["train", "val", "test"]


class EpochMetrics(nn.Module):
    """Mean loss and accuracy of each stage, exact over the samples since its epoch began, whatever their batches.

    Args:
        task: which says what accuracy is.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        # By the names under which they are logged: `train` alone would be a name that a module has already.
        self._metrics = nn.ModuleDict()
        for stage in get_args(Stage):
            self._metrics[f"{stage}_loss"] = MeanLoss()
            self._metrics[f"{stage}_acc"] = task.accuracy()

    def _of(self, stage: Stage) -> dict[str, Metric]:
        return {name: cast(Metric, self._metrics[name]) for name in (f"{stage}_loss", f"{stage}_acc")}

    def reset(self, stage: Stage) -> None:
        """Begin an epoch."""
        for metric in self._of(stage).values():
            metric.reset()

    def update(self, stage: Stage, loss: torch.Tensor, predicted: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch: its mean loss, and its labels as the task has them."""
        mean, accuracy = self._of(stage).values()
        mean.update(loss, len(labels))
        accuracy.update(predicted, labels)

    def compute(self, stage: Stage) -> dict[str, torch.Tensor]:
        """The figures by their logged names; on a GPU, reading them waits for it."""
        return {name: metric.compute() for name, metric in self._of(stage).items()}
