"""An ONNX graph as it grows: nodes and constants, each under a name of its own."""

from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

# What the operators used here need at least; IR 8 is the first that any runtime with this opset reads.
_OPSET, _IR = 17, 8


class Graph:
    """Nodes in the order in which they are added; results are called by their names."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self._constants: list[Any] = []

    def constant(self, array: Any) -> str:
        """Add an array, and return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def integers(self, *values: int) -> str:
        """Add a vector of int64."""
        return self.constant(np.array(values, np.int64))

    def integer(self, value: int) -> str:
        """Add a scalar of int64."""
        return self.constant(np.array(value, np.int64))

    def add(self, operator: str, *inputs: str, output: str = "", outputs: tuple[str, ...] = (), **options: Any) -> str:
        """Add a node, and return the name of its last output."""
        names = outputs or (output or f"{operator.lower()}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(operator, list(inputs), list(names), **options))
        return names[-1]

    def model(self, *, logits: list[str]) -> Any:
        """Make the model from `ids` to `logits`, which has these axes, and `probabilities`."""
        ids = helper.make_tensor_value_info("ids", TensorProto.INT64, ["batch", "steps"])
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, logits),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", "classes"]),
        ]
        graph = helper.make_graph(self.nodes, "seqclass", [ids], outputs, self._constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
