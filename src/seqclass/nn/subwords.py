"""Word vectors that words of one family share a part of."""

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_positive


class Subwords(nn.Module):
    """Adds to each word's vector the mean of the vectors of its parts, such as its beginnings and endings.

    Training hardly moves the own vector of a rare word, but it moves the parts that "charmingly" shares with "charming"
    and "charm" (Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017). Which parts a word has is
    a fixed table, so everything follows from the ids.

    Args:
        parts: (num_embeddings, most) int32, the rows of a word's parts, from 1 on; 0 is none.
        embedding_dim: size of a vector.
        buckets: rows of the table of parts; the first belongs to no part, and stays zero.
        deviation: standard deviation of the initial numbers, which are normal.

    Attributes:
        weight: (buckets, embedding_dim).
        parts: as given; part of the module's state.

    Raises:
        ValueError: a size below 1, another shape or dtype, or a part outside the table.
    """

    parts: torch.Tensor

    def __init__(self, parts: torch.Tensor, embedding_dim: int, *, buckets: int, deviation: float = 0.1) -> None:
        super().__init__()
        self.embedding_dim = check_positive("embedding_dim", embedding_dim)
        self.buckets = check_positive("buckets", buckets)
        self.deviation = deviation
        if parts.dim() != 2 or parts.dtype != torch.int32:
            raise ValueError(f"parts is {tuple(parts.shape)} {parts.dtype}; allowed is (words, parts) torch.int32")
        if parts.numel() and not 0 <= int(parts.min()) <= int(parts.max()) < buckets:
            raise ValueError(f"parts holds {int(parts.min())} to {int(parts.max())}; allowed are 0 to {buckets - 1}")
        self.register_buffer("parts", parts)
        self.weight = nn.Parameter(torch.empty(buckets, embedding_dim))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Redraw the initial values."""
        nn.init.normal_(self.weight, std=self.deviation)
        with torch.no_grad():
            self.weight[0] = 0

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute what is added to the words' own vectors.

        Args:
            ids: (batch, steps), int32 or int64, each from 0 to `num_embeddings` - 1.

        Returns:
            (batch, steps, embedding_dim), in the weights' dtype; zeros for a word without parts.
        """
        return self._mean_of_parts(self.parts[ids.flatten().long()]).view(*ids.shape, self.embedding_dim)

    def vectors(self) -> torch.Tensor:
        """Compute what is added to each row of the words' table, (num_embeddings, embedding_dim).

        The sum of both tables does the same as a plain embedding: for formats that know nothing else.
        """
        return self._mean_of_parts(self.parts)

    def _mean_of_parts(self, parts: torch.Tensor) -> torch.Tensor:
        total = F.embedding_bag(parts, self.weight, mode="sum", padding_idx=0)
        return total / (parts != 0).sum(dim=1, keepdim=True).clamp(min=1)

    def extra_repr(self) -> str:
        return f"{len(self.parts)}, {self.embedding_dim}, buckets={self.buckets}"
