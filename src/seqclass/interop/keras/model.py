"""A Keras model as its file describes it: layers in order, each with its settings and arrays."""

from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
# What Keras 1 ran on.
Backend = Literal["tensorflow", "theano"]


@dataclass
class KerasLayer:
    """One layer.

    Attributes:
        kind: its Keras class under the name of Keras 2 and 3: `Embedding`, `Conv1D`, `MaxPooling1D`, `LSTM`, `Dropout`,
            `Dense`, or another.
        name: what the file calls it.
        config: its settings, by the names of the Keras that wrote them.
        arrays: its weights by their names in the file, in Keras' order.
        place: the names of its own and the containers around it in a file of Keras 3, such as `layers/lstm_1`.
        owner: the layer of the outermost model that it is, or is a part of.
        vocabulary: of a text layer, if the file has it beside the configuration: a token a line.
    """

    kind: str
    name: str
    config: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, Array] = field(default_factory=dict)
    place: str = ""
    owner: str = ""
    vocabulary: list[str] | None = None


@dataclass
class KerasBranches:
    """Layers side by side, whose outputs a layer concatenates.

    Attributes:
        merge: that layer.
        branches: the layers of each, in its order.
    """

    merge: KerasLayer
    branches: list[list["KerasItem"]]


KerasItem: TypeAlias = "KerasLayer | KerasBranches"


@dataclass
class KerasModel:
    """A model whose layers follow each other.

    Attributes:
        source: the file, for messages.
        keras: the major version that wrote it, 1, 2 or 3.
        layers: in order, without input layers; nested models are opened.
        backend: `theano` or `tensorflow`, if the file says so.
        input_length: steps that the model was built for, if the file says so.
        assumed: what a file without a configuration does not say, and what is taken instead.
        notes: what else is worth knowing about the file.
    """

    source: str
    keras: int
    layers: list[KerasItem]
    backend: str | None = None
    input_length: int | None = None
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def leaves(items: list[KerasItem]) -> list[KerasLayer]:
    """All layers, those of branches too, in order."""
    found: list[KerasLayer] = []
    for item in items:
        if isinstance(item, KerasLayer):
            found.append(item)
        else:
            found += [layer for branch in item.branches for layer in leaves(branch)]
    return found
