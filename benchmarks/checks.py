"""Before anything is timed: does an implementation compute what it should?

Every network gets the same weights and the same reviews, and its predictions are held against a float64
forward pass written here in NumPy, which none of them has had a part in. Two that agree with it agree with
each other.

Weights travel in a neutral layout, an ``.npz`` of these arrays in this order (Keras' own):

    embedding       (num_embeddings, embedding_dim)
    conv_kernel     (kernel_size, embedding_dim, filters)      ``cnn_lstm`` only, and
    conv_bias       (filters,)                                 likewise
    lstm_kernel     (inputs, 4 hidden)                         gates i, f, c, o
    lstm_recurrent  (hidden, 4 hidden)
    lstm_bias       (4 hidden,)
    dense_kernel    (hidden, 1)
    dense_bias      (1,)
"""

from __future__ import annotations

import numpy as np

from benchmarks.notebook import FILTERS, KERNEL_SIZE, parameter_count

TOLERANCE = 1e-5
"""Largest allowed difference of a predicted probability: float32 over 500 steps stays below 2e-6 here."""


class CheckError(Exception):
    """An implementation is not the model it should be; the message says in what."""


def neutral_weights(
    stack: str, *, num_embeddings: int, embedding_dim: int, hidden_size: int, seed: int = 0
) -> dict[str, np.ndarray]:
    """Random float32 weights in the neutral layout, so spread that reviews differ in their predictions."""
    generator = np.random.default_rng(seed)
    inputs = FILTERS if stack == "cnn_lstm" else embedding_dim

    def draw(*shape: int, scale: float) -> np.ndarray:
        return generator.normal(0.0, scale, shape).astype(np.float32)

    weights = {"embedding": draw(num_embeddings, embedding_dim, scale=0.5)}
    if stack == "cnn_lstm":
        fan_in = KERNEL_SIZE * embedding_dim
        weights["conv_kernel"] = draw(KERNEL_SIZE, embedding_dim, FILTERS, scale=fan_in**-0.5)
        weights["conv_bias"] = draw(FILTERS, scale=0.1)
    weights["lstm_kernel"] = draw(inputs, 4 * hidden_size, scale=inputs**-0.5)
    weights["lstm_recurrent"] = draw(hidden_size, 4 * hidden_size, scale=hidden_size**-0.5)
    weights["lstm_bias"] = draw(4 * hidden_size, scale=0.5)
    weights["dense_kernel"] = draw(hidden_size, 1, scale=3 * hidden_size**-0.5)
    weights["dense_bias"] = draw(1, scale=0.1)
    return weights


def predict(weights: dict[str, np.ndarray], ids: np.ndarray) -> np.ndarray:
    """The probabilities, (reviews,) float64, of a stack with these weights, for ids (reviews, steps)."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    values = w["embedding"][ids]
    if "conv_kernel" in w:
        values = _pool(np.maximum(_convolve(values, w["conv_kernel"]) + w["conv_bias"], 0))
    hidden = cell = np.zeros((len(ids), len(w["lstm_recurrent"])))
    for step in range(values.shape[1]):
        gates = values[:, step] @ w["lstm_kernel"] + hidden @ w["lstm_recurrent"] + w["lstm_bias"]
        i, f, c, o = np.split(gates, 4, axis=1)
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(c)
        hidden = _sigmoid(o) * np.tanh(cell)
    return _sigmoid(hidden @ w["dense_kernel"] + w["dense_bias"])[:, 0]


def check_parameters(implementation: str, stack: str, found: int, sizes: dict[str, int]) -> None:
    """Raise `CheckError` unless a model has as many trained values as it should.

    `nn.LSTM` has a second bias, which ``torch-naive`` is allowed: four times hidden_size values more.
    """
    expected = parameter_count(stack, **sizes)
    if implementation.partition(":")[0] == "torch-naive":
        expected += 4 * sizes["hidden_size"]
    if found != expected:
        raise CheckError(f"{implementation} has {found:,} parameters for {stack}, should have {expected:,}")


def check_predictions(implementation: str, found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference of two predictions; `CheckError` if it is above `TOLERANCE` or not a number."""
    if found.shape != expected.shape:
        raise CheckError(f"{implementation} predicts shape {found.shape}, should be {expected.shape}")
    difference = float(np.abs(found.astype(np.float64) - expected).max())
    if not difference <= TOLERANCE:
        raise CheckError(
            f"{implementation} differs from the reference by up to {difference:.1e}, allowed is {TOLERANCE:.0e}"
        )
    return difference


def _convolve(values: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """A convolution over steps with zeros beyond both ends, so that the length stays ("same")."""
    before = (len(kernel) - 1) // 2
    padded = np.pad(values, ((0, 0), (before, len(kernel) - 1 - before), (0, 0)))
    steps = values.shape[1]
    return sum(padded[:, offset : offset + steps] @ kernel[offset] for offset in range(len(kernel)))


def _pool(values: np.ndarray) -> np.ndarray:
    """The larger of each two steps; an odd last step is dropped."""
    pairs = values.shape[1] // 2
    return values[:, : 2 * pairs].reshape(len(values), pairs, 2, -1).max(axis=2)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))
