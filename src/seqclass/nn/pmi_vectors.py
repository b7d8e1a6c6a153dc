"""Word vectors from the texts' own co-occurrences: factors of the pointwise mutual information (PMI).

They take seconds where skip-gram takes minutes: count, take logarithms, factorize. For a vocabulary of V words,

    C[a, b] = sum of 1 / distance over all places where a and b are at most `window` words apart in one text
    A[a, b] = max(0, log(C[a, b] / (C[a] q(b)))),  q(b) proportional to C[b]**smoothing

with C[a] the sum of a row. The vectors are U sqrt(S) of A's truncated singular value decomposition A = U S V'.

Levy, Goldberg and Dagan, "Improving distributional similarity with lessons learned from word embeddings" (2015):
`smoothing` and the root of S; Pennington, Socher and Manning, "GloVe" (2014): the weight 1 / distance. The
decomposition is randomized subspace iteration: Halko, Martinsson and Tropp, "Finding structure with randomness" (2011),
algorithms 4.4 and 5.1.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from seqclass.checks import check_positive, check_rate
from seqclass.errors import InputError

_OVERSAMPLING = 16
_POWER_ITERATIONS = 1
# Places of pairs counted at a time, each of which takes some 60 bytes meanwhile.
_BLOCK = 1 << 23


def pmi_vectors(
    ids: npt.NDArray[np.integer],
    offsets: npt.NDArray[np.integer],
    *,
    num_embeddings: int,
    embedding_dim: int,
    first_word: int = 0,
    window: int = 5,
    smoothing: float = 0.75,
    scale: float = 0.3,
    seed: int = 0,
) -> torch.Tensor:
    """Factorize the co-occurrences of a corpus.

    Args:
        ids: the words of all texts one after the other, shape (words,).
        offsets: where each text begins in `ids`, and where the last one ends, shape (texts + 1,).
        num_embeddings: ids in use, the V above.
        embedding_dim: numbers in a vector.
        first_word: smaller ids (padding, unknown words) are not words: they keep their place in a text, but have no
            co-occurrences.
        window: the farthest distance, in words.
        smoothing: exponent of a context's share.
        scale: root mean square of the numbers in a vector of average length.
        seed: of the decomposition's random start.

    Returns:
        float32, shape (num_embeddings, embedding_dim). Rows of words without a co-occurrence are 0.

    Raises:
        InputError: an option is outside its range, ids are outside 0 to `num_embeddings` - 1, offsets do not fit
            `ids`, or no two words occur together.
    """
    check_positive("window", window)
    check_positive("embedding_dim", embedding_dim)
    if embedding_dim > num_embeddings:
        raise InputError(
            f"embedding_dim={embedding_dim} is too large: it must be at most num_embeddings={num_embeddings}"
        )
    check_rate("smoothing", smoothing)
    if not (scale > 0.0 and math.isfinite(scale)):
        raise InputError(f"scale={scale!r} must be above 0")
    words = np.ascontiguousarray(ids, dtype=np.int64)
    texts = _text_numbers(offsets, len(words))
    if len(words) and not 0 <= (low := int(words.min())) <= (high := int(words.max())) < num_embeddings:
        raise InputError(f"ids from {low} to {high}: they must be from 0 to num_embeddings - 1 = {num_embeddings - 1}")
    counts = _cooccurrences(words, texts, num_embeddings, first_word, window)
    if not len(counts.values):
        raise InputError(f"the texts' {len(words):,} words hold no two words, of id {first_word} or more, side by side")
    matrix, transposed = _positive_pmi(counts, smoothing)
    vectors = torch.zeros(num_embeddings, embedding_dim)
    known = matrix.offsets.diff() > 0
    vectors[known] = _factorize(matrix, transposed, embedding_dim, seed)[known]  # the others hold rounding errors
    return vectors * (scale * math.sqrt(embedding_dim) / vectors[known].norm(dim=1).mean())


@dataclass(frozen=True)
class _SparseRows:
    """A sparse matrix, (V, V): row r has `values[offsets[r]:offsets[r + 1]]` in the columns of the same places."""

    columns: torch.Tensor
    offsets: torch.Tensor
    values: torch.Tensor

    @classmethod
    def of(cls, rows: torch.Tensor, columns: torch.Tensor, values: torch.Tensor, size: int) -> "_SparseRows":
        """Take rows in ascending order."""
        return cls(columns, F.pad(torch.bincount(rows, minlength=size).cumsum(0), (1, 0)), values)

    @property
    def rows(self) -> torch.Tensor:
        return torch.arange(len(self.offsets) - 1).repeat_interleave(self.offsets.diff())

    def __matmul__(self, dense: torch.Tensor) -> torch.Tensor:
        # PyTorch's product of a sparse matrix takes three times as long, and this one fifteen times as long without
        # `contiguous`: `qr` returns its result column by column.
        return F.embedding_bag(
            self.columns,
            dense.contiguous(),
            self.offsets,
            mode="sum",
            include_last_offset=True,
            per_sample_weights=self.values,
        )


def _text_numbers(offsets: npt.NDArray[np.integer], length: int) -> npt.NDArray[np.int64]:
    lengths = np.diff(offsets)
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != length or (lengths < 0).any():
        raise InputError(f"offsets must ascend from 0 to the number of ids, {length}; they are {np.asarray(offsets)}")
    return np.repeat(np.arange(len(lengths)), lengths)


def _cooccurrences(
    words: npt.NDArray[np.int64], texts: npt.NDArray[np.int64], num_embeddings: int, first_word: int, window: int
) -> _SparseRows:
    """Compute the symmetric counts C, (V, V).

    A pair is one number, its smaller id times V plus the larger one. NumPy sorts such numbers, and all is counted in a
    fifth of the time that `coalesce` of PyTorch's sparse matrices takes.
    """
    pairs, sums = np.empty(0, np.int64), np.empty(0, np.float32)
    for distance in range(1, window + 1):
        for start in range(0, len(words) - distance, _BLOCK):
            stop = min(start + _BLOCK, len(words) - distance)
            left, right = words[start:stop], words[start + distance : stop + distance]
            low = np.minimum(left, right)
            kept = (texts[start:stop] == texts[start + distance : stop + distance]) & (low >= first_word)
            found = low[kept] * num_embeddings + np.maximum(left, right)[kept]
            found.sort()
            found, counts = _summed(found, np.ones(len(found), np.float32))
            pairs, sums = np.concatenate([pairs, found]), np.concatenate([sums, counts / np.float32(distance)])
            order = pairs.argsort(kind="stable")  # which merges what is sorted already
            pairs, sums = _summed(pairs[order], sums[order])
    low, high = np.divmod(pairs, num_embeddings)
    sums[low == high] *= 2  # each of the two stands beside the other
    apart = low != high
    rows, columns = np.concatenate([low, high[apart]]), np.concatenate([high, low[apart]])
    values = torch.from_numpy(np.concatenate([sums, sums[apart]]))
    by_row = torch.from_numpy(rows.argsort(kind="stable"))
    rows_in_order, columns_in_order = torch.from_numpy(rows)[by_row], torch.from_numpy(columns)[by_row]
    return _SparseRows.of(rows_in_order, columns_in_order, values[by_row], num_embeddings)


def _summed(
    pairs: npt.NDArray[np.int64], numbers: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Sum the numbers of equal pairs, which are in ascending order."""
    starts = np.flatnonzero(np.diff(pairs, prepend=-1))
    return pairs[starts], np.add.reduceat(numbers, starts) if len(starts) else numbers


def _positive_pmi(counts: _SparseRows, smoothing: float) -> tuple[_SparseRows, _SparseRows]:
    """Compute A and its transpose, which are not quite the same with smoothing."""
    rows, columns, size = counts.rows, counts.columns, len(counts.offsets) - 1
    sums = torch.zeros(size).index_add_(0, rows, counts.values)
    shares = torch.where(sums > 0, sums**smoothing, 0)
    shares /= shares.sum()

    def positive(expected: torch.Tensor) -> _SparseRows:
        information = torch.log(counts.values / expected)
        kept = information > 0
        return _SparseRows.of(rows[kept], columns[kept], information[kept], size)

    return positive(sums[rows] * shares[columns]), positive(sums[columns] * shares[rows])


def _factorize(matrix: _SparseRows, transposed: _SparseRows, rank: int, seed: int) -> torch.Tensor:
    """U sqrt(S) of the largest `rank` singular values, (V, rank)."""
    size = len(matrix.offsets) - 1
    start = torch.randn(size, min(rank + _OVERSAMPLING, size), generator=torch.Generator().manual_seed(seed))
    basis, _ = torch.linalg.qr(matrix @ start)
    for _ in range(_POWER_ITERATIONS):
        basis, _ = torch.linalg.qr(transposed @ basis)
        basis, _ = torch.linalg.qr(matrix @ basis)
    left, values, _ = torch.linalg.svd((transposed @ basis).t(), full_matrices=False)
    return (basis @ left[:, :rank]) * values[:rank].sqrt()
