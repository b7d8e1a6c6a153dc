"""What the logits of a stack mean: one class a text, or any number of labels; loss and decisions follow.

| | logits | a text's labels |
|---|---|---|
| `SingleLabel`, two classes | (batch,) | (batch,) int64 |
| `SingleLabel`, more | (batch, classes) | (batch,) int64 |
| `MultiLabel` | (batch, classes) | (batch, classes), ones and zeros |

For training, labels may be soft: float, (batch, classes), how probable each class is for the text.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch.nn import functional as F


@dataclass(frozen=True)
class Classification:
    """A classifier's answer to one text.

    Attributes:
        labels: the most probable class alone; where a text may have several labels, all with a probability of at least
            one half.
        probability: of the most probable class, from 0 to 1.
        probabilities: of all classes, by name.
    """

    labels: tuple[str, ...]
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
            logits: what the stack returned.
            labels: the true labels, or soft ones.
            class_weights: (classes,), the weight of each class's samples in the mean; None weighs all the same.

        Returns:
            A scalar.
        """
        total, weight = self.total_loss(logits, labels, class_weights)
        return total / weight

    @abstractmethod
    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        """Compute the two sums whose ratio is `loss`: of the weighted cross-entropies, and of the weights.

        Both can be added to those of other texts. Without texts they are zeros.
        """

    @abstractmethod
    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Compute the probabilities of the classes, (batch, classes)."""

    @abstractmethod
    def predicted(self, logits: torch.Tensor) -> torch.Tensor:
        """Predict labels, int64 and in the shape of the true ones."""

    @abstractmethod
    def hard(self, labels: torch.Tensor) -> torch.Tensor:
        """Turn soft labels into the ones they make most probable; others are returned as they are."""

    def accuracy(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the share of texts of which all is right; NaN of no texts."""
        right = self.predicted(logits) == labels
        return (right.all(dim=1) if right.dim() == 2 else right).float().mean()

    @abstractmethod
    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        """Choose the classes that one text's probabilities, (classes,), amount to."""


class SingleLabel(Task):
    """Each text has one class: the most probable."""

    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        if labels.is_floating_point():
            shares = labels if class_weights is None else labels * class_weights
            return -(shares * log_probabilities(logits)).sum(), shares.sum()
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

    def hard(self, labels: torch.Tensor) -> torch.Tensor:
        return labels.argmax(dim=1) if labels.is_floating_point() else labels

    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        return (max(range(len(row)), key=row.__getitem__),)


class MultiLabel(Task):
    """Each text has any number of labels: each is decided by itself, and given at a probability of at least 0.5."""

    def total_loss(
        self, logits: torch.Tensor, labels: torch.Tensor, class_weights: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor | float]:
        losses = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), reduction="sum")
        return losses, float(labels.numel())

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        return logits.sigmoid()

    def predicted(self, logits: torch.Tensor) -> torch.Tensor:
        return (logits > 0).long()

    def hard(self, labels: torch.Tensor) -> torch.Tensor:
        return (labels >= 0.5).long()

    def chosen(self, row: Sequence[float]) -> tuple[int, ...]:
        return tuple(number for number, value in enumerate(row) if value >= 0.5)


def probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Turn logits of one class a text, (batch,) or (batch, classes), into probabilities, (batch, classes)."""
    if logits.dim() == 2:
        return logits.softmax(dim=1)
    # Not 1 - p: a small probability keeps its digits on either side.
    return torch.stack([(-logits).sigmoid(), logits.sigmoid()], dim=1)


def log_probabilities(logits: torch.Tensor) -> torch.Tensor:
    """Compute the logarithms of `probabilities`, as exactly where they are small."""
    if logits.dim() == 2:
        return logits.log_softmax(dim=1)
    return F.logsigmoid(torch.stack([-logits, logits], dim=1))


def task_of(num_classes: int, *, multi_label: bool) -> Task:
    """Make the task of a model with so many classes."""
    return MultiLabel(num_classes) if multi_label else SingleLabel(num_classes)
