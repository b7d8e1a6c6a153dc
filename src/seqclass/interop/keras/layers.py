"""A chain's layers as Keras 3 has them: their classes, their settings by Keras' own names, and their arrays.

Arrays are called by their places below the layer's group, as in a file of Keras 3.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from seqclass.errors import InputError
from seqclass.interop.chains import State
from seqclass.interop.keras.layouts import convolution_to_keras, recurrent_to_keras
from seqclass.interop.keras.model import Array, KerasBranches, KerasItem, KerasLayer
from seqclass.interop.keras.names import snake_case

_CELLS = {"lstm": "LSTM", "gru": "GRU", "gru_reset_before": "GRU", "simple": "SimpleRNN"}
_DROPOUTS = {
    "numbers": "Dropout",
    "features": "SpatialDropout1D",
    "gaussian_noise": "GaussianNoise",
    "gaussian_dropout": "GaussianDropout",
}


def keras3_layers(layers: Sequence[dict[str, Any]], state: State) -> list[KerasItem]:
    """Make the layers, with the names that Keras gives them.

    Args:
        layers: descriptions of a chain.
        state: its weights, by their names in a `Chain`.

    Raises:
        InputError: Keras 3 has no such function.
    """
    items = _chain(layers, state, "layers")
    seen: Counter[str] = Counter()
    for layer in _each(items):
        base = snake_case(layer.kind)
        layer.name = f"{base}_{seen[base]}" if seen[base] else base
        seen[base] += 1
    return items


def _chain(layers: Sequence[dict[str, Any]], state: State, place: str) -> list[KerasItem]:
    made: list[KerasItem] = []
    for number, layer in enumerate(layers):
        here = f"{place}.{number}."
        weights = {name.removeprefix(here): array for name, array in state.items() if name.startswith(here)}
        if layer["layer"] == "branches":
            branches = [
                _chain(branch, state, f"{here}branches.{which}") for which, branch in enumerate(layer["branches"])
            ]
            made.append(KerasBranches(KerasLayer("Concatenate", "", {"axis": -1}), branches))
            continue
        kind, config, arrays = _METHODS[layer["layer"]](layer, weights)
        made.append(KerasLayer(kind, "", config, arrays))
    return made


def _each(items: Sequence[KerasItem]) -> list[KerasLayer]:
    """All layers in order, a merge behind what it merges."""
    found: list[KerasLayer] = []
    for item in items:
        if isinstance(item, KerasLayer):
            found.append(item)
        else:
            found += [layer for branch in item.branches for layer in _each(branch)]
            found.append(item.merge)
    return found


Made = tuple[str, dict[str, Any], dict[str, Array]]


def _embedding(layer: dict[str, Any], weights: State) -> Made:
    sizes = {"input_dim": layer["num_embeddings"], "output_dim": layer["embedding_dim"]}
    return "Embedding", {**sizes, "mask_zero": layer["mask_zero"]}, {"vars/0": weights["table.weight"]}


def _masking(layer: dict[str, Any], weights: State) -> Made:
    return "Masking", {"mask_value": layer["mask_value"]}, {}


def _dropout(layer: dict[str, Any], weights: State) -> Made:
    rate = "stddev" if layer["kind"] == "gaussian_noise" else "rate"
    return _DROPOUTS[layer["kind"]], {rate: layer["rate"]}, {}


def _dense(layer: dict[str, Any], weights: State) -> Made:
    arrays = {"vars/0": weights["linear.weight"].T}
    if layer["bias"]:
        arrays["vars/1"] = weights["linear.bias"]
    function = _function("activation", layer["activation"])
    return "Dense", {"units": layer["out_features"], "activation": function, "use_bias": layer["bias"]}, arrays


def _activation(layer: dict[str, Any], weights: State) -> Made:
    slope = layer.get("slope")
    if slope is None:
        return "Activation", {"activation": _function("activation", layer["activation"])}, {}
    if layer["activation"] == "elu":
        return "ELU", {"alpha": slope}, {}
    return "LeakyReLU", {"negative_slope": slope}, {}


def _normalization(layer: dict[str, Any], weights: State) -> Made:
    names = [name for name in ("weight", "bias", "mean", "variance") if name in weights]
    config = {"axis": -1, "epsilon": layer["eps"], "scale": layer["scale"], "center": layer["center"]}
    kind = "BatchNormalization" if layer["kind"] == "batch" else "LayerNormalization"
    return kind, config, {f"vars/{number}": weights[name] for number, name in enumerate(names)}


def _flatten(layer: dict[str, Any], weights: State) -> Made:
    return "Flatten", {}, {}


def _convolution(layer: dict[str, Any], weights: State) -> Made:
    arrays = {"vars/0": convolution_to_keras(weights["convolution.weight"], keras=3)}
    if layer["bias"]:
        arrays["vars/1"] = weights["convolution.bias"]
    config = {
        "filters": layer["out_channels"],
        "kernel_size": [layer["kernel_size"]],
        "strides": [layer["stride"]],
        "dilation_rate": [layer["dilation"]],
        "groups": layer["groups"],
        "padding": layer["padding"],
        "activation": _function("activation", layer["activation"]),
        "use_bias": layer["bias"],
    }
    return "Conv1D", config, arrays


def _pooling(layer: dict[str, Any], weights: State) -> Made:
    kind = "MaxPooling1D" if layer["kind"] == "max" else "AveragePooling1D"
    return kind, {"pool_size": [layer["size"]], "strides": [layer["stride"]], "padding": layer["padding"]}, {}


def _global_pooling(layer: dict[str, Any], weights: State) -> Made:
    return "GlobalMaxPooling1D" if layer["kind"] == "max" else "GlobalAveragePooling1D", {}, {}


def _recurrent(layer: dict[str, Any], weights: State) -> Made:
    cell = layer["cell"]
    own = {name.removeprefix("layer."): array for name, array in weights.items()}
    arrays = recurrent_to_keras(cell, own, bias=layer["bias"])
    config: dict[str, Any] = {
        "units": layer["hidden_size"],
        "activation": _function("activation", layer["activation"]),
        "use_bias": layer["bias"],
        "go_backwards": layer["backwards"],
        "return_sequences": layer["return_sequences"],
        "dropout": layer["dropout"],
        "recurrent_dropout": layer["recurrent_dropout"],
    }
    if layer["zero_masked"]:
        config["zero_output_for_mask"] = True
    if cell != "simple":
        config["recurrent_activation"] = _function("recurrent_activation", layer["recurrent_activation"])
    if cell.startswith("gru"):
        config["reset_after"] = cell == "gru"
    return _CELLS[cell], config, {f"cell/vars/{number}": array for number, array in enumerate(arrays)}


def _bidirectional(layer: dict[str, Any], weights: State) -> Made:
    entries: dict[str, dict[str, Any]] = {}
    arrays: dict[str, Array] = {}
    for way in ("forward_layer", "backward_layer"):
        own = {name.removeprefix(f"{way}."): array for name, array in weights.items() if name.startswith(f"{way}.")}
        kind, config, inner = _recurrent(layer[way], own)
        # A Bidirectional sets it itself.
        config.pop("zero_output_for_mask", None)
        entries[way] = entry(KerasLayer(kind, f"{way.removesuffix('_layer')}_{snake_case(kind)}", config))
        arrays |= {f"{way}/{name}": array for name, array in inner.items()}
    layers = {"layer": entries["forward_layer"], "backward_layer": entries["backward_layer"]}
    return "Bidirectional", {"merge_mode": layer["merge"], **layers}, arrays


def entry(layer: KerasLayer) -> dict[str, Any]:
    """Describe a layer as a configuration of Keras 3 does."""
    config = {"name": layer.name, **layer.config}
    return {"module": "keras.layers", "class_name": layer.kind, "config": config, "registered_name": None}


def _function(setting: str, name: str) -> str:
    if name == "hard_sigmoid":
        raise InputError(
            f"Keras 3 has no {setting} 'hard_sigmoid', clip(0.2 x + 0.5, 0, 1): by that name it has clip(x / 6 + 0.5, "
            "0, 1), here hard_sigmoid_keras3"
        )
    return "hard_sigmoid" if name == "hard_sigmoid_keras3" else name


_METHODS = {
    "embedding": _embedding,
    "masking": _masking,
    "dropout": _dropout,
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
