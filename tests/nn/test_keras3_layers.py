"""Layers beyond the four stacks against the real Keras 3.15: see `tests/golden/layers`."""

from pathlib import Path

import numpy as np
import pytest
import torch

from seqclass.nn import GRU, LSTM, Bidirectional, Convolution, GlobalPooling, LeadingPadding, Stacked
from seqclass.nn.shared_padding import count_leading

UNITS, DIM = 4, 3


class Arrays:
    """Keras' arrays of a model in their order, and what is made of them."""

    def __init__(self, arrays):
        self.left = [torch.from_numpy(array) for array in arrays]

    def take(self, number):
        taken, self.left = self.left[:number], self.left[number:]
        return taken

    def lstm(self, size=DIM, **options):
        """Keras' gates i, f, c, o are i, f, g, o here."""
        kernel, recurrent, bias = self.take(3)
        return loaded(LSTM(size, UNITS, **options), weight_ih=kernel.T, weight_hh=recurrent.T, bias=bias)

    def gru(self, size=DIM, **options):
        """Keras' gates z, r, h are r, z, n here; the rows of its bias are those of inputs and state."""
        kernel, recurrent, bias = (reordered(array) for array in self.take(3))
        weights = {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias[0], "bias_hh": bias[1]}
        return loaded(GRU(size, UNITS, **options), **weights)


def reordered(array):
    z, r, n = array.chunk(3, dim=-1)
    return torch.cat([r, z, n], dim=-1)


def loaded(layer, **weights):
    layer.load_state_dict({name: value.contiguous() for name, value in weights.items()})
    return layer


def both(make, size=DIM, **options):
    return Bidirectional(make(size, **options), make(size, **options))


EVERY = {"return_sequences": True}
LAYERS = {
    "gru": (lambda a, o: a.gru(**o), {}),
    "gru_every": (lambda a, o: a.gru(**o), EVERY),
    "gru_hard_sigmoid": (lambda a, o: a.gru(recurrent_activation="hard_sigmoid_keras3"), {}),
    "gru_mask": (lambda a, o: a.gru(**o), {}),
    "two_lstms": (lambda a, o: Stacked([a.lstm(**o), a.lstm(UNITS, **o)]), {}),
    "two_grus_mask": (lambda a, o: Stacked([a.gru(**o), a.gru(UNITS, **o)]), {}),
    "bidirectional_lstm_mask": (lambda a, o: both(a.lstm, **o), {}),
    "bidirectional_gru_mask": (lambda a, o: both(a.gru, **o), {}),
    "two_bidirectional_lstms_mask": (lambda a, o: Stacked([both(a.lstm, **o), both(a.lstm, 2 * UNITS, **o)]), {}),
    "bidirectional_lstm_every_unpadded": (lambda a, o: both(a.lstm, **o), EVERY),
    "mean_mask": (lambda a, o: a.lstm(**o), EVERY),
    "mean_unpadded": (lambda a, o: a.lstm(**o), EVERY),
    "max_unpadded": (lambda a, o: a.lstm(**o), EVERY),
}


def golden(name):
    with np.load(Path(__file__).parents[1] / "golden" / "layers" / "keras3_layers.npz") as values:
        arrays = [values[key] for key in sorted(values) if key.startswith(f"{name}/weights/")]
        ids, output = (torch.from_numpy(values[f"{name}/{key}"]) for key in ("x", "output"))
    return torch.from_numpy(arrays[0])[ids.long()], ids, Arrays(arrays[1:]), output


@pytest.mark.parametrize("kernel", ["auto", "reference"])
@pytest.mark.parametrize("name", LAYERS)
def test_returns_what_keras_3_does(name, kernel):
    embedded, ids, arrays, expected = golden(name)
    build, call = LAYERS[name]
    layer = build(arrays, {"kernel": kernel})
    assert not arrays.left
    padding = LeadingPadding(count_leading(ids), masked=name.endswith("_mask"))
    result = layer(embedded, padding, **call)
    if name.startswith(("mean", "max")):
        result = GlobalPooling(name.partition("_")[0])(result, padding)
    # Float32 on both sides: states below 1 after nine steps.
    torch.testing.assert_close(result.detach(), expected, rtol=0, atol=1e-6)
    assert expected.std() > 1e-2


def test_an_even_convolution_is_that_of_keras_3():
    embedded, _, arrays, expected = golden("even_convolution")
    kernel, bias = arrays.take(2)
    layer = loaded(Convolution(DIM, UNITS, 4), weight=kernel.permute(2, 1, 0), bias=bias)
    torch.testing.assert_close(layer(embedded).detach(), expected, rtol=0, atol=1e-6)
