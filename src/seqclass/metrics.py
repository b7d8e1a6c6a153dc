"""The mean loss of an epoch."""

import torch
from torchmetrics import Metric


class MeanLoss(Metric):
    """The mean over samples, from the means of batches of any size.

    `torchmetrics.MeanMetric` would do, but that it either looks for NaNs, which makes a GPU wait in every step, or
    (`nan_strategy="disable"`, torchmetrics 1.9) takes all weights for one. Here a NaN stays one.
    """

    full_state_update = False
    higher_is_better = False
    is_differentiable = False

    total: torch.Tensor
    samples: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        self.add_state("total", torch.tensor(0.0), dist_reduce_fx="sum")
        self.add_state("samples", torch.tensor(0), dist_reduce_fx="sum")

    def update(self, mean: torch.Tensor, samples: int) -> None:
        """Add a batch.

        Args:
            mean: scalar, the mean loss of its samples.
            samples: how many they are.
        """
        self.total += mean * samples
        self.samples += samples

    def compute(self) -> torch.Tensor:
        """The mean over all samples since the last reset; NaN if there are none."""
        return self.total / self.samples
