"""Vectors from co-occurrences, against counts made word by word and numpy's dense decomposition."""

import math

import numpy as np
import pytest
import torch

from seqclass.errors import InputError
from seqclass.nn import pmi_vectors as module
from seqclass.nn.pmi_vectors import pmi_vectors

WINDOW = 3
SMOOTHING = 0.75
VOCABULARY = 12
FIRST_WORD = 2


@pytest.fixture(scope="module")
def corpus():
    """40 texts of 0 to 14 ids, with two ids that are no words."""
    generator = np.random.default_rng(3)
    texts = [generator.integers(0, VOCABULARY, length) for length in generator.integers(0, 15, 40)]
    return np.concatenate(texts), np.cumsum([0, *map(len, texts)]), texts


def dense_ppmi(texts):
    counts = np.zeros((VOCABULARY, VOCABULARY))
    for text in texts:
        for i, a in enumerate(text):
            for j, b in enumerate(text):
                if 0 < abs(i - j) <= WINDOW and min(a, b) >= FIRST_WORD:
                    counts[a, b] += 1 / abs(i - j)
    sums = counts.sum(axis=1)
    shares = np.where(sums > 0, sums**SMOOTHING, 0)
    shares /= shares.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(counts / (sums[:, None] * shares))
    return np.where(counts > 0, np.maximum(information, 0), 0)


def vectors_of(ids, offsets, **options):
    values = {"num_embeddings": VOCABULARY, "embedding_dim": 4, "first_word": FIRST_WORD, "window": WINDOW}
    return pmi_vectors(ids, offsets, **{**values, **options})


@pytest.mark.parametrize("block", [7, 1 << 23])
def test_equals_numpys_decomposition_of_the_counted_pairs(corpus, monkeypatch, block):
    monkeypatch.setattr(module, "_BLOCK", block)
    ids, offsets, texts = corpus
    left, values, _ = np.linalg.svd(dense_ppmi(texts))
    expected = left[:, :4] * np.sqrt(values[:4])
    expected *= 0.3 * math.sqrt(4) / np.linalg.norm(expected, axis=1)[FIRST_WORD:].mean()
    vectors = vectors_of(ids, offsets).numpy().astype(np.float64)
    # A singular vector's sign is free, so inner products are compared. The random subspace is the whole space here.
    np.testing.assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-5)


def test_words_of_the_same_contexts_are_close():
    generator = np.random.default_rng(0)
    # 4 and 5 are followed by 2, 6 and 7 by 3.
    ids = np.concatenate([[word, 2 + (word > 5)] for word in generator.integers(4, 8, 2000)])
    vectors = vectors_of(ids, np.arange(0, 4001, 2), window=1, embedding_dim=3)
    similarity = torch.nn.functional.cosine_similarity
    assert similarity(vectors[4], vectors[5], dim=0) > 0.99
    assert abs(similarity(vectors[4], vectors[6], dim=0)) < 0.05


def test_ids_below_the_first_word_get_zeros(corpus):
    ids, offsets, _ = corpus
    vectors = vectors_of(ids, offsets)
    assert vectors.dtype == torch.float32
    assert vectors[:FIRST_WORD].abs().max() < 1e-6
    assert vectors[FIRST_WORD:].norm(dim=1).min() > 0.01


def test_average_length_follows_scale(corpus):
    ids, offsets, _ = corpus
    norms = vectors_of(ids, offsets, scale=2.0).norm(dim=1)[FIRST_WORD:]
    assert norms.mean().item() == pytest.approx(2.0 * math.sqrt(4), rel=1e-5)


def test_the_same_seed_gives_the_same_vectors(corpus):
    ids, offsets, _ = corpus
    assert torch.equal(vectors_of(ids, offsets, seed=5), vectors_of(ids, offsets, seed=5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 0}, "window is 0"),
        ({"embedding_dim": 0}, "embedding_dim is 0"),
        ({"embedding_dim": 13}, "embedding_dim=13 is too large: it must be at most num_embeddings=12"),
        ({"smoothing": 1.5}, "smoothing is 1.5"),
        ({"scale": 0.0}, "scale=0.0 must be above 0"),
        ({"scale": math.inf}, "scale=inf must be above 0"),
        ({"num_embeddings": 11}, "ids from 0 to 11: they must be from 0 to num_embeddings - 1 = 10"),
        ({"first_word": 12}, "no two words, of id 12 or more"),
    ],
)
def test_wrong_options_are_named(corpus, options, message):
    ids, offsets, _ = corpus
    with pytest.raises(InputError, match=message):
        vectors_of(ids, offsets, **options)


@pytest.mark.parametrize("offsets", [[0, 2], [1, 3], [0, 4, 3], []])
def test_offsets_must_fit_the_ids(offsets):
    with pytest.raises(InputError, match="offsets must ascend from 0 to the number of ids, 3"):
        vectors_of(np.array([2, 3, 4]), np.array(offsets, dtype=np.int64))


def test_no_texts_at_all_is_an_error():
    with pytest.raises(InputError, match="no two words"):
        vectors_of(np.array([], dtype=np.int64), np.array([0]))
