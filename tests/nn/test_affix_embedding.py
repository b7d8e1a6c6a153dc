import pytest
import torch
from support.gradients import with_gradients

from seqclass.nn import AffixEmbedding, Embedding


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = AffixEmbedding(6, 3, buckets=9).double()
    layer.affixes[4, :2] = torch.tensor([1, 8], dtype=torch.int32)
    layer.affixes[5, :1] = torch.tensor([8], dtype=torch.int32)
    return layer


def test_adds_the_mean_of_the_affixes(layer):
    found = layer(torch.tensor([[0, 4], [5, 4]]))
    own, shared = layer.weight, layer.affix_weight
    torch.testing.assert_close(found[0, 0], own[0])
    torch.testing.assert_close(found[0, 1], own[4] + (shared[1] + shared[8]) / 2)
    torch.testing.assert_close(found[1, 0], own[5] + shared[8])
    assert torch.equal(found[1, 1], found[0, 1])


def test_gradients(layer):
    layer(torch.tensor([[0, 4, 4], [5, 4, 1]])).sum().backward()
    assert layer.weight.grad[:, 0].tolist() == [1, 1, 0, 0, 3, 1]
    # Three times a half of row 1; of row 8 the same, and once all of it. Row 0 is none's, and stays zero.
    assert layer.affix_weight.grad[:, 0].tolist() == [0, 1.5, 0, 0, 0, 0, 0, 0, 2.5]
    assert not layer.affix_weight[0].any()


def test_gradients_are_those_of_the_formula(layer):
    numbers = torch.Generator().manual_seed(0)
    ids = torch.randint(6, (5, 7), generator=numbers)
    factors = torch.randn(5, 7, 3, generator=numbers, dtype=torch.float64)
    own, shared = layer.weight, layer.affix_weight

    def of_word(row):
        affixes = layer.affixes[row][layer.affixes[row] != 0].long()
        return own[row] + shared[affixes].sum(dim=0) / max(1, len(affixes))

    expected = torch.stack([torch.stack([of_word(row) for row in text]) for text in ids])
    torch.testing.assert_close(
        with_gradients(layer(ids) * factors, own, shared), with_gradients(expected * factors, own, shared)
    )


def test_without_affixes_it_is_an_embedding():
    layer, plain = AffixEmbedding(6, 3, buckets=9), Embedding(6, 3)
    plain.load_state_dict(layer.words.state_dict())
    ids = torch.tensor([[0, 1, 5]])
    assert torch.equal(layer(ids), plain(ids))
    assert (layer.num_embeddings, layer.embedding_dim) == (6, 3)


def test_the_affixes_are_part_of_its_state(layer):
    other = AffixEmbedding(6, 3, buckets=9).double()
    other.load_state_dict(layer.state_dict())
    ids = torch.tensor([[4, 5]])
    assert torch.equal(other(ids), layer(ids))


def test_wrong_sizes_and_ids(layer):
    with pytest.raises(ValueError, match="buckets - 1 is 0; allowed are whole numbers from 1 on"):
        AffixEmbedding(6, 3, buckets=1)
    with pytest.raises(IndexError, match=r"ids\[0, 1\] is 6; allowed are 0 to 5"):
        layer(torch.tensor([[0, 6]]))
    with pytest.raises(ValueError, match=r"ids is \(3,\) torch.int64 on cpu; allowed is \(batch, steps\)"):
        layer(torch.tensor([0, 1, 2]))


def test_a_batch_without_texts_or_words(layer):
    for shape in ((0, 4), (2, 0)):
        found = layer(torch.zeros(shape, dtype=torch.int64))
        assert found.shape == (*shape, 3)
        found.sum().backward()


def test_initial_values():
    torch.manual_seed(0)
    layer = AffixEmbedding(2000, 50, buckets=2000, deviation=0.3)
    for table in (layer.weight, layer.affix_weight[1:]):
        assert table.std().item() == pytest.approx(0.3, rel=0.02)  # 100,000 numbers
