"""The notebook's layers as Keras 1 has them: their settings by its own names, and their arrays by its letters."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seqclass.errors import InputError
from seqclass.interop.chains import State
from seqclass.interop.keras.layouts import KERAS1_GATES, convolution_to_keras, lstm_to_keras1
from seqclass.interop.keras.model import Array, Backend, KerasLayer
from seqclass.interop.keras.names import snake_case

_PLAIN: dict[str, dict[str, Any]] = {
    "dropout": {"kind": "numbers"},
    "convolution": {"stride": 1, "dilation": 1, "groups": 1, "padding": "same", "bias": True},
    "pooling": {"kind": "max", "padding": "valid"},
    "recurrent": {"cell": "lstm", "activation": "tanh", "bias": True, "backwards": False, "return_sequences": False},
    "dense": {"bias": True},
}
_FUNCTIONS = ("linear", "relu", "tanh", "sigmoid", "hard_sigmoid", "softmax")


def keras1_layers(layers: Sequence[dict[str, Any]], state: State, backend: Backend) -> list[KerasLayer]:
    """Make the layers, with the names that Keras gives them.

    Args:
        layers: descriptions of a chain.
        state: its weights, by their names in a `Chain`.
        backend: what that Keras runs on.

    Raises:
        InputError: a layer or a setting is not one of the notebook's.
    """
    made: list[KerasLayer] = []
    seen: Counter[str] = Counter()
    for number, layer in enumerate(layers):
        _check(number, layer)
        here = f"layers.{number}."
        weights = {name.removeprefix(here): array for name, array in state.items() if name.startswith(here)}
        new = _layer(layer, weights, backend)
        base = snake_case(new.kind)
        new.name = f"{base}_{seen[base]}" if seen[base] else base
        seen[base] += 1
        made.append(new)
    return made


def _check(number: int, layer: dict[str, Any]) -> None:
    kind = layer["layer"]
    only = "only the notebook's layers are written for Keras 1"
    if kind not in ("embedding", *_PLAIN):
        raise InputError(f"layer {number}, a {kind}, cannot be exported to Keras 1: {only}")
    for name, value in _PLAIN.get(kind, {}).items():
        if layer[name] != value:
            raise InputError(f"layer {number}, a {kind} with {name}={layer[name]!r}, cannot be exported: {only}")
    for name in ("activation", "recurrent_activation"):
        if layer.get(name, "linear") not in _FUNCTIONS:
            raise InputError(f"Keras 1 has no {name} {layer[name]!r}; it has {', '.join(_FUNCTIONS)}")


def _layer(layer: dict[str, Any], weights: State, backend: Backend) -> KerasLayer:
    kind = layer["layer"]
    if kind == "embedding":
        config = {
            "input_dim": layer["num_embeddings"],
            "output_dim": layer["embedding_dim"],
            "mask_zero": layer["mask_zero"],
            "dropout": layer["dropout"],
        }
        return KerasLayer("Embedding", "", config, {"W": weights["table.weight"]})
    if kind == "dropout":
        return KerasLayer("Dropout", "", {"p": layer["rate"]})
    if kind == "pooling":
        sizes = {"pool_length": layer["size"], "stride": layer["stride"]}
        return KerasLayer("MaxPooling1D", "", {**sizes, "border_mode": "valid"})
    if kind == "convolution":
        kernel = convolution_to_keras(weights["convolution.weight"], keras=1, flipped=backend == "theano")
        config = {
            "nb_filter": layer["out_channels"],
            "filter_length": layer["kernel_size"],
            "border_mode": "same",
            "bias": True,
            "activation": layer["activation"],
        }
        return KerasLayer("Convolution1D", "", config, {"W": kernel, "b": weights["convolution.bias"]})
    if kind == "recurrent":
        return _lstm(layer, weights)
    arrays = {"W": weights["linear.weight"].T, "b": weights["linear.bias"]}
    return KerasLayer("Dense", "", {"output_dim": layer["out_features"], "activation": layer["activation"]}, arrays)


def _lstm(layer: dict[str, Any], weights: State) -> KerasLayer:
    config = {
        "output_dim": layer["hidden_size"],
        "input_dim": layer["input_size"],
        "activation": "tanh",
        "inner_activation": layer["recurrent_activation"],
        "dropout_W": layer["dropout"],
        "dropout_U": layer["recurrent_dropout"],
    }
    arrays = lstm_to_keras1({name.removeprefix("layer."): array for name, array in weights.items()})
    names = [f"{part}_{gate}" for gate in KERAS1_GATES for part in "WUb"]
    named: dict[str, Array] = dict(zip(names, arrays, strict=True))
    return KerasLayer("LSTM", "", config, named)
