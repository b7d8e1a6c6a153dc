"""What the logits of a stack stand for: one class a text, or any number of labels; loss and decisions follow.

| | logits | a text's labels |
|---|---|---|
| `SingleLabel`, two classes | (batch,) | (batch,) int64 |
| `SingleLabel`, more | (batch, classes) | (batch,) int64 |
| `MultiLabel` | (batch, classes) | (batch, classes), ones and zeros |
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional as F
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy, MultilabelExactMatch


@dataclass(frozen=True)
class Classification:
    """What a classifier says of one text.

    Attributes:
        label: name of the most probable class; where a text may have several labels, all of at least one half.
        probability: of the most probable class, from 0 to 1.
        probabilities: of all classes, by name.
    """

    label: str
    probability: float
    probabilities: dict[str, float]


class Task(ABC):
    """How logits become a loss, probabilities and labels.

    Args:
        num_classes: how many there are to choose from.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes

    def loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Mean cross-entropy of a batch, in nats; shapes as in the table above.

        Args:
            logits: of the batch.
            labels: of the batch.
            class_weights: (classes,), what the samples of each class weigh in the mean; None for all the same.

        Returns:
            A scalar.
        """
        total, weight = self.total_loss(logits, labels, class_weights)
        return total / weight

    @abstractmethod
    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        """The two sums whose ratio is `loss`: of the weighted cross-entropies, and of the weights.

        Each can be added to those of other texts. Of no texts they are zeros.
        """

    @abstractmethod
    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """The probabilities of the classes, (batch, classes)."""

    @abstractmethod
    def predicted(self, logits: torch.Tensor) -> torch.Tensor:
        """The predicted labels, int64 and in the shape of the true ones."""

    @abstractmethod
    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        """The classes that one text's probabilities stand for."""

    @abstractmethod
    def accuracy(self, **options: Any) -> Metric:
        """A new metric: the share of texts of which all is right; `options` are those of any `Metric`."""


class SingleLabel(Task):
    """Each text has one class: the most probable."""

    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        weight = float(len(labels)) if class_weights is None else class_weights[labels].sum()
        if logits.dim() == 2:
            return F.cross_entropy(logits, labels, weight=class_weights, reduction="sum"), weight
        of_sample = None if class_weights is None else class_weights[labels]
        targets = labels.to(logits.dtype)
        return F.binary_cross_entropy_with_logits(logits, targets, of_sample, reduction="sum"), weight

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        return probabilities(logits)

    def predicted(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.argmax(dim=1) if logits.dim() == 2 else (logits > 0).long()

    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        return (max(range(len(row)), key=row.__getitem__),)

    def accuracy(self, **options: Any) -> Metric:
        return MulticlassAccuracy(self.num_classes, average="micro", validate_args=False, **options)


class MultiLabel(Task):
    """Each text has any number of labels: each is decided on alone, and is there from a probability of one half on."""

    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        losses = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="sum")
        return losses, float(labels.numel())

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.sigmoid()

    def predicted(self, logits: torch.Tensor) -> torch.Tensor:
        return (logits > 0).long()

    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        return tuple(number for number, value in enumerate(row) if value >= 0.5)

    def accuracy(self, **options: Any) -> Metric:
        return MultilabelExactMatch(self.num_classes, validate_args=False, **options)


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Turn logits of one class a text, (batch,) or (batch, classes), into probabilities, (batch, classes)."""
    if logits.dim() == 2:
        return logits.softmax(dim=1)
    # Not 1 - p: a small probability keeps its digits on either side.
    return torch.stack([(-logits).sigmoid(), logits.sigmoid()], dim=1)
