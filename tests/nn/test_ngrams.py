from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclass.nn import NGrams

# So many buckets that the few n-grams of a test do not meet in one.
ROOMY = 2**20
TEXTS = st.lists(st.lists(st.integers(1, 6), max_size=9), min_size=1, max_size=4)


def padded(texts, *, front=0, behind=0):
    steps = max(map(len, texts))
    rows = [[0] * (front + steps - len(text)) + text + [0] * behind for text in texts]
    return torch.tensor(rows, dtype=torch.int64).view(len(texts), front + steps + behind)


def ngrams_of(text, max_length):
    return {tuple(text[i : i + n]) for n in range(1, max_length + 1) for i in range(len(text) - n + 1)}


@cache  # a million weights take time to draw
def random_layer(outputs=3, **options):
    layer = NGrams(outputs, **options)
    draw = torch.Generator().manual_seed(0)
    with torch.no_grad():
        layer.weight[1:] = torch.randn(layer.buckets - 1, outputs, generator=draw)
        layer.bias.copy_(torch.randn(outputs, generator=draw))
    return layer.double()


@cache
def ones(max_length):
    layer = NGrams(1, max_length=max_length, buckets=ROOMY)
    with torch.no_grad():
        layer.weight[1:] = 1
        layer.bias.fill_(-2)
    return layer


@settings(deadline=None)
@given(texts=TEXTS, max_length=st.integers(1, 4))
def test_each_distinct_ngram_counts_once(texts, max_length):
    layer = ones(max_length)
    expected = [len(ngrams_of(text, max_length)) for text in texts]
    assert (layer.distinct(padded(texts)) != 0).sum(dim=1).tolist() == expected
    assert layer(padded(texts)).squeeze(1).tolist() == [count - 2 for count in expected]


@settings(deadline=None)
@given(texts=TEXTS, max_length=st.integers(1, 4))
def test_a_sum_over_the_ngrams(texts, max_length):
    layer = random_layer(max_length=max_length, buckets=ROOMY)
    single = random_layer(max_length=1, buckets=ROOMY)
    rows = {}
    for ngram in set().union(*(ngrams_of(text, max_length) for text in texts)):
        # The n-gram's own bucket is the one that its text has and the texts of its shorter n-grams have not.
        shorter = [ngram[1:], ngram[:-1]] if len(ngram) > 1 else [()]
        (rows[ngram],) = _buckets(layer, ngram) - set().union(*(_buckets(layer, text) for text in shorter))
    expected = [
        layer.bias + sum((layer.weight[rows[ngram]] for ngram in ngrams_of(text, max_length)), torch.zeros(3))
        for text in texts
    ]
    # Float64: up to 30 numbers at the scale of 1.
    torch.testing.assert_close(layer(padded(texts)), torch.stack(expected), rtol=0, atol=1e-13)
    assert _buckets(single, (5,)) <= _buckets(layer, (5,))


def _buckets(layer, text):
    return set(layer.distinct(torch.tensor([text], dtype=torch.int64)).flatten().tolist()) - {0}


@settings(deadline=None)
@given(texts=TEXTS, front=st.integers(0, 4), behind=st.integers(0, 4), max_length=st.integers(1, 4))
def test_neither_padding_nor_neighbours_count(texts, front, behind, max_length):
    layer = random_layer(max_length=max_length, buckets=11)  # n-grams meet in their buckets
    alone = torch.cat([layer(torch.tensor([text], dtype=torch.int64)) for text in texts])
    torch.testing.assert_close(layer(padded(texts, front=front, behind=behind)), alone, rtol=0, atol=1e-13)


def test_padding_within_a_text_parts_its_words():
    layer = random_layer(buckets=ROOMY)
    assert _buckets(layer, (4, 0, 5)) == _buckets(layer, (4,)) | _buckets(layer, (5,))


def test_order_and_length_tell_ngrams_apart():
    layer = NGrams(1, max_length=3, buckets=ROOMY)
    assert len(_buckets(layer, (1, 2)) & _buckets(layer, (2, 1))) == 2
    # (3,), (3, 3) and (3, 3, 3).
    assert len(_buckets(layer, (3, 3, 3, 3))) == 3


def test_buckets_are_filled_evenly():
    buckets = 101
    layer = NGrams(1, max_length=1, buckets=buckets)
    draw = torch.Generator().manual_seed(0)
    words = torch.randperm(100_000, generator=draw)[:20_000] + 1
    found = layer.distinct(words.view(-1, 1))
    counts = torch.bincount(found[found != 0], minlength=buckets)
    assert counts.sum() == len(words)
    # 200 each are expected; 4.5 standard deviations of a binomial, for the largest of 100.
    assert ((counts[1:] - 200).abs() < 64).all()


@pytest.mark.parametrize("ids", [[2**31 - 1] * 4, [2**31 - 2, 1, 2**31 - 3, 2]])
def test_large_ids_do_not_overflow(ids):
    layer = NGrams(1, max_length=3, buckets=ROOMY)
    expected = set()
    for end in range(len(ids)):
        number = 0
        for length in range(1, min(end + 1, 3) + 1):
            # Horner's rule over the window, in Python's integers, which do not overflow.
            number = 0
            for word in ids[end - length + 1 : end + 1]:
                number = number * 1_540_483_477 + word
            spread = (number % (2**31 - 1) * 1_103_515_245 + length * 668_265_263) % (2**31 - 1)
            expected.add(spread % (ROOMY - 1) + 1)
    assert _buckets(layer, ids) == expected


@pytest.mark.parametrize("shape", [(2, 0), (0, 5), (0, 0)])
def test_no_words_and_no_texts(shape):
    layer = random_layer(buckets=11)
    result = layer(torch.zeros(shape, dtype=torch.int32))
    assert torch.equal(result, layer.bias.expand(shape[0], 3))


def test_it_is_not_trained_by_gradients():
    assert not any(parameter.requires_grad for parameter in NGrams(1, buckets=5).parameters())


def test_exported_with_both_sizes_free():
    layer = random_layer(buckets=ROOMY)
    sizes = ({0: torch.export.Dim("batch"), 1: torch.export.Dim("steps")},)
    exported = torch.export.export(layer, (padded([[1, 2, 3], [4]]),), dynamic_shapes=sizes).module()
    for texts in ([[5, 4, 5, 4, 5, 5, 1], [2], [3, 3]], [[1]]):
        torch.testing.assert_close(exported(padded(texts)), layer(padded(texts)), rtol=0, atol=0)


@pytest.mark.gpu
def test_the_same_buckets_on_a_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    layer = NGrams(1, buckets=ROOMY)
    ids = torch.randint(0, 50_000, (16, 80), generator=torch.Generator().manual_seed(0))
    assert torch.equal(layer.distinct(ids.cuda()).cpu(), layer.distinct(ids))


def test_wrong_sizes_are_named():
    with pytest.raises(ValueError, match=r"^outputs is 0; allowed are whole numbers from 1 on$"):
        NGrams(0)
    with pytest.raises(ValueError, match=r"^max_length is 0; "):
        NGrams(1, max_length=0)
    with pytest.raises(ValueError, match=r"^buckets is 1; allowed are 2 to 2147483647$"):
        NGrams(1, buckets=1)
    for ids in (torch.zeros(3, dtype=torch.int64), torch.zeros(2, 3)):
        with pytest.raises(ValueError, match=r"^ids is .*; allowed is \(batch, steps\) torch.int32 or torch.int64$"):
            NGrams(1, buckets=5)(ids)
    assert repr(NGrams(2, buckets=5)) == "NGrams(2, max_length=3, buckets=5)"
