"""The layers of a `Chain` in ONNX's own operators, with Keras' rules for masked steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from onnx import TensorProto

from seqclass.errors import InputError
from seqclass.interop.chains import State
from seqclass.interop.onnx.graph import Graph
from seqclass.interop.onnx.layers import words_in_front
from seqclass.models.chain.windows import edges_of

# Where ONNX has our gates: an LSTM's i, f, g, o as i, o, f, c, and a GRU's r, z, n as z, r, h.
_ORDERS = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "gru_reset_before": (1, 0, 2), "simple": (0,)}
_OPERATORS = {"lstm": "LSTM", "gru": "GRU", "gru_reset_before": "GRU", "simple": "RNN"}
# Functions that ONNX has within its recurrent layers, with their alpha and beta.
_WITHIN: dict[str, tuple[str, float | None, float | None]] = {
    "tanh": ("Tanh", None, None),
    "sigmoid": ("Sigmoid", None, None),
    "relu": ("Relu", None, None),
    "linear": ("Affine", 1.0, 0.0),
    "hard_sigmoid": ("HardSigmoid", 0.2, 0.5),
    "hard_sigmoid_keras3": ("HardSigmoid", 1 / 6, 0.5),
    "elu": ("Elu", 1.0, None),
    "leaky_relu": ("LeakyRelu", 0.2, None),
    "softsign": ("Softsign", None, None),
    "softplus": ("Softplus", None, None),
}
_ALONE: dict[str, tuple[str, dict[str, Any]]] = {
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "sigmoid": ("Sigmoid", {}),
    "hard_sigmoid": ("HardSigmoid", {"alpha": 0.2, "beta": 0.5}),
    "hard_sigmoid_keras3": ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}),
    "softmax": ("Softmax", {"axis": -1}),
    "log_softmax": ("LogSoftmax", {"axis": -1}),
    "elu": ("Elu", {"alpha": 1.0}),
    "selu": ("Selu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": 0.2}),
    "softplus": ("Softplus", {}),
    "softsign": ("Softsign", {}),
    "exponential": ("Exp", {}),
}
_BACKWARDS = -(2**63)
"""The end of a slice that runs to the first step."""


@dataclass(frozen=True)
class Signal:
    """What a layer reads and returns, by the names of tensors.

    Attributes:
        values: ids, a sequence or vectors.
        mask: (batch, steps) bool, False at the steps that do not count; None where all count.
    """

    values: str
    mask: str | None = None


def add_chain(graph: Graph, layers: Sequence[dict[str, Any]], state: State) -> str:
    """Add a chain's layers, from the graph's `ids` to the logits, (batch, outputs).

    Args:
        graph: grows.
        layers: descriptions.
        state: their weights, by their names in a `Chain`.

    Raises:
        InputError: ONNX has not what a layer needs.
    """
    return _chain(graph, layers, state, "layers", Signal("ids")).values


def _chain(graph: Graph, layers: Sequence[dict[str, Any]], state: State, place: str, signal: Signal) -> Signal:
    for number, layer in enumerate(layers):
        here = f"{place}.{number}."
        if layer["layer"] == "branches":
            signal = _branches(graph, layer, state, here, signal)
            continue
        weights = {name.removeprefix(here): array for name, array in state.items() if name.startswith(here)}
        signal = _METHODS[layer["layer"]](graph, layer, weights, signal)
    return signal


def _branches(graph: Graph, layer: dict[str, Any], state: State, here: str, signal: Signal) -> Signal:
    ends = [
        _chain(graph, branch, state, f"{here}branches.{number}", signal)
        for number, branch in enumerate(layer["branches"])
    ]
    mask: str | None = None
    for end in ends:
        if end.mask is not None:
            mask = end.mask if mask is None else graph.add("And", mask, end.mask)
    return Signal(graph.add("Concat", *(end.values for end in ends), axis=-1), mask)


def _embedding(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    values = graph.add("Gather", graph.constant(weights["table.weight"]), signal.values)
    words = graph.add("Not", graph.add("Equal", signal.values, graph.integer(0))) if layer["mask_zero"] else None
    return Signal(values, words)


def _masking(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    value = graph.constant(np.array(layer["mask_value"], np.float32))
    differs = graph.add("Cast", graph.add("Not", graph.add("Equal", signal.values, value)), to=TensorProto.FLOAT)
    counts = graph.add("ReduceMax", differs, axes=[2], keepdims=1)
    mask = graph.add("Cast", graph.add("Squeeze", counts, graph.integers(2)), to=TensorProto.BOOL)
    return Signal(graph.add("Mul", signal.values, counts), mask)


def _nothing(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    return signal


def _activate(graph: Graph, name: str, values: str, slope: float | None = None) -> str:
    if name == "linear":
        return values
    if name in _ALONE:
        operator, options = _ALONE[name]
        return graph.add(operator, values, **(options if slope is None else {"alpha": slope}))

    def number(value: float) -> str:
        return graph.constant(np.array(value, np.float32))

    if name == "relu6":
        return graph.add("Clip", values, number(0), number(6))
    if name == "silu":
        return graph.add("Mul", values, graph.add("Sigmoid", values))
    if name == "mish":
        return graph.add("Mul", values, graph.add("Tanh", graph.add("Softplus", values)))
    if name == "gelu":
        above = graph.add("Add", graph.add("Erf", graph.add("Mul", values, number(0.5**0.5))), number(1))
        return graph.add("Mul", graph.add("Mul", values, number(0.5)), above)
    raise InputError(f"ONNX cannot be written for the activation {name!r}")


def _activation(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    return replace(signal, values=_activate(graph, layer["activation"], signal.values, layer.get("slope")))


def _dense(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    values = graph.add("MatMul", signal.values, graph.constant(weights["linear.weight"].T))
    if layer["bias"]:
        values = graph.add("Add", values, graph.constant(weights["linear.bias"]))
    return replace(signal, values=_activate(graph, layer["activation"], values))


def _normalization(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    ones = np.ones(layer["features"], np.float32)
    weight, bias = weights.get("weight", ones), weights.get("bias", 0 * ones)
    if layer["kind"] == "layer":
        parts = [graph.constant(weight), graph.constant(bias)]
        return replace(
            signal,
            values=graph.add("LayerNormalization", signal.values, *parts, axis=-1, epsilon=layer["eps"]),
        )
    scale = (weight / np.sqrt(weights["variance"] + np.float32(layer["eps"]))).astype(np.float32)
    offset = (bias - weights["mean"] * scale).astype(np.float32)
    scaled = graph.add("Mul", signal.values, graph.constant(scale))
    return replace(signal, values=graph.add("Add", scaled, graph.constant(offset)))


def _flatten(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    return Signal(graph.add("Reshape", signal.values, graph.integers(0, layer["steps"] * layer["features"])))


def _convolution(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    size, stride, dilation = layer["kernel_size"], layer["stride"], layer["dilation"]
    options: dict[str, Any] = {"strides": [stride], "dilations": [dilation], "group": layer["groups"]}
    if layer["padding"] == "same" and stride > 1:
        # How much is put at the edges follows from the length.
        options["auto_pad"] = "SAME_UPPER"
    else:
        options["pads"] = list(
            edges_of(layer["padding"], steps=size * dilation, size=size, stride=1, dilation=dilation)
        )
    image = graph.add("Transpose", signal.values, perm=[0, 2, 1])
    arrays = [graph.constant(weights["convolution.weight"])]
    if layer["bias"]:
        arrays.append(graph.constant(weights["convolution.bias"]))
    made = graph.add("Transpose", graph.add("Conv", image, *arrays, **options), perm=[0, 2, 1])
    return Signal(_activate(graph, layer["activation"], made))


def _pooling(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    padding = "SAME_UPPER" if layer["padding"] == "same" else "VALID"
    image = graph.add("Transpose", signal.values, perm=[0, 2, 1])
    operator = "MaxPool" if layer["kind"] == "max" else "AveragePool"
    options: dict[str, Any] = {"kernel_shape": [layer["size"]], "strides": [layer["stride"]], "auto_pad": padding}
    return Signal(graph.add("Transpose", graph.add(operator, image, **options), perm=[0, 2, 1]))


def _global_pooling(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    if layer["kind"] == "max":
        return Signal(graph.add("ReduceMax", signal.values, axes=[1], keepdims=0))
    if signal.mask is None:
        return Signal(graph.add("ReduceMean", signal.values, axes=[1], keepdims=0))
    counts = graph.add("Cast", signal.mask, to=TensorProto.FLOAT)
    numbers = graph.add("ReduceSum", counts, graph.integers(1), keepdims=1)
    kept = graph.add("Mul", signal.values, graph.add("Unsqueeze", counts, graph.integers(2)))
    total = graph.add("ReduceSum", kept, graph.integers(1), keepdims=0)
    return Signal(graph.add("Div", total, graph.add("Max", numbers, graph.constant(np.array(1, np.float32)))))


def _recurrent(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    own = {name.removeprefix("layer."): array for name, array in weights.items()}
    values, mask = signal.values, signal.mask
    if layer["backwards"]:
        values = _flipped(graph, values)
        mask = None if mask is None else _flipped(graph, mask)
    if mask is None:
        return Signal(_run(graph, layer, own, values, ""), signal.mask if layer["return_sequences"] else None)
    order, counts = words_in_front(graph, mask)
    indices = graph.add("Expand", graph.add("Unsqueeze", order, graph.integers(2)), graph.add("Shape", values))
    ordered = graph.add("GatherElements", values, indices, axis=1)
    states = _run(graph, layer, own, ordered, graph.add("Cast", counts, to=TensorProto.INT32))
    if not layer["return_sequences"]:
        return Signal(states)
    # The output of a step is that of the last step so far that counts.
    counted = graph.add("CumSum", graph.add("Cast", mask, to=TensorProto.INT64), graph.integer(1))
    place = graph.add("Max", graph.add("Sub", counted, graph.integer(1)), graph.integer(0))
    place = graph.add("Expand", graph.add("Unsqueeze", place, graph.integers(2)), graph.add("Shape", states))
    back = graph.add("GatherElements", states, place, axis=1)
    shown = mask if layer["zero_masked"] else graph.add("Greater", counted, graph.integer(0))
    zero = graph.constant(np.array(0, np.float32))
    back = graph.add("Where", graph.add("Unsqueeze", shown, graph.integers(2)), back, zero)
    return Signal(back, signal.mask)


def _bidirectional(graph: Graph, layer: dict[str, Any], weights: State, signal: Signal) -> Signal:
    ends = []
    for way in ("forward_layer", "backward_layer"):
        own = {name.removeprefix(f"{way}."): array for name, array in weights.items() if name.startswith(f"{way}.")}
        ends.append(_recurrent(graph, layer[way], own, signal).values)
    ahead, back = ends
    sequences = layer["forward_layer"]["return_sequences"]
    if sequences:
        back = _flipped(graph, back)
    if layer["merge"] == "concat":
        merged = graph.add("Concat", ahead, back, axis=-1)
    elif layer["merge"] == "mul":
        merged = graph.add("Mul", ahead, back)
    else:
        merged = graph.add("Add", ahead, back)
        if layer["merge"] == "ave":
            merged = graph.add("Mul", merged, graph.constant(np.array(0.5, np.float32)))
    return Signal(merged, signal.mask if sequences else None)


def _flipped(graph: Graph, sequence: str) -> str:
    ends = [graph.integers(number) for number in (-1, _BACKWARDS, 1, -1)]
    return graph.add("Slice", sequence, *ends)


def _run(graph: Graph, layer: dict[str, Any], own: State, sequence: str, lengths: str) -> str:
    """ONNX's own recurrent layer, over (steps, batch, features)."""
    cell = layer["cell"]
    order = _ORDERS[cell]

    def reordered(array: Any) -> Any:
        parts = np.split(array, len(order))
        return np.concatenate([parts[gate] for gate in order])[None]

    if cell == "gru":
        biases = [reordered(own["bias_ih"]), reordered(own["bias_hh"])]
    else:
        # A bias for each of the two products.
        biases = [reordered(own["bias"]), np.zeros_like(reordered(own["bias"]))]
    gates = [] if cell == "simple" else [layer["recurrent_activation"]]
    names = [*gates, *[layer["activation"]] * (2 if cell == "lstm" else 1)]
    options: dict[str, Any] = {"hidden_size": layer["hidden_size"], **_functions(names)}
    if cell == "gru":
        options["linear_before_reset"] = 1
    weights = [graph.constant(reordered(own["weight_ih"])), graph.constant(reordered(own["weight_hh"]))]
    bias = graph.constant(np.concatenate(biases, axis=1))
    steps = graph.add("Transpose", sequence, perm=[1, 0, 2])
    operator, number = _OPERATORS[cell], len(graph.nodes)
    if layer["return_sequences"]:
        every = graph.add(operator, steps, *weights, bias, lengths, output=f"states_{number}", **options)
        return graph.add("Transpose", graph.add("Squeeze", every, graph.integers(1)), perm=[1, 0, 2])
    last = graph.add(operator, steps, *weights, bias, lengths, outputs=("", f"last_{number}"), **options)
    return graph.add("Squeeze", last, graph.integers(0))


def _functions(names: Sequence[str]) -> dict[str, Any]:
    unknown = [name for name in names if name not in _WITHIN]
    if unknown:
        raise InputError(f"ONNX cannot be written for a recurrent layer with the activation {unknown[0]!r}")
    found = [_WITHIN[name] for name in names]
    options: dict[str, Any] = {"activations": [name for name, _, _ in found]}
    # Numbers are dealt to those functions that take them, in order.
    alphas = [alpha for _, alpha, _ in found if alpha is not None]
    betas = [beta for _, _, beta in found if beta is not None]
    return options | ({"activation_alpha": alphas} if alphas else {}) | ({"activation_beta": betas} if betas else {})


_METHODS: dict[str, Callable[[Graph, dict[str, Any], State, Signal], Signal]] = {
    "embedding": _embedding,
    "masking": _masking,
    "dropout": _nothing,
    "dense": _dense,
    "activation": _activation,
    "normalization": _normalization,
    "flatten": _flatten,
    "convolution": _convolution,
    "pooling": _pooling,
    "global_pooling": _global_pooling,
    "recurrent": _recurrent,
    "bidirectional": _bidirectional,
}
