"""Words that are replaced by the unknown word in training."""

import torch
from torch import nn

from seqclass.checks import check_rate, check_whole


class TokenDropout(nn.Module):
    """Replace words by the unknown word at random, each occurrence on its own (Iyyer et al., 2015, drop them).

    A model then learns what an unknown word means, of which the training texts may hold none, and to do without any
    single word. `Embedding`'s dropout drops all occurrences of a word instead.

    Args:
        rate: of the words that are replaced, from 0 to 1.
        unknown_id: the id that takes their place.

    Raises:
        ValueError: a value outside its range.
    """

    def __init__(self, rate: float, *, unknown_id: int = 2) -> None:
        super().__init__()
        self.rate = check_rate("rate", rate)
        check_whole("unknown_id", unknown_id, least=1)
        self.unknown_id = unknown_id

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return ids of the same shape; padding, 0, stays."""
        if not self.training or self.rate == 0:
            return ids
        replaced = (torch.rand(ids.shape, device=ids.device) < self.rate) & (ids != 0)
        return ids.masked_fill(replaced, self.unknown_id)

    def extra_repr(self) -> str:
        return f"{self.rate}, unknown_id={self.unknown_id}"
