"""The configuration of a whole model of Keras 3: Sequential, or functional where layers are side by side."""

from collections.abc import Sequence
from typing import Any

from seqclass.interop.keras.layers import entry
from seqclass.interop.keras.model import KerasItem, KerasLayer


def model_config(items: Sequence[KerasItem], vectorization: KerasLayer | None, steps: int | None) -> dict[str, Any]:
    """Describe a model as Keras 3 does.

    Args:
        items: its layers.
        vectorization: the layer that reads texts; None for a model of ids.
        steps: ids in a row; None for any number.
    """
    if vectorization is None:
        start = _input("ids", [None, steps], "int32")
    else:
        start, items = _input("text", [None, 1], "string"), [vectorization, *items]
    layers = [item for item in items if isinstance(item, KerasLayer)]
    if len(layers) == len(items):
        inner: dict[str, Any] = {"name": "seqclass", "layers": [start, *map(entry, layers)]}
        return _model("Sequential", "keras", inner)
    graph = _Graph(start)
    output = graph.chain(items, "ids" if vectorization is None else "text")
    ends = {"input_layers": [[start["config"]["name"], 0, 0]], "output_layers": [[output, 0, 0]]}
    return _model("Functional", "keras.src.models.functional", {"name": "seqclass", "layers": graph.entries, **ends})


def _model(kind: str, module: str, config: dict[str, Any]) -> dict[str, Any]:
    registered = "Functional" if kind == "Functional" else None
    return {"module": module, "class_name": kind, "config": config, "registered_name": registered}


def _input(name: str, shape: list[int | None], dtype: str) -> dict[str, Any]:
    return entry(KerasLayer("InputLayer", name, {"batch_shape": shape, "dtype": dtype}))


class _Graph:
    """Entries of a functional model, each with what it is called with."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.entries = [{**start, "name": start["config"]["name"], "inbound_nodes": []}]

    def chain(self, items: Sequence[KerasItem], before: str) -> str:
        """Add layers one behind the other, and return the name of the last."""
        for item in items:
            if isinstance(item, KerasLayer):
                before = self._add(item, [before])
            else:
                before = self._add(item.merge, [self.chain(branch, before) for branch in item.branches])
        return before

    def _add(self, layer: KerasLayer, inputs: list[str]) -> str:
        tensors = [_tensor(name) for name in inputs]
        merges = layer.kind == "Concatenate"
        node = {"args": [tensors if merges else tensors[0]], "kwargs": {}}
        self.entries.append({**entry(layer), "name": layer.name, "inbound_nodes": [node]})
        return layer.name


def _tensor(source: str) -> dict[str, Any]:
    # Keras looks for the layer by its name, and takes its own shape and dtype.
    config = {"shape": [None, None], "dtype": "float32", "keras_history": [source, 0, 0]}
    return {"class_name": "__keras_tensor__", "config": config}
