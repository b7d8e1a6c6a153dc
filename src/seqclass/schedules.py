"""A learning rate that follows from how far the training has come."""

import math
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from seqclass.checks import check_rate


class WarmupCosine(LRScheduler):
    """Raise the rate from zero in a line, then let it fall to zero along half a cosine.

    Unlike PyTorch's schedules it does not need the number of steps: `SequenceClassifier` asks the Trainer,
    so one recipe serves data of any size. It steps each batch (`lr_scheduler_interval: step`).

    Args:
        optimizer: its rate is the highest.
        warmup: share of the steps in which the rate rises, from 0 to 1.
        total_steps: of the whole training; None for the Trainer's number.
        last_epoch: steps done before; -1 for none.

    Raises:
        ValueError: a value outside its range.
    """

    def __init__(
        self, optimizer: Optimizer, warmup: float = 0.1, total_steps: int | None = None, last_epoch: int = -1
    ) -> None:
        self.warmup = check_rate("warmup", warmup)
        self.total_steps = total_steps
        super().__init__(optimizer, last_epoch)

    def factor(self, step: int) -> float:
        """Return what the rate is multiplied by in a step, counted from 0."""
        if self.total_steps is None:
            return 1.0
        rising = self.warmup * self.total_steps
        if step < rising:
            return (step + 1) / (rising + 1)
        done = (step - rising) / max(1.0, self.total_steps - rising)
        return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def get_lr(self) -> list[Any]:
        factor = self.factor(self.last_epoch)
        return [rate * factor for rate in self.base_lrs]

    def begin(self, total_steps: int) -> None:
        """Set the number of steps where none was given, and the rate of the first."""
        if self.total_steps is None:
            self.total_steps = total_steps
            for group, rate in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
                group["lr"] = rate
