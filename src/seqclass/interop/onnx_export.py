"""A classifier as an ONNX model, built from ONNX's own operators: batch and length are free."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from seqclass.classifier import SequenceClassifier
from seqclass.files import written_whole
from seqclass.interop.description import describe
from seqclass.nn.lstm_kernels.arguments import HARD_SIGMOID_SLOPES

# What the operators used here need at least; IR 8 is the first that any runtime with this opset reads.
_OPSET, _IR = 17, 8


def export_onnx(classifier: SequenceClassifier, out: str | Path) -> None:
    """Write an ONNX model.

    Input `ids`, int64 (batch, steps), 0 pads; outputs `logits`, float32, (batch,) for two classes, else (batch,
    classes), and `probabilities`, (batch, classes). Labels and text pipeline are in the model's metadata, as JSON.

    Args:
        classifier: with its weights.
        out: the file.

    Raises:
        InputError: the file cannot be written.
    """
    graph = _Graph()
    stack = classifier.stack
    state = {name: value.float().cpu().numpy() for name, value in stack.state_dict().items()}
    ids, counts = "ids", ""
    if stack.mask_padding:
        ids, counts = _words_first(graph)
    features = graph.add("Gather", graph.constant(state["embedding.weight"]), ids)
    if stack.convolution is not None:
        image = graph.add("Transpose", features, perm=[0, 2, 1])
        weights = (graph.constant(state["convolution.weight"]), graph.constant(state["convolution.bias"]))
        image = graph.add("Relu", graph.add("Conv", image, *weights, auto_pad="SAME_UPPER"))
        if stack.pooling is not None:
            image = graph.add("MaxPool", image, kernel_shape=[stack.pooling.size], strides=[stack.pooling.size])
        steps = graph.add("Transpose", image, perm=[2, 0, 1])
    else:
        steps = graph.add("Transpose", features, perm=[1, 0, 2])
    last = _lstm(graph, state, stack.lstm.recurrent_activation, steps, counts)
    output = (graph.constant(state["output.weight"]), graph.constant(state["output.bias"]))
    scores = graph.add("Gemm", last, *output, transB=1)
    if stack.output.out_features == 1:
        graph.add("Squeeze", scores, graph.constant(np.array([1], np.int64)), output="logits")
        both = graph.add("Concat", graph.add("Neg", scores), scores, axis=1)
        graph.add("Sigmoid", both, output="probabilities")
    else:
        graph.add("Identity", scores, output="logits")
        graph.add("Softmax", scores, output="probabilities", axis=1)

    model = graph.model(logits=["batch"] if stack.output.out_features == 1 else ["batch", "classes"])
    helper.set_model_props(model, {"seqclass": json.dumps(describe(classifier), ensure_ascii=False)})
    onnx.checker.check_model(model, full_check=True)
    with written_whole(out) as part:
        part.write_bytes(model.SerializeToString())


def _lstm(graph: "_Graph", state: dict[str, Any], activation: str, steps: str, counts: str) -> str:
    """ONNX's LSTM over (steps, batch, features): gates i, o, f, c, and a bias for each of the two products."""
    i, f, g, o = range(4)

    def reordered(name: str) -> Any:
        parts = np.split(state[name], 4)
        return np.concatenate([parts[gate] for gate in (i, o, f, g)])[None]

    bias = reordered("lstm.bias")
    options: dict[str, Any] = {"hidden_size": state["lstm.weight_hh"].shape[1]}
    if activation != "sigmoid":
        options |= {
            "activations": ["HardSigmoid", "Tanh", "Tanh"],
            "activation_alpha": [HARD_SIGMOID_SLOPES[activation]],
            "activation_beta": [0.5],
        }
    weights = [graph.constant(reordered("lstm.weight_ih")), graph.constant(reordered("lstm.weight_hh"))]
    biases = graph.constant(np.concatenate([bias, np.zeros_like(bias)], axis=1))
    last = graph.add("LSTM", steps, *weights, biases, counts, outputs=("", "last_state"), **options)
    return graph.add("Squeeze", last, graph.constant(np.array([0], np.int64)))


def _words_first(graph: "_Graph") -> tuple[str, str]:
    """For masked padding: each row's words in order, padding behind them, and the number of words in each row."""
    zero, one = graph.constant(np.array(0, np.int64)), graph.constant(np.array(1, np.int64))
    word = graph.add("Cast", graph.add("Not", graph.add("Equal", "ids", zero)), to=TensorProto.INT64)
    ones = graph.add("Add", graph.add("Mul", word, zero), one)
    place = graph.add("CumSum", ones, one)
    length = graph.add("Shape", "ids", start=1)
    # Keys that differ: words before padding, and among each the earlier first.
    keys = graph.add("Sub", graph.add("Mul", word, length), place)
    order = graph.add("TopK", keys, length, outputs=("sorted_keys", "order"), axis=1)
    counts = graph.add("ReduceSum", word, graph.constant(np.array([1], np.int64)), keepdims=0)
    return graph.add("GatherElements", "ids", order, axis=1), graph.add("Cast", counts, to=TensorProto.INT32)


class _Graph:
    """Nodes and constants as they are added, each under a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, array: Any) -> str:
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", outputs: tuple[str, ...] = (), **options: Any) -> str:
        """Add a node, and return the name of its last output."""
        names = outputs or (output or f"{operator.lower()}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operator, list(inputs), list(names), **options))
        return names[-1]

    def model(self, *, logits: list[str]) -> Any:
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "steps"])
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, logits),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", "classes"]),
        ]
        graph = helper.make_graph(self.nodes, "seqclass", [ids], outputs, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
