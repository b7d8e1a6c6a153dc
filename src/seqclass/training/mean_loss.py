"""The mean loss of an epoch."""

from typing import Any

import torch
from torchmetrics import Metric


class MeanLoss(Metric):
    """The mean over samples, from the sums of batches of any size and over all processes.

    `torchmetrics.MeanMetric` either checks for NaN, which makes a GPU wait in every step, or, with
    `nan_strategy="disable"` (torchmetrics 1.9), ignores the weights. Here a NaN stays a NaN.
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False

    total: torch.Tensor
    samples: torch.Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, total: torch.Tensor, samples: int) -> None:
        """Add a batch.

        Args:
            total: scalar, the sum of the losses of its samples.
            samples: how many there are.
        """
        self.total += total
        self.samples += samples

    def compute(self) -> torch.Tensor:
        """Return the mean over all samples since the last reset; NaN if there are none."""
        return self.total / self.samples
