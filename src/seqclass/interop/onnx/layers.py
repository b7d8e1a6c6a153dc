"""The layers of a `Stack` in ONNX's own operators. Sequences are (batch, steps, features), as in `seqclass.nn`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto
from torch import nn

from seqclass.interop.onnx.graph import Graph
from seqclass.nn import GRU, LSTM, Bidirectional, GlobalPooling, RecurrentLayer, Stacked
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES

# Where ONNX has our gates: an LSTM's i, f, g, o as i, o, f, c, and a GRU's r, z, n as z, r, h.
_LSTM_GATES = (0, 3, 1, 2)
_GRU_GATES = (1, 0, 2)


@dataclass(frozen=True)
class Words:
    """Which steps of a sequence are words, each a name in the graph.

    Attributes:
        first: whether each row's words come first, padding behind them; else padding is in front.
        counts: (batch,) int64: how many steps are words if they come first, else how many are padding.
    """

    first: bool
    counts: str


def array(parameter: Any) -> Any:
    """Return a parameter as ONNX takes it."""
    return parameter.detach().float().cpu().numpy()


def steps_of(graph: Graph, sequence: str) -> str:
    """How many steps a sequence has, a vector of one."""
    return graph.add("Shape", sequence, start=1, end=2)


def places(graph: Graph, sequence: str) -> str:
    """0, 1, 2 ... for the steps of a sequence, (steps,)."""
    zero, one = graph.integer(0), graph.integer(1)
    return graph.add("Range", zero, graph.add("Squeeze", steps_of(graph, sequence)), one)


def words_first(graph: Graph, ids: str) -> tuple[str, Words]:
    """For masked padding: put each row's words in front in their order, padding behind them."""
    word = graph.add("Not", graph.add("Equal", ids, graph.integer(0)))
    order, counts = words_in_front(graph, word)
    return graph.add("GatherElements", ids, order, axis=1), Words(True, counts)


def words_in_front(graph: Graph, mask: str) -> tuple[str, str]:
    """Return the order of steps that has those of a mask in front, (batch, steps), and how many those are, (batch,)."""
    zero, one = graph.integer(0), graph.integer(1)
    word = graph.add("Cast", mask, to=TensorProto.INT64)
    ones = graph.add("Add", graph.add("Mul", word, zero), one)
    place = graph.add("CumSum", ones, one)
    length = steps_of(graph, mask)
    # Keys that differ: words before padding, and among each the earlier first.
    keys = graph.add("Sub", graph.add("Mul", word, length), place)
    number = len(graph.nodes)
    outputs = (f"sorted_keys_{number}", f"order_{number}")
    order = graph.add("TopK", keys, length, outputs=outputs, axis=1)
    return order, graph.add("ReduceSum", word, graph.integers(1), keepdims=0)


def leading_padding(graph: Graph, ids: str, *, kernel_size: int, pool_size: int) -> Words:
    """For padding that is read: how many steps see nothing else, behind a convolution and a pooling of these sizes."""
    zero, one = graph.integer(0), graph.integer(1)
    word = graph.add("Cast", graph.add("Not", graph.add("Equal", ids, zero)), to=TensorProto.INT64)
    before = graph.add("Cast", graph.add("Equal", graph.add("CumSum", word, one), zero), to=TensorProto.INT64)
    counts = graph.add("ReduceSum", before, graph.integers(1), keepdims=0)
    size = graph.integer(pool_size)
    seen = graph.add("Max", graph.add("Sub", counts, graph.integer(kernel_size // 2)), zero)
    seen = graph.add("Div", seen, size)
    steps = steps_of(graph, ids)
    return Words(False, graph.add("Where", graph.add("Equal", counts, steps), graph.add("Div", steps, size), seen))


def convolve(graph: Graph, layers: Sequence[nn.Conv1d], sequence: str, pool_size: int | None) -> str:
    """Convolutions side by side with their ReLU, and a max pooling."""
    image = graph.add("Transpose", sequence, perm=[0, 2, 1])
    results = []
    for layer in layers:
        weights = graph.constant(array(layer.weight)), graph.constant(array(layer.bias))
        results.append(graph.add("Relu", graph.add("Conv", image, *weights, auto_pad="SAME_UPPER")))
    image = results[0] if len(results) == 1 else graph.add("Concat", *results, axis=1)
    if pool_size is not None:
        image = graph.add("MaxPool", image, kernel_shape=[pool_size], strides=[pool_size])
    return graph.add("Transpose", image, perm=[0, 2, 1])


def recur(graph: Graph, layer: RecurrentLayer, sequence: str, words: Words | None, *, return_sequences: bool) -> str:
    """Add a recurrent layer: its last state, (batch, output_size), or all states.

    Args:
        graph: grows.
        layer: with its weights.
        sequence: what it reads.
        words: None if padding is read, and nobody asks where it is.
        return_sequences: whether all states are wanted.
    """
    if isinstance(layer, Stacked):
        *lower, top = layer.layers
        for below in lower:
            sequence = recur(graph, below, sequence, words, return_sequences=True)  # type: ignore[arg-type]
        return recur(graph, top, sequence, words, return_sequences=return_sequences)  # type: ignore[arg-type]
    if isinstance(layer, Bidirectional):
        assert words is not None
        ahead = recur(graph, layer.forward_layer, sequence, words, return_sequences=return_sequences)
        turned = _reverse_words(graph, sequence, words)
        back = recur(graph, layer.backward_layer, turned, words, return_sequences=return_sequences)
        if return_sequences:
            back = _reverse_words(graph, back, words)
        return graph.add("Concat", ahead, back, axis=-1)
    assert isinstance(layer, LSTM | GRU)
    return _run(graph, layer, sequence, words, return_sequences)


def _run(graph: Graph, layer: LSTM | GRU, sequence: str, words: Words | None, return_sequences: bool) -> str:
    """ONNX's own LSTM or GRU, over (steps, batch, features)."""
    order = _LSTM_GATES if isinstance(layer, LSTM) else _GRU_GATES

    def reordered(parameter: Any) -> Any:
        parts = np.split(array(parameter), len(order))
        return np.concatenate([parts[gate] for gate in order])[None]

    options: dict[str, Any] = {"hidden_size": layer.hidden_size}
    if isinstance(layer, LSTM):
        operator, states = "LSTM", ["Tanh", "Tanh"]
        # A bias for each of the two products.
        biases = [reordered(layer.bias), np.zeros_like(reordered(layer.bias))]
    else:
        operator, states = "GRU", ["Tanh"]
        biases = [reordered(layer.bias_ih), reordered(layer.bias_hh)]
        options["linear_before_reset"] = 1
    if layer.recurrent_activation != "sigmoid":
        options |= {
            "activations": ["HardSigmoid", *states],
            "activation_alpha": [HARD_SIGMOID_SLOPES[layer.recurrent_activation]],
            "activation_beta": [0.5],
        }
    weights = [graph.constant(reordered(layer.weight_ih)), graph.constant(reordered(layer.weight_hh))]
    bias = graph.constant(np.concatenate(biases, axis=1))
    lengths = graph.add("Cast", words.counts, to=TensorProto.INT32) if words is not None and words.first else ""
    steps = graph.add("Transpose", sequence, perm=[1, 0, 2])
    number = len(graph.nodes)
    if return_sequences:
        every = graph.add(operator, steps, *weights, bias, lengths, output=f"states_{number}", **options)
        return graph.add("Transpose", graph.add("Squeeze", every, graph.integers(1)), perm=[1, 0, 2])
    last = graph.add(operator, steps, *weights, bias, lengths, outputs=("", f"last_{number}"), **options)
    return graph.add("Squeeze", last, graph.integers(0))


def _reverse_words(graph: Graph, sequence: str, words: Words) -> str:
    """Each row's words in the opposite order, its padding where it was."""
    step = places(graph, sequence)
    counts = graph.add("Unsqueeze", words.counts, graph.integers(1))
    in_front = graph.add("Less", step, counts)
    mirrored = graph.add("Sub", graph.add("Sub", counts, graph.integer(1)), step)
    if words.first:
        order = graph.add("Where", in_front, mirrored, step)
    else:
        order = graph.add("Where", in_front, step, graph.add("Add", mirrored, steps_of(graph, sequence)))
    order = graph.add("Expand", graph.add("Unsqueeze", order, graph.integers(2)), graph.add("Shape", sequence))
    return graph.add("GatherElements", sequence, order, axis=1)


def pool(graph: Graph, layer: GlobalPooling, states: str, words: Words) -> str:
    """Add the mean, the maximum or both over the words of each row; zeros for a row without any."""
    in_front = graph.add("Less", places(graph, states), graph.add("Unsqueeze", words.counts, graph.integers(1)))
    word = in_front if words.first else graph.add("Not", in_front)
    word = graph.add("Unsqueeze", word, graph.integers(2))
    numbers = graph.add("ReduceSum", graph.add("Cast", word, to=TensorProto.FLOAT), graph.integers(1), keepdims=0)
    pooled = []
    if layer.kind in ("max", "max_mean"):
        pooled.append(_maximum(graph, states, word, numbers))
    if layer.kind in ("mean", "max_mean"):
        kept = graph.add("Where", word, states, graph.constant(np.array(0, np.float32)))
        total = graph.add("ReduceSum", kept, graph.integers(1), keepdims=0)
        pooled.append(graph.add("Div", total, graph.add("Max", numbers, graph.constant(np.array(1, np.float32)))))
    return pooled[0] if len(pooled) == 1 else graph.add("Concat", *pooled, axis=1)


def _maximum(graph: Graph, states: str, word: str, numbers: str) -> str:
    lowest = graph.constant(np.array(-np.inf, np.float32))
    largest = graph.add("ReduceMax", graph.add("Where", word, states, lowest), axes=[1], keepdims=0)
    zero = graph.constant(np.array(0, np.float32))
    return graph.add("Where", graph.add("Equal", numbers, zero), zero, largest)
