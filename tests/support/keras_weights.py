"""The weights of a Keras model, as lists of arrays, under the names and in the layout of a `Stack`.

Written from Keras' sources and independent of the package's own import, so that the two can be held against each other.
"""

from collections.abc import Sequence

import numpy as np
import torch

Arrays = Sequence[np.ndarray]


def stack_state_dict(arrays: Arrays, *, keras: int, convolution: bool) -> dict[str, torch.Tensor]:
    """Sort the arrays of `model.get_weights()` of one of the four stacks.

    Args:
        arrays: embedding, then the convolution's two if there is one, the LSTM's, the dense layer's two.
        keras: the version that made them, 1 (on Theano) or 3.
        convolution: whether the stack is `cnn_lstm`.
    """
    rest = list(arrays)
    state = {"embedding.weight": rest.pop(0)}
    if convolution:
        state["convolution.weight"] = _convolution_kernel(rest.pop(0), keras=keras)
        state["convolution.bias"] = rest.pop(0)
    *lstm, dense_kernel, dense_bias = rest
    state |= _lstm_of_keras1(lstm) if keras == 1 else _lstm_of_keras3(lstm)
    state |= {"output.weight": dense_kernel.T, "output.bias": dense_bias}
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in state.items()}


def _convolution_kernel(kernel: np.ndarray, *, keras: int) -> np.ndarray:
    """(out, in, length), from (length, in, out), or in Keras 1 (length, 1, in, out).

    Theano's convolution is one in the mathematical sense, with its kernel flipped; TensorFlow's and PyTorch's is a
    correlation.
    """
    return (kernel[::-1, 0] if keras == 1 else kernel).transpose(2, 1, 0)


def _lstm_of_keras1(arrays: Arrays) -> dict[str, np.ndarray]:
    """Twelve arrays: W, U and b of the gates i, c, f and o."""
    i, c, f, o = (arrays[start : start + 3] for start in range(0, 12, 3))
    kernel, recurrent_kernel, bias = (np.concatenate(part, axis=-1) for part in zip(i, f, c, o, strict=True))
    return _lstm_of_keras3([kernel, recurrent_kernel, bias])


def _lstm_of_keras3(arrays: Arrays) -> dict[str, np.ndarray]:
    """Three arrays, with the gates i, f, c, o side by side."""
    kernel, recurrent_kernel, bias = arrays
    return {"recurrent.weight_ih": kernel.T, "recurrent.weight_hh": recurrent_kernel.T, "recurrent.bias": bias}
