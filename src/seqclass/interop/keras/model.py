"""A Keras model as its file describes it: layers in order, each with its settings and arrays."""

from dataclasses import dataclass, field
from typing import Any, Literal

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
        config: its settings; None if the file holds weights only.
        arrays: its weights by their names in the file, in Keras' order.
    """

    kind: str
    name: str
    config: dict[str, Any] | None = None
    arrays: dict[str, Array] = field(default_factory=dict)


@dataclass
class KerasModel:
    """A sequential model.

    Attributes:
        source: the file, for messages.
        keras: the major version that wrote it, 1, 2 or 3.
        layers: in order, without input layers.
        backend: `theano` or `tensorflow`, if the file says so.
        input_length: steps that the model was built for, if the file says so.
    """

    source: str
    keras: int
    layers: list[KerasLayer]
    backend: str | None = None
    input_length: int | None = None
