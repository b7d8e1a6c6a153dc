"""Which arrays of a file belong to which layer, in the two layouts that Keras has had.

Keras 3 (and tf_keras in its `.keras` files) names groups by the layers' classes and their places: `layers/lstm_1`. The
older layout lists, for each layer of the outermost model, its arrays by name; those of a nested model are one list,
what is trained first.
"""

from collections.abc import Sequence
from typing import Any

from seqclass.errors import InputError
from seqclass.interop.keras.hdf5 import HDF5
from seqclass.interop.keras.model import Array, KerasLayer

_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "RNN")
_KERAS1_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def by_place(file: HDF5, layers: Sequence[KerasLayer], root: str = "layers") -> None:
    """Give each layer its arrays, from the layout of Keras 3.

    Args:
        file: as read.
        layers: grow their arrays.
        root: what the file calls the outermost container, in place of `layers`.
    """
    for layer in layers:
        place = root + layer.place.removeprefix("layers")
        names = [name for name in file.below(place) if file.arrays[name] is not None]
        if layer.kind == "Bidirectional":
            names.sort(key=lambda name: "backward_layer" in name.removeprefix(place).split("/"))
        layer.arrays = {name: file.array(name) for name in names}


def by_names(file: HDF5, layers: Sequence[KerasLayer], keras: int) -> None:
    """Give each layer its arrays, from the layout of Keras 1 and 2.

    Raises:
        InputError: a layer has not the arrays that it needs, or a nested model others than its layers need.
    """
    listed = listed_arrays(file)
    owners: dict[str, list[KerasLayer]] = {}
    for layer in layers:
        owners.setdefault(layer.owner, []).append(layer)
    for owner, inside in owners.items():
        arrays = listed.get(owner, {})
        if len(inside) == 1:
            inside[0].arrays = arrays
            continue
        _share(file.source, owner, inside, arrays, keras)


def listed_arrays(file: HDF5) -> dict[str, dict[str, Array]]:
    """Return the arrays of each layer in the layout of Keras 1 and 2, in the file's order."""
    root = "model_weights" if "model_weights" in file.groups else ""
    names = file.texts(root, "layer_names")
    if names is None:
        raise InputError(f"{file.source} is not a weights file of Keras: it lists no layers")
    found: dict[str, dict[str, Array]] = {}
    for name in names:
        group = f"{root}/{name}".strip("/")
        found[name] = {key: file.array(f"{group}/{key}") for key in file.texts(group, "weight_names") or []}
    return found


def _share(source: str, owner: str, layers: Sequence[KerasLayer], arrays: dict[str, Array], keras: int) -> None:
    """Deal the list of a nested model out: to each layer what it trains, in order, and then what it does not."""
    try:
        numbers = [_numbers(layer.kind, layer.config, keras) for layer in layers]
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{source}: a layer of {owner!r:.80} has settings that Keras does not write") from error
    left = list(arrays.items())
    wanted = sum(map(sum, numbers))
    if wanted != len(left):
        raise InputError(
            f"{source}: the model {owner!r:.80} within it has {len(left)} arrays, and its layers need {wanted}"
        )
    parts: list[list[tuple[str, Array]]] = [[] for _ in layers]
    for trained in (True, False):
        for layer, part, (own, fixed) in zip(layers, parts, numbers, strict=True):
            frozen = layer.config.get("trainable") is False
            count = (0 if frozen else own) if trained else fixed + (own if frozen else 0)
            part += left[:count]
            del left[:count]
    for layer, part in zip(layers, parts, strict=True):
        layer.arrays = dict(part)


def _numbers(kind: str, config: dict[str, Any], keras: int) -> tuple[int, int]:
    """How many arrays a layer has, those that are trained and those that are not."""
    bias = int(config.get("use_bias", config.get("bias", True)) is not False)
    if kind == "Embedding":
        return 1, 0
    if kind in ("Dense", "Conv1D"):
        return 1 + bias, 0
    if kind in _RECURRENT:
        return (3 * _KERAS1_GATES.get(kind, 0), 0) if keras == 1 else (2 + bias, 0)
    if kind == "Bidirectional":
        inner = config["layer"]
        other = config.get("backward_layer") or inner
        return sum(_numbers(each["class_name"], each["config"], keras)[0] for each in (inner, other)), 0
    if kind == "TimeDistributed":
        return _numbers(config["layer"]["class_name"], config["layer"]["config"], keras)
    if kind in ("BatchNormalization", "LayerNormalization"):
        own = sum(config.get(name) is not False for name in ("scale", "center"))
        return own, 2 if kind == "BatchNormalization" else 0
    return 0, 0
