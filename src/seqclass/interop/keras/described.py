"""A chain's layers as they are made from a file: descriptions, weights, and where these came from."""

from dataclasses import dataclass, field
from typing import Any

from seqclass.interop.keras.model import Array


@dataclass
class Described:
    """A chain's layers.

    Attributes:
        layers: their descriptions.
        state: their weights, by their names in a `Chain`.
        arrays: for each array its name in the file, its shape there, and the weight that it became.
        policies: names of Keras' policies of low precision.
    """

    layers: list[dict[str, Any]] = field(default_factory=list)
    state: dict[str, Array] = field(default_factory=dict)
    arrays: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)
    policies: set[str] = field(default_factory=set)
