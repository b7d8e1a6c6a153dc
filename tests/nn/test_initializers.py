import math

import pytest
import torch
from torch import nn

from seqclass.nn import GRU, INITIALIZERS, LSTM, Embedding
from seqclass.nn.initializers import initialize_conv1d, initialize_embedding, initialize_linear, initialize_lstm


def assert_uniform(values, limit):
    """Within the limit, near it on both sides, and flat: n draws miss the outer 5% with probability 0.95^n, and their
    mean and mean square lie within five standard deviations."""
    values = values.detach().flatten().double()
    count = values.numel()
    assert count >= 300
    assert -limit <= values.min() < -0.95 * limit
    assert 0.95 * limit < values.max() <= limit
    assert values.mean().abs() < 5 * limit / math.sqrt(3 * count)
    # U(a) has the mean square a^2 / 3, and its square the standard deviation sqrt(4 / 45) a^2.
    assert (values.square().mean() - limit**2 / 3).abs() < 5 * math.sqrt(4 / 45 / count) * limit**2


def lstm(initializer, *, input_size=32, hidden_size=100):
    torch.manual_seed(0)
    return LSTM(input_size, hidden_size, initializer=initializer)


def gru(initializer):
    torch.manual_seed(0)
    return GRU(32, 100, initializer=initializer)


def conv1d(initializer, **options):
    torch.manual_seed(0)
    layer = nn.Conv1d(32, 32, 3, padding="same", **options)
    initialize_conv1d(layer, initializer)
    return layer


def linear(initializer):
    torch.manual_seed(0)
    layer = nn.Linear(100, 40)
    initialize_linear(layer, initializer)
    return layer


@pytest.mark.parametrize("initializer", ["keras1", "keras"])
def test_embedding_of_keras(initializer):
    torch.manual_seed(0)
    assert_uniform(Embedding(1000, 8, initializer=initializer).weight, 0.05)


def test_embedding_of_torch_is_normal():
    torch.manual_seed(0)
    weight = Embedding(1000, 10, initializer="torch").weight
    # Five standard deviations of mean and variance of 10,000 normal numbers.
    assert abs(weight.mean().item()) < 5 / math.sqrt(10_000)
    assert abs(weight.var().item() - 1) < 5 * math.sqrt(2 / 10_000)
    assert weight.abs().max() > 3


@pytest.mark.parametrize(("initializer", "fan_out"), [("keras1", 100), ("keras", 400)])
def test_lstm_input_weights_are_glorot_uniform(initializer, fan_out):
    """One draw for each gate in Keras 1, one for all four later: the same distribution, with other fans."""
    for gate in lstm(initializer).weight_ih.chunk(4):
        assert_uniform(gate, math.sqrt(6 / (32 + fan_out)))


def test_lstm_recurrent_weights_of_keras1_are_orthogonal_by_gate_times_1_1():
    for gate in lstm("keras1").weight_hh.detach().double().chunk(4):
        # Float32 weights below 1.1: products of 100 terms, rounded at 6e-8 each.
        torch.testing.assert_close(gate @ gate.T, 1.21 * torch.eye(100, dtype=torch.float64), rtol=0, atol=1e-5)


def test_lstm_recurrent_weights_of_keras_are_orthogonal_at_once():
    """Keras' (H, 4H) has orthonormal rows; a gate alone has not."""
    weight = lstm("keras").weight_hh.detach().double()
    torch.testing.assert_close(weight.T @ weight, torch.eye(100, dtype=torch.float64), rtol=0, atol=1e-5)
    gate = weight[:100]
    assert (gate @ gate.T - torch.eye(100)).abs().max() > 0.1


@pytest.mark.parametrize("initializer", ["keras1", "keras"])
def test_the_forget_gate_begins_with_bias_one(initializer):
    assert torch.equal(lstm(initializer).bias, torch.tensor([0.0] * 100 + [1.0] * 100 + [0.0] * 200))


@pytest.mark.parametrize(("initializer", "fan_out"), [("keras1", 100), ("keras", 300)])
def test_gru_of_keras(initializer, fan_out):
    layer = gru(initializer)
    for gate in layer.weight_ih.chunk(3):
        assert_uniform(gate, math.sqrt(6 / (32 + fan_out)))
    weight = layer.weight_hh.detach().double()
    if initializer == "keras1":
        for gate in weight.chunk(3):
            torch.testing.assert_close(gate @ gate.T, 1.21 * torch.eye(100, dtype=torch.float64), rtol=0, atol=1e-5)
    else:
        torch.testing.assert_close(weight.T @ weight, torch.eye(100, dtype=torch.float64), rtol=0, atol=1e-5)
    assert not layer.bias_ih.any()
    assert not layer.bias_hh.any()


def test_gru_of_torch_is_torchs_own():
    ours = gru("torch")
    torch.manual_seed(0)
    for weight, expected in zip(ours.parameters(), nn.GRU(32, 100).parameters(), strict=True):
        assert torch.equal(weight, expected)


def test_lstm_of_torch():
    layer = lstm("torch")
    for weight in layer.parameters():
        assert_uniform(weight, 0.1)  # 1 / sqrt(100)


@pytest.mark.parametrize(
    ("initializer", "limit"),
    [
        ("keras1", math.sqrt(6 / (32 * 32 + 3 * 32 * 32))),  # 0.038: the fans that Keras 1's code computes
        ("keras", math.sqrt(6 / (3 * 32 + 3 * 32))),  # 0.177
        ("torch", 1 / math.sqrt(3 * 32)),
    ],
)
def test_conv1d(initializer, limit):
    layer = conv1d(initializer)
    assert_uniform(layer.weight, limit)
    assert layer.bias.any() == (initializer == "torch")
    assert conv1d(initializer, bias=False).bias is None


def test_the_limit_of_keras1s_convolution_is_0_038():
    assert 0.0380 < conv1d("keras1").weight.abs().max() < 0.0383


@pytest.mark.parametrize(
    ("initializer", "limit"),
    [("keras1", math.sqrt(6 / 140)), ("keras", math.sqrt(6 / 140)), ("torch", 1 / math.sqrt(100))],
)
def test_linear(initializer, limit):
    layer = linear(initializer)
    assert_uniform(layer.weight, limit)
    assert layer.bias.any() == (initializer == "torch")


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("build", [lstm, gru, conv1d, linear])
def test_a_seed_repeats(build, initializer):
    first, second = build(initializer).state_dict(), build(initializer).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("initializer", INITIALIZERS)
def test_drawing_anew_gives_other_values(initializer):
    layer = lstm(initializer)
    before = layer.weight_hh.detach().clone()
    layer.reset_parameters()
    assert not torch.equal(layer.weight_hh, before)
    assert all(weight.requires_grad and weight.grad_fn is None for weight in layer.parameters())


@pytest.mark.parametrize(
    "draw",
    [
        lambda name: initialize_embedding(torch.empty(2, 2), name),
        lambda name: initialize_lstm(torch.empty(8, 2), torch.empty(8, 2), torch.empty(8), name),
        lambda name: initialize_conv1d(nn.Conv1d(2, 2, 3), name),
        lambda name: initialize_linear(nn.Linear(2, 2), name),
    ],
)
def test_an_unknown_name_is_refused(draw):
    with pytest.raises(ValueError, match=r"^initializer is 'glorot'; allowed are 'keras1', 'keras', 'torch'$"):
        draw("glorot")
