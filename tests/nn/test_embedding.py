import pytest
import torch

from seqclass.nn import Embedding

WORDS = 40


def embedding(**options):
    torch.manual_seed(0)
    return Embedding(WORDS, 3, **options)


def all_words(batch=2):
    """Every id in every sample, in another order in each."""
    return torch.stack([torch.arange(WORDS).roll(shift) for shift in range(batch)])


def test_looks_rows_up():
    layer = embedding()
    ids = torch.tensor([[3, 0, 3], [WORDS - 1, 1, 2]])
    assert torch.equal(layer(ids), layer.weight[ids])
    assert torch.equal(layer(ids.int()), layer.weight[ids])


@pytest.mark.parametrize("dropout", [0.2, 0.5, 0.9])
def test_a_row_is_zero_or_scaled(dropout):
    layer = embedding(dropout=dropout)
    rows = layer(torch.arange(WORDS).unsqueeze(0))[0]
    kept = rows.any(dim=1)
    assert 0 < kept.sum() < WORDS
    # The very product: no rounding is allowed for.
    assert torch.equal(rows[kept], layer.weight[kept] * torch.tensor(1 / (1 - dropout)))
    assert torch.equal(rows[~kept], torch.zeros_like(rows[~kept]))


def test_a_dropped_word_is_gone_wherever_it_stands():
    layer = embedding(dropout=0.5)
    ids = all_words(batch=5)
    features = layer(ids)
    rows = torch.zeros(WORDS, 3)
    rows[ids[0]] = features[0]
    assert torch.equal(features, rows[ids])
    assert (rows == 0).all(dim=1).any()


def test_each_batch_drops_anew():
    layer = embedding(dropout=0.5)
    dropped = [tuple((layer(all_words(1))[0] == 0).all(dim=1).tolist()) for _ in range(3)]
    assert len(set(dropped)) == 3


def test_drops_at_its_rate():
    torch.manual_seed(0)
    layer = Embedding(20_000, 1, dropout=0.2)
    share = (layer(torch.arange(20_000).unsqueeze(0)) == 0).float().mean().item()
    # Four standard deviations of the mean of 20,000 Bernoulli numbers, sqrt(0.2 * 0.8 / 20,000) = 0.0028.
    assert share == pytest.approx(0.2, abs=4 * 0.0029)


def test_a_dropped_row_has_no_gradient_and_the_others_a_scaled_one():
    layer = embedding(dropout=0.5)
    ids = all_words(batch=3)
    features = layer(ids)
    features.sum().backward()
    kept = features[0, :, 0][ids[0].argsort()] != 0
    assert torch.equal(layer.weight.grad[~kept], torch.zeros(int((~kept).sum()), 3))
    assert torch.equal(layer.weight.grad[kept], torch.full((int(kept.sum()), 3), 3 * 2.0))


def test_off_in_evaluation_and_at_zero():
    for layer in (embedding(dropout=0.5).eval(), embedding(dropout=0.0)):
        assert torch.equal(layer(all_words()), layer.weight[all_words()])


def test_dropout_of_one_drops_all():
    layer = embedding(dropout=1)
    features = layer(all_words())
    assert torch.equal(features, torch.zeros(2, WORDS, 3))
    features.sum().backward()
    assert torch.equal(layer.weight.grad, torch.zeros(WORDS, 3))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.5}, r"dropout is 1\.5; allowed are probabilities from 0 to 1"),
        ({"dropout": -1}, "dropout is -1; allowed are probabilities from 0 to 1"),
        ({"num_embeddings": 0}, "num_embeddings is 0; allowed are whole numbers from 1 on"),
        ({"embedding_dim": -2}, "embedding_dim is -2; allowed are whole numbers from 1 on"),
        ({"initializer": "he"}, "initializer is 'he'; allowed are 'keras1', 'keras', 'torch'"),
    ],
)
def test_a_wrong_value_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Embedding(**{"num_embeddings": 4, "embedding_dim": 3, **options})


def test_repr_tells_the_dropout():
    assert repr(embedding(dropout=0.2)) == "Embedding(40, 3, dropout=0.2)"


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_gradient_is_that_of_pytorch(dtype):
    layer = embedding()
    ids = torch.randint(WORDS, (50, 60), dtype=dtype)  # each row of the table many times over
    weights = torch.randn(50, 60, 3)
    (layer(ids) * weights).sum().backward()
    expected = layer.weight.detach().clone().requires_grad_()
    (torch.nn.functional.embedding(ids, expected) * weights).sum().backward()
    assert torch.equal(layer.weight.grad, expected.grad)  # the same sums in the same order


def test_gradient_of_no_ids_is_zero():
    layer = embedding()
    layer(torch.zeros(2, 0, dtype=torch.int64)).sum().backward()
    assert torch.equal(layer.weight.grad, torch.zeros(WORDS, 3))
