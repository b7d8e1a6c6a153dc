"""Gradients in evaluation mode, as attribution methods want them.

cuDNN has a backward pass in training mode alone: its layers are told so whenever a gradient is wanted, and only then.
"""

import pytest
import torch

from seqclass.nn import GRU, LSTM


@pytest.fixture
def told_training(monkeypatch):
    """The argument `train` of each call of PyTorch's layers."""
    seen = []

    def recorded(layer):
        def record(*arguments):
            seen.append(arguments[6])
            return layer(*arguments)

        return record

    for name in ("lstm", "gru"):
        monkeypatch.setattr(torch, name, recorded(getattr(torch, name)))
    return seen


@pytest.mark.parametrize("cell", [LSTM, GRU])
def test_the_layer_trains_where_a_gradient_is_wanted(cell, told_training):
    layer = cell(3, 4, kernel="builtin").eval()
    inputs = torch.randn(2, 5, 3)
    with torch.no_grad():
        expected = layer(inputs)
    assert told_training == [False]
    words = inputs.clone().requires_grad_()
    result = layer(words)
    result.sum().backward()
    assert told_training == [False, True]
    torch.testing.assert_close(result, expected)
    assert words.grad.abs().min() > 0


@pytest.mark.parametrize("cell", [LSTM, GRU])
def test_frozen_weights_are_no_reason_against(cell, told_training):
    layer = cell(3, 4, kernel="builtin").eval().requires_grad_(False)
    words = torch.randn(2, 5, 3, requires_grad=True)
    layer(words).sum().backward()
    assert told_training == [True]
    assert words.grad is not None
    layer(words.detach())
    assert told_training == [True, False]
