"""The arrays of a layer in Keras' layouts and in those of `seqclass.nn`, both ways.

An LSTM's gates are in the order i, f, c, o in Keras 2 and 3, and i, f, g, o here; Keras 1 has twelve arrays: W, U and
b of i, c, f and o in turn. A GRU's are z, r, h in Keras, and r, z, n here. A convolution's kernel is (length, in, out)
in Keras 2 and 3, and (length, 1, in, out) in Keras 1, where Theano moreover has it reversed along its length. The CuDNN
layers of Keras 2 keep their kernels transposed within the same memory, and two biases one behind the other.
"""

from collections.abc import Sequence

import numpy as np

from seqclass.interop.keras.model import Array

KERAS1_GATES = ("i", "c", "f", "o")
# Keras 1's i, c, f, o in the order i, f, c, o, which is its own inverse.
_SWAP = (0, 2, 1, 3)


def recurrent_from_keras(cell: str, arrays: Sequence[Array], *, keras: int, cudnn: bool = False) -> dict[str, Array]:
    """Return the state of one recurrent layer.

    Args:
        cell: `lstm`, `gru`, `gru_reset_before` or `simple`.
        arrays: as the file has them: kernel, recurrent kernel, and a bias or none; in Keras 1 three for each gate.
        keras: the major version.
        cudnn: whether a CuDNN layer wrote them.

    Returns:
        `weight_ih`, `weight_hh` and `bias`, for a `gru` `bias_ih` and `bias_hh`. A bias that the file lacks is zero.
    """
    gates = {"lstm": 4, "simple": 1}.get(cell, 3)
    if keras == 1:
        arrays = _joined(arrays, _SWAP if cell == "lstm" else tuple(range(gates)))
    kernel, recurrent_kernel = arrays[:2]
    units = recurrent_kernel.shape[0]
    bias = arrays[2] if len(arrays) > 2 else np.zeros(gates * units, np.float32)
    if cudnn:
        kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in np.hsplit(kernel, gates)])
        recurrent_kernel = np.hstack([part.T for part in np.hsplit(recurrent_kernel, gates)])
        bias = bias.reshape(2, gates * units)
    parts = {"weight_ih": kernel.T, "weight_hh": recurrent_kernel.T}
    if cell == "gru":
        both = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
        parts |= {"bias_ih": both[0], "bias_hh": both[1]}
    else:
        parts["bias"] = bias.sum(axis=0) if bias.ndim == 2 else bias
    return {name: _reordered(array, cell) for name, array in parts.items()}


def recurrent_to_keras(cell: str, state: dict[str, Array], *, bias: bool) -> list[Array]:
    """Invert it, for Keras 2 and 3: two arrays, or three."""
    state = {name: _reordered(array, cell) for name, array in state.items()}
    arrays = [state["weight_ih"].T, state["weight_hh"].T]
    if bias:
        arrays.append(np.stack([state["bias_ih"], state["bias_hh"]]) if cell == "gru" else state["bias"])
    return arrays


def lstm_to_keras1(state: dict[str, Array]) -> list[Array]:
    """Twelve arrays, from the state of one `nn.LSTM`."""
    parts = [np.split(array, 4, axis=-1) for array in (state["weight_ih"].T, state["weight_hh"].T, state["bias"])]
    return [part[gate] for gate in _SWAP for part in parts]


def convolution_from_keras(kernel: Array, *, flipped: bool) -> Array:
    """Return the weight of a convolution; `flipped` for a kernel that Theano used."""
    if kernel.ndim == 4:
        kernel = kernel[:, 0]
    return (kernel[::-1] if flipped else kernel).transpose(2, 1, 0)


def convolution_to_keras(weight: Array, *, keras: int, flipped: bool = False) -> Array:
    """Invert it."""
    kernel = weight.transpose(2, 1, 0)
    if flipped:
        kernel = kernel[::-1]
    return kernel[:, None] if keras == 1 else kernel


def _joined(arrays: Sequence[Array], order: Sequence[int]) -> list[Array]:
    """Kernel, recurrent kernel and bias, from the three of each gate."""
    gates = [arrays[3 * gate : 3 * gate + 3] for gate in order]
    return [np.concatenate(parts, axis=-1) for parts in zip(*gates, strict=True)]


def _reordered(array: Array, cell: str) -> Array:
    """Put a GRU's z, r, h as r, z, n, which is its own inverse."""
    if not cell.startswith("gru"):
        return array
    z, r, n = np.split(array, 3, axis=0)
    return np.concatenate([r, z, n], axis=0)
