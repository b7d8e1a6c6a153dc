"""Pooling of the states after all steps into one vector per row."""

from typing import Literal, get_args

import torch
from torch import nn

from seqclass.checks import check_choice
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.tensor_checks import check_sequence

PoolingKind = Literal["mean", "max", "max_mean"]
POOLING_KINDS: tuple[PoolingKind, ...] = get_args(PoolingKind)


class GlobalPooling(nn.Module):
    """Take the mean or the maximum of each feature over the steps, or both, leaving out padding in front.

    Without padding this equals Keras' `GlobalAveragePooling1D` and `GlobalMaxPooling1D`; with padding only the first of
    them agrees, and only if the padding is masked. A row that is all padding gives zeros.

    Args:
        kind: `mean`, `max`, or `max_mean`: the maxima of all features, and behind them their means.

    Raises:
        ValueError: another kind.
    """

    def __init__(self, kind: PoolingKind) -> None:
        super().__init__()
        check_choice("kind", kind, POOLING_KINDS)
        self.kind: PoolingKind = kind

    def forward(self, states: torch.Tensor, padding: LeadingPadding | None = None) -> torch.Tensor:
        """(batch, steps, features) -> (batch, features), or twice as many features for `max_mean`.

        Args:
            states: the states after all steps.
            padding: the leading steps to leave out; None to use all steps.

        Raises:
            ValueError: states of another shape, or padding that does not fit them.
        """
        check_sequence("states", states, None)
        batch, steps, _ = states.shape
        if padding is not None:
            padding.check(batch, steps)
        counts = states.new_zeros(batch, dtype=torch.int64) if padding is None else padding.counts.to(states.device)
        if self.kind == "mean":
            return _mean(states, counts)
        if self.kind == "max":
            return _maximum(states, counts)
        return torch.cat([_maximum(states, counts), _mean(states, counts)], dim=1)

    def extra_repr(self) -> str:
        return self.kind


def _mean(states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    steps = states.shape[1]
    words = (torch.arange(steps, device=states.device) >= counts.unsqueeze(1)).to(states.dtype)
    return torch.bmm(words.unsqueeze(1), states).squeeze(1) / (steps - counts).clamp(min=1).unsqueeze(1)


def _maximum(states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    steps = states.shape[1]
    if steps == 0:
        return states.sum(dim=1)
    padded = torch.arange(steps, device=states.device) < counts.unsqueeze(1)
    largest = states.masked_fill(padded.unsqueeze(2), -torch.inf).max(dim=1).values
    return largest.masked_fill((counts == steps).unsqueeze(1), 0)
