"""Running loss and accuracy of an epoch, one pair each for training, validation and test."""

from collections.abc import Mapping
from typing import Any, Literal, cast, get_args

import torch
from torch import nn
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MultilabelExactMatch

from seqclass.classifier import SingleLabel, Task
from seqclass.errors import InputError
from seqclass.training.mean_loss import MeanLoss

Stage = Literal["train", "val", "test"]

_SYNCED_IF_ASKED = {"sync_on_compute": False, "compute_with_cache": False}
"""The progress bar of one process reads them too, without the others taking part, and its value must not be cached."""


class EpochMetrics(nn.Module):
    """Mean loss and accuracy of each stage, exact over all samples of the epoch so far, however they are batched.

    With several processes, each sees a part of the samples; their counts are combined when the figures are computed.

    Args:
        task: decides which texts count as correct: those with every label correct.
    """

    def __init__(self, task: Task) -> None:
        super().__init__()
        # Named as they are logged: a module already has an attribute `train`.
        self._metrics = nn.ModuleDict()
        for stage in get_args(Stage):
            self._metrics[f"{stage}_loss"] = MeanLoss(**_SYNCED_IF_ASKED)
            self._metrics[f"{stage}_acc"] = _accuracy(task)

    def _of(self, stage: Stage) -> dict[str, Metric]:
        return {name: cast(Metric, self._metrics[name]) for name in (f"{stage}_loss", f"{stage}_acc")}

    def reset(self, stage: Stage) -> None:
        """Start a new epoch."""
        for metric in self._of(stage).values():
            metric.reset()

    def update(self, stage: Stage, total_loss: torch.Tensor, predicted: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch: the sum of its losses, and its labels as the task has them."""
        loss, accuracy = self._of(stage).values()
        loss.update(total_loss, len(labels))
        if len(labels):  # torchmetrics 1.9 cannot reshape none
            accuracy.update(predicted, labels)

    def compute(self, stage: Stage) -> dict[str, torch.Tensor]:
        """Return the figures by their logged names, over all processes, each of which has to call this.

        On a GPU, reading them waits for it.
        """
        figures = {}
        for name, metric in self._of(stage).items():
            with metric.sync_context():
                figures[name] = metric.compute()
        return figures

    def running(self, stage: Stage) -> dict[str, torch.Tensor]:
        """Return the figures of this process's samples alone, by the same names."""
        return {name: metric.compute() for name, metric in self._of(stage).items()}

    def training_sums(self) -> dict[str, dict[str, Any]]:
        """Return what training has added up since its epoch began, over all processes, each of which has to call this.

        A checkpoint from the middle of an epoch holds it, as plain numbers, so that the figures of that epoch are of
        all its batches.
        """
        sums = {}
        for name, metric in self._of("train").items():
            with metric.sync_context():
                sums[name] = {key: torch.as_tensor(value).tolist() for key, value in metric.metric_state.items()}
        return sums

    def go_on_from(self, sums: Mapping[str, Any]) -> None:
        """Add to such sums; one process has to, and the others begin with zeros.

        Raises:
            InputError: they are sums of something else.
        """
        for name, metric in self._of("train").items():
            for key, value in metric.metric_state.items():
                mine = torch.as_tensor(value)
                try:
                    saved = torch.tensor(sums[name][key], dtype=mine.dtype, device=mine.device).reshape(mine.shape)
                except (KeyError, TypeError, ValueError, RuntimeError) as error:
                    raise InputError(f"the checkpoint's sum {key!r} of {name} is not one of this model") from error
                setattr(metric, key, saved)


def _accuracy(task: Task) -> Metric:
    """Make the metric for the share of texts with every label correct."""
    options: dict[str, Any] = {"validate_args": False, **_SYNCED_IF_ASKED}
    if isinstance(task, SingleLabel):
        return MulticlassAccuracy(task.num_classes, average="micro", **options)
    return MultilabelExactMatch(task.num_classes, **options)
