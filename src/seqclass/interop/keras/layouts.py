"""The arrays of a layer in Keras' layouts and in those of a `Stack`, both ways.

An LSTM's gates stand in the order i, f, c, o in Keras 2 and 3, as i, f, g, o here; Keras 1 has twelve arrays, W, U and
b of i, c, f and o in turn. A GRU's are z, r, h in Keras 3, and r, z, n here. A convolution's kernel is (length, in,
out) in Keras 2 and 3, and (length, 1, in, out) in Keras 1, where Theano moreover has it reversed along its length.
"""

from collections.abc import Sequence

import numpy as np

from seqclass.interop.keras.model import Array

KERAS1_GATES = ("i", "c", "f", "o")
# Keras 1's i, c, f, o in the order i, f, c, o, which is its own inverse.
_SWAP = (0, 2, 1, 3)


def lstm_to_stack(arrays: Sequence[Array], keras: int) -> dict[str, Array]:
    """Return the state of `nn.LSTM` from twelve arrays (Keras 1) or three."""
    if keras == 1:
        gates = [arrays[3 * gate : 3 * gate + 3] for gate in _SWAP]
        kernel, recurrent_kernel, bias = (np.concatenate(parts, axis=-1) for parts in zip(*gates, strict=True))
    else:
        kernel, recurrent_kernel, bias = arrays
    return {"recurrent.weight_ih": kernel.T, "recurrent.weight_hh": recurrent_kernel.T, "recurrent.bias": bias}


def lstm_to_keras(state: dict[str, Array], keras: int) -> list[Array]:
    """Twelve arrays (Keras 1) or three, from the state of one `nn.LSTM`."""
    arrays = [state["weight_ih"].T, state["weight_hh"].T, state["bias"]]
    if keras != 1:
        return arrays
    parts = [np.split(array, 4, axis=-1) for array in arrays]
    return [part[gate] for gate in _SWAP for part in parts]


def gru_to_keras(state: dict[str, Array]) -> list[Array]:
    """Return the three arrays of Keras 3's GRU from the state of one `nn.GRU`; the rows of its bias are both biases."""

    def reordered(array: Array) -> Array:
        r, z, n = np.split(array, 3, axis=-1)
        return np.concatenate([z, r, n], axis=-1)

    bias = np.stack([state["bias_ih"], state["bias_hh"]])
    return [reordered(array) for array in (state["weight_ih"].T, state["weight_hh"].T, bias)]


def convolution_to_stack(arrays: Sequence[Array], keras: int, *, flipped: bool) -> dict[str, Array]:
    """Return the state of the convolution; `flipped` for a kernel that Theano used."""
    kernel, bias = arrays
    if keras == 1:
        kernel = kernel[:, 0]
    return {"convolution.weight": (kernel[::-1] if flipped else kernel).transpose(2, 1, 0), "convolution.bias": bias}


def convolution_to_keras(state: dict[str, Array], keras: int, *, flipped: bool) -> list[Array]:
    """Return the inverse of `convolution_to_stack`."""
    kernel = state["convolution.weight"].transpose(2, 1, 0)
    if flipped:
        kernel = kernel[::-1]
    return [kernel[:, None] if keras == 1 else kernel, state["convolution.bias"]]
