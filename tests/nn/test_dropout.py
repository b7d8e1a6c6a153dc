import pytest
import torch

from seqclass.nn import Dropout
from seqclass.nn.dropout import dropout_mask

COUNT = 200_000


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_two_outcomes_at_the_rate(rate, dtype):
    torch.manual_seed(0)
    mask = dropout_mask(rate, (COUNT,), torch.ones((), dtype=dtype))
    assert mask.dtype == dtype
    assert set(mask.unique().tolist()) == {0.0, torch.tensor(1 / (1 - rate), dtype=dtype).item()}
    # Four standard deviations of the mean of Bernoulli numbers.
    allowed = 4 * (rate * (1 - rate) / COUNT) ** 0.5
    assert (mask == 0).double().mean().item() == pytest.approx(rate, abs=allowed)


@pytest.mark.parametrize("shape", [(1,), (3,), (5, 7), (2, 3, 4), (0, 4)])
def test_any_shape(shape):
    assert dropout_mask(0.5, shape, torch.ones(())).shape == shape


def test_neighbours_are_independent():
    """Four numbers come from one random word: their agreement is that of chance."""
    torch.manual_seed(0)
    dropped = dropout_mask(0.5, (COUNT // 4, 4), torch.ones(())) == 0
    for first in range(4):
        for second in range(first):
            agreement = (dropped[:, first] == dropped[:, second]).double().mean().item()
            assert agreement == pytest.approx(0.5, abs=4 * 0.5 / (COUNT // 4) ** 0.5)


def test_a_seed_repeats_and_each_draw_is_another():
    def draw():
        return dropout_mask(0.5, (100,), torch.ones(()))

    torch.manual_seed(3)
    first, second = draw(), draw()
    torch.manual_seed(3)
    assert torch.equal(draw(), first)
    assert not torch.equal(first, second)


def test_the_rates_at_the_ends():
    assert torch.equal(dropout_mask(0.0, (9,), torch.ones(())), torch.ones(9))
    assert torch.equal(dropout_mask(1.0, (9,), torch.ones(())), torch.zeros(9))


def test_the_layer_drops_in_training_only():
    layer, inputs = Dropout(0.5), torch.ones(1000)
    assert layer.drops
    assert set(layer(inputs).unique().tolist()) == {0.0, 2.0}
    layer.eval()
    assert not layer.drops
    assert layer(inputs) is inputs
    assert Dropout(0.0)(inputs) is inputs


def test_the_gradient_passes_where_the_input_did():
    inputs = torch.ones(1000, requires_grad=True)
    outputs = Dropout(0.3)(inputs)
    outputs.sum().backward()
    assert torch.equal(inputs.grad, outputs.detach())


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_that_is_not_a_probability(rate):
    with pytest.raises(ValueError, match="allowed are probabilities from 0 to 1"):
        Dropout(rate)
