import pytest
import torch

from seqclass.nn.feature_tables import BinaryFeatures, PartFeatures, gather_bags

TEXTS, WORDS, PARTS = 40, 12, 9


@pytest.fixture
def drawn():
    """Random texts of words and words of parts: as tables, and as the dense matrices of ones and zeros."""
    draw = torch.Generator().manual_seed(0)
    has = torch.rand(TEXTS, WORDS, generator=draw) < 0.3
    has[0] = False
    made_of = torch.rand(WORDS, PARTS, generator=draw) < 0.4
    made_of[:, 0] = True
    words = BinaryFeatures(has.nonzero()[:, 1], has.sum(dim=1))
    parts = PartFeatures(words, made_of.nonzero()[:, 1], made_of.sum(dim=1))
    return words, parts, has.float(), made_of.float()


@pytest.mark.parametrize("which", ["words", "parts"])
def test_products_with_the_matrix_and_its_transpose(drawn, which):
    words, parts, has, made_of = drawn
    table, matrix = (words, has) if which == "words" else (parts, has @ made_of)
    assert table.number == matrix.shape[1]
    draw = torch.Generator().manual_seed(1)
    weight, numbers = torch.rand(table.number, 3, generator=draw), torch.rand(TEXTS, 3, generator=draw)
    torch.testing.assert_close(table.of_texts(weight), matrix @ weight)
    torch.testing.assert_close(table.of_features(numbers), matrix.T @ numbers)
    expected = (matrix.unsqueeze(2) * weight).square().sum(dim=1).mean()
    assert table.mean_square_length(weight) == pytest.approx(float(expected), rel=1e-5)


def test_a_length_that_is_estimated_from_some_texts(drawn, monkeypatch):
    _, parts, has, made_of = drawn
    monkeypatch.setattr("seqclass.nn.feature_tables._SAMPLE", 10)
    expected = (has @ made_of)[::4].square().sum(dim=1).mean()
    assert parts.mean_square_length(torch.ones(PARTS, 1)) == pytest.approx(float(expected), rel=1e-5)


def test_features_of_few_texts_are_left_out():
    table = BinaryFeatures(torch.tensor([3, 5, 3, 8, 5]), torch.tensor([2, 0, 3]), min_texts=2)
    assert table.names.tolist() == [3, 5]
    assert table.of_texts(torch.tensor([[1.0], [10.0]])).squeeze(1).tolist() == [11, 0, 11]


def test_bags_are_gathered_in_the_order_that_is_asked_for():
    values, offsets = torch.tensor([7, 8, 9, 5]), torch.tensor([0, 2, 2, 3, 4])
    found, sizes = gather_bags(values, offsets, torch.tensor([3, 0, 1, 0]))
    assert found.tolist() == [5, 7, 8, 7, 8]
    assert sizes.tolist() == [1, 2, 0, 2]
