"""What the layers of a chain pass to each other."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn


@dataclass(frozen=True)
class Signal:
    """What a layer reads, and what it returns.

    Attributes:
        values: ids (batch, steps), a sequence (batch, steps, features), or vectors (batch, features).
        mask: (batch, steps), False at the steps that do not count, as Keras passes it from layer to layer; None where
            all count.
        leading: (batch,) int64: how many steps at the front of each row are equal in all rows that have them, so that
            an LSTM may compute them once (`seqclass.nn.shared_padding`); None where that is not known.
    """

    values: torch.Tensor
    mask: torch.Tensor | None = None
    leading: torch.Tensor | None = None

    def with_values(self, values: torch.Tensor, *, differs: bool = False) -> "Signal":
        """Return the same steps with other values.

        Args:
            values: of the same batch and steps.
            differs: whether something random has made the rows differ in their leading steps.
        """
        return replace(self, values=values, leading=None if differs else self.leading)


@dataclass(frozen=True)
class Form:
    """What is known about a signal in advance.

    Attributes:
        kind: ids, a sequence or a vector.
        features: numbers in each step, or in the vector.
    """

    kind: Literal["ids", "sequence", "vector"]
    features: int = 0

    def __str__(self) -> str:
        return self.kind if self.kind == "ids" else f"{self.kind} of {self.features} features"


class ChainLayer(nn.Module, ABC):
    """A layer of a chain, made from plain values."""

    @abstractmethod
    def form(self, given: Form) -> Form:
        """Work out the form of what the layer returns.

        Raises:
            ValueError: it cannot read that.
        """

    @abstractmethod
    def forward(self, signal: Signal) -> Signal:
        """Compute."""


def expect(given: Form, *kinds: str, features: int | None = None) -> Form:
    """Return the form if it is one of these kinds, with that many features.

    Raises:
        ValueError: it is not.
    """
    if given.kind not in kinds or features not in (None, given.features):
        wanted = " or ".join(kinds) + ("" if features is None else f" of {features} features")
        raise ValueError(f"it reads a {wanted}, and is given a {given}")
    return given
