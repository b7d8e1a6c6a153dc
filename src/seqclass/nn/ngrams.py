"""A linear layer over the word n-grams of a text, computed from its ids: no second vocabulary or pipeline."""

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_positive

# A prime below 2^31 and multipliers below it: products stay within int64, so multiply, add and remainder are all that
# is needed, and give the same on every device and in ONNX, whose shifts and exclusive ors know no signed integers.
_PRIME = 2**31 - 1
_NEXT_WORD = 1_540_483_477
_SPREAD = 1_103_515_245
_EACH_LENGTH = 668_265_263


class NGrams(nn.Module):
    """Adds up the weights of a text's distinct word n-grams: `bias + sum over g in text of weight[bucket(g)]`.

    All n-grams of 1 to `max_length` words count, each once however often it occurs (binary features: Wang and Manning,
    "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", 2012). An n-gram has no entry of its own:
    its ids are hashed into one of `buckets` rows ("the hashing trick": Weinberger et al., "Feature Hashing for Large
    Scale Multitask Learning", 2009), so n-grams that share a bucket share its weight and count once together.

    Id 0 is padding, wherever it is: an n-gram that holds it does not count, so neither the side nor the amount of
    padding changes the result, nor do the other texts of the batch. All other ids are words here. With a pipeline that
    puts a start mark before each text, "<start> what" is a bigram, so the layer knows what a text begins with; with one
    that replaces unknown words by a mark, the mark keeps the words beside them apart.

    The weights are zero at first and need no gradient: trained by gradient descent beside a recurrent network, a layer
    that can fit the training texts on its own would starve it. `fit_ngrams` finds them.

    Args:
        outputs: numbers for each text: one for two classes, else one for each class.
        max_length: words of the longest n-grams.
        buckets: rows of the table; the first belongs to no n-gram. With fewer than four times the distinct n-grams of
            the training texts, collisions cost accuracy.

    Attributes:
        weight: (buckets, outputs), zeros in row 0.
        bias: (outputs,).

    Raises:
        ValueError: a size below 1, fewer than 2 buckets, or more than 2^31 - 1.
    """

    def __init__(self, outputs: int, *, max_length: int = 3, buckets: int = 2**20) -> None:
        super().__init__()
        self.outputs = check_positive("outputs", outputs)
        self.max_length = check_positive("max_length", max_length)
        if not 2 <= buckets <= _PRIME:
            raise ValueError(f"buckets is {buckets!r}; allowed are 2 to {_PRIME}")
        self.buckets = buckets
        self.weight = nn.Parameter(torch.zeros(buckets, outputs), requires_grad=False)
        self.bias = nn.Parameter(torch.zeros(outputs), requires_grad=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch, outputs), in the weights' dtype.

        Raises:
            ValueError: ids of another shape or dtype.
        """
        # Row 0, which all the zeros take, is zero.
        return F.embedding(self.distinct(ids), self.weight).sum(dim=1) + self.bias

    def distinct(self, ids: torch.Tensor) -> torch.Tensor:
        """Find the buckets of each text's n-grams.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch, 1 + steps * max_length), int32: each bucket once, in ascending order, with zeros before and between.

        Raises:
            ValueError: ids of another shape or dtype.
        """
        if ids.dim() != 2 or ids.dtype not in (torch.int32, torch.int64):
            raise ValueError(
                f"ids is {tuple(ids.shape)} {ids.dtype}; allowed is (batch, steps) torch.int32 or torch.int64"
            )
        return distinct_in_rows(self._hashed(ids.long()).int())

    def rows_of(self, ids: torch.Tensor) -> torch.Tensor:
        """Find the rows of single words, (words,) int64, from their ids, (words,), which are not 0."""
        return self.distinct(ids.unsqueeze(1)).amax(dim=1).long()

    def _hashed(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the bucket of the n-gram that ends at each step, for each length; 0 where there is none.

        An n-gram's number is that of the one a word shorter, times a constant, plus the last id; modulo a prime.
        """
        number = ids
        whole = ids != 0
        buckets = [ids.new_zeros(ids.shape[0], 1)]  # so that there is one if there are no steps
        for length in range(1, self.max_length + 1):
            if length > 1:
                # One step to the right, where the next word is; padding comes in from the left.
                number = (_shifted(number) * _NEXT_WORD + ids) % _PRIME
                whole = _shifted(whole) & (ids != 0)
            spread = (number * _SPREAD + length * _EACH_LENGTH) % _PRIME % (self.buckets - 1) + 1
            buckets.append(spread.masked_fill(~whole, 0))
        return torch.cat(buckets, dim=1)

    def extra_repr(self) -> str:
        return f"{self.outputs}, max_length={self.max_length}, buckets={self.buckets}"


def distinct_in_rows(numbers: torch.Tensor) -> torch.Tensor:
    """Sort each row, (rows, n) of integers from 0 on, and replace repetitions by 0."""
    ordered = numbers.sort(dim=1).values
    return ordered.masked_fill(ordered == _shifted(ordered), 0)


def _shifted(steps: torch.Tensor) -> torch.Tensor:
    """Move all columns to the right: zeros come in from the left, and the last column is lost."""
    return F.pad(steps, (1, 0))[:, : steps.shape[1]]
