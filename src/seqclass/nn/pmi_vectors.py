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

import numpy as np
import numpy.typing as npt
import torch

from seqclass.checks import check_positive, check_rate
from seqclass.errors import InputError

_OVERSAMPLING = 16
_POWER_ITERATIONS = 1
# Pairs counted at a time: 16 bytes each for their words and 4 for the weight, and as much again for sorting them.
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
    words = torch.from_numpy(np.ascontiguousarray(ids, dtype=np.int64))
    texts = _text_numbers(offsets, len(words))
    if len(words) and not 0 <= (low := int(words.min())) <= (high := int(words.max())) < num_embeddings:
        raise InputError(f"ids from {low} to {high}: they must be from 0 to num_embeddings - 1 = {num_embeddings - 1}")
    counts = _cooccurrences(words, texts, num_embeddings, first_word, window)
    if counts._nnz() == 0:
        raise InputError(f"the texts' {len(words):,} words hold no two words, of id {first_word} or more, side by side")
    matrix = _positive_pmi(counts, smoothing)
    vectors = torch.zeros(num_embeddings, embedding_dim)
    known = matrix.indices()[0].unique()
    vectors[known] = _factorize(matrix, embedding_dim, seed)[known]  # the other rows hold rounding errors
    return vectors * (scale * math.sqrt(embedding_dim) / vectors[known].norm(dim=1).mean())


def _text_numbers(offsets: npt.NDArray[np.integer], length: int) -> torch.Tensor:
    lengths = np.diff(offsets)
    if len(offsets) == 0 or offsets[0] != 0 or offsets[-1] != length or (lengths < 0).any():
        raise InputError(f"offsets must ascend from 0 to the number of ids, {length}; they are {np.asarray(offsets)}")
    return torch.from_numpy(np.repeat(np.arange(len(lengths)), lengths))


def _cooccurrences(
    words: torch.Tensor, texts: torch.Tensor, num_embeddings: int, first_word: int, window: int
) -> torch.Tensor:
    """Compute the symmetric counts C, coalesced, (V, V)."""
    total = torch.sparse_coo_tensor(
        torch.empty(2, 0, dtype=torch.int64),
        torch.empty(0),
        (num_embeddings, num_embeddings),
        is_coalesced=True,
        check_invariants=False,
    )
    for distance in range(1, window + 1):
        for start in range(0, len(words) - distance, _BLOCK):
            stop = min(start + _BLOCK, len(words) - distance)
            left, right = words[start:stop], words[start + distance : stop + distance]
            pairs = (
                (texts[start:stop] == texts[start + distance : stop + distance])
                & (left >= first_word)
                & (right >= first_word)
            )
            indices = torch.stack([left[pairs], right[pairs]])
            weights = torch.full((indices.shape[1],), 1.0 / distance)
            total = (
                total + torch.sparse_coo_tensor(indices, weights, total.shape, check_invariants=False).coalesce()
            ).coalesce()
    return (total + total.t()).coalesce()


def _positive_pmi(counts: torch.Tensor, smoothing: float) -> torch.Tensor:
    (rows, columns), values = counts.indices(), counts.values()
    sums = torch.zeros(counts.shape[0]).index_add_(0, rows, values)
    shares = torch.where(sums > 0, sums**smoothing, 0)
    shares /= shares.sum()
    information = torch.log(values / (sums[rows] * shares[columns]))
    positive = information > 0
    return torch.sparse_coo_tensor(
        torch.stack([rows[positive], columns[positive]]),
        information[positive],
        counts.shape,
        is_coalesced=True,
        check_invariants=False,
    )


def _factorize(matrix: torch.Tensor, rank: int, seed: int) -> torch.Tensor:
    """U sqrt(S) of the largest `rank` singular values, (V, rank). With smoothing the matrix is not quite symmetric."""
    size = matrix.shape[0]
    transposed = matrix.t().coalesce()
    start = torch.randn(size, min(rank + _OVERSAMPLING, size), generator=torch.Generator().manual_seed(seed))
    basis, _ = torch.linalg.qr(matrix @ start)
    for _ in range(_POWER_ITERATIONS):
        basis, _ = torch.linalg.qr(transposed @ basis)
        basis, _ = torch.linalg.qr(matrix @ basis)
    left, values, _ = torch.linalg.svd((transposed @ basis).t(), full_matrices=False)
    return (basis @ left[:, :rank]) * values[:rank].sqrt()
