"""Pooling of the states after all steps into one vector per row."""

from typing import Literal, get_args

import torch
from torch import nn

from seqclass.checks import check_choice
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.tensor_checks import check_sequence

PoolingKind = Literal["mean", "max"]
POOLING_KINDS: tuple[PoolingKind, ...] = get_args(PoolingKind)


class GlobalPooling(nn.Module):
    """Take the mean or the maximum of each feature over the steps, leaving out padding in front.

    Without padding this equals Keras' `GlobalAveragePooling1D` and `GlobalMaxPooling1D`; with padding only the first of
    them agrees, and only if the padding is masked. A row that is all padding gives zeros.

    Args:
        kind: `mean` or `max`.

    Raises:
        ValueError: another kind.
    """

    def __init__(self, kind: PoolingKind) -> None:
        super().__init__()
        check_choice("kind", kind, POOLING_KINDS)
        self.kind: PoolingKind = kind

    def forward(self, states: torch.Tensor, padding: LeadingPadding | None = None) -> torch.Tensor:
        """(batch, steps, features) -> (batch, features).

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
            words = (torch.arange(steps, device=states.device) >= counts.unsqueeze(1)).to(states.dtype)
            return torch.bmm(words.unsqueeze(1), states).squeeze(1) / (steps - counts).clamp(min=1).unsqueeze(1)
        if steps == 0:
            return states.sum(dim=1)
        padded = torch.arange(steps, device=states.device) < counts.unsqueeze(1)
        largest = states.masked_fill(padded.unsqueeze(2), -torch.inf).max(dim=1).values
        return largest.masked_fill((counts == steps).unsqueeze(1), 0)

    def extra_repr(self) -> str:
        return self.kind
