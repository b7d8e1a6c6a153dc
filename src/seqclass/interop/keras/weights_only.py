"""The layers of a file that holds weights alone, by the names and shapes of its arrays.

What cannot be seen there is taken from `Unsaid`, or assumed and named. The result is a model with a configuration, as
if the file had one.
"""

import re
from collections.abc import Sequence
from typing import Any, NoReturn

from seqclass.errors import InputError
from seqclass.interop.keras.hdf5 import HDF5
from seqclass.interop.keras.model import Array, KerasBranches, KerasItem, KerasLayer
from seqclass.interop.keras.names import snake_case
from seqclass.interop.keras.unsaid import Unsaid
from seqclass.interop.keras.weights import by_place

_ADVICE = "give the model's configuration, which Keras' model.to_json() returns: --architecture FILE"
_RECURRENT = ("LSTM", "GRU", "SimpleRNN", "CuDNNLSTM", "CuDNNGRU", "Bidirectional")
_POOLINGS = ("MaxPooling1D", "AveragePooling1D")
_GLOBAL = ("GlobalAveragePooling1D", "GlobalMaxPooling1D")
_TEXT = ("TextVectorization", "StringLookup")
# What changes nothing, is in the settings of others, or is lost: how texts became ids.
_LEFT_OUT = ("InputLayer", "Activation", "Concatenate", *_TEXT)
_WITH_WEIGHTS = ("Embedding", "Conv1D", *_RECURRENT, "BatchNormalization", "LayerNormalization", "Dense")
_WITHOUT = (
    "Dropout",
    "SpatialDropout1D",
    "GaussianNoise",
    "GaussianDropout",
    "Masking",
    "Concatenate",
    "InputLayer",
    *_TEXT,
)
_BY_NAME = {
    **{snake_case(kind): kind for kind in (*_WITH_WEIGHTS, *_POOLINGS, *_GLOBAL, *_WITHOUT, "Activation", "Flatten")},
    # Keras 1's.
    **{
        "maxpooling1d": "MaxPooling1D",
        "convolution1d": "Conv1D",
        "input": "InputLayer",
        "gaussiannoise": "GaussianNoise",
    },
    **{"globalmaxpooling1d": "GlobalMaxPooling1D", "globalaveragepooling1d": "GlobalAveragePooling1D"},
    **{"spatialdropout1d": "SpatialDropout1D", "merge": "Concatenate", "simplernn": "SimpleRNN"},
}


def guess_from_places(file: HDF5, root: str, unsaid: Unsaid) -> tuple[list[KerasItem], list[str]]:
    """Find the layers of a file in the layout of Keras 3, whose groups are named by classes, and in no order.

    Returns:
        The layers, and what was assumed.

    Raises:
        InputError: they cannot be put in an order, or one is of an unknown class.
    """
    guess = _Guess(file.source, 3, unsaid)
    layers = []
    for group in sorted(file.children(root), key=_counted):
        name = group.rpartition("/")[2]
        kind = _BY_NAME.get(re.sub(r"_\d+$", "", name))
        if kind is None:
            guess.refuse(name, "its class is not known, or its order among the others")
        layers.append(KerasLayer(kind, name, place=group))
    by_place(file, layers, root)
    for layer in layers:
        # Empty groups of TensorFlow's own bookkeeping have no arrays.
        layer.kind = guess.kind_of(layer.kind, layer)
    return guess.finish(_in_order(guess, layers))


def guess_from_names(
    source: str, arrays: dict[str, dict[str, Array]], keras: int, unsaid: Unsaid
) -> tuple[list[KerasItem], list[str]]:
    """Find the layers of a file in the layout of Keras 1 and 2, which has them in the model's order.

    Returns:
        The layers, and what was assumed.

    Raises:
        InputError: what one of them is cannot be seen.
    """
    guess = _Guess(source, keras, unsaid)
    layers: list[KerasLayer] = []
    for name, own in arrays.items():
        layer = KerasLayer("", name, arrays=own)
        by_name = _BY_NAME.get(re.sub(r"_\d+$", "", name))
        layer.kind = guess.kind_of(by_name, layer, first=not any(other.arrays for other in layers))
        layers.append(layer)
    return guess.finish(layers)


class _Guess:
    """Settings for layers, and what was assumed on the way."""

    def __init__(self, source: str, keras: int, unsaid: Unsaid) -> None:
        self._source = source
        self._keras = keras
        self._unsaid = unsaid
        self.assumed: list[str] = []
        # What a Bidirectional makes of both: their states side by side, or one of the two.
        self.directions = 2 if unsaid.merge_mode in (None, "concat") else 1

    def refuse(self, name: str, reason: str) -> NoReturn:
        raise InputError(f"{self._source} holds weights alone, and of the layer {name!r:.80} {reason}: {_ADVICE}")

    def kind_of(self, by_name: str | None, layer: KerasLayer, *, first: bool = False) -> str:
        """Tell what a layer is, by the shapes of its arrays, or by its name if it has none."""
        shapes = [array.shape for array in layer.arrays.values()]
        if not shapes:
            if by_name is None or by_name in _WITH_WEIGHTS:
                self.refuse(layer.name, "what it is cannot be seen: it has no arrays")
            return by_name
        kind = _by_shapes(shapes, self._keras, by_name, first)
        if kind is None:
            self.refuse(layer.name, f"what it is cannot be seen: its arrays have the shapes {shapes}")
        return kind

    def finish(self, layers: list[KerasLayer]) -> tuple[list[KerasItem], list[str]]:
        """Give the layers, which are in order, their settings."""
        layers = [layer for layer in layers if layer.kind not in _LEFT_OUT]
        dense = [layer for layer in layers if layer.kind == "Dense"]
        if not dense or not layers or layers[0].kind != "Embedding":
            raise InputError(
                f"{self._source} holds weights alone, of {', '.join(layer.kind for layer in layers) or 'no layers'}: "
                f"a model from an embedding to a dense layer is read; else {_ADVICE}"
            )
        last = len(layers)
        for place, layer in enumerate(layers):
            if layer.kind in (*_RECURRENT, *_GLOBAL, "Flatten"):
                last = place
        for place, layer in enumerate(layers):
            layer.config = self._config(layer, dense, sequences=place < last)
        self._note_dropout(layers)
        return self._with_branches(layers), self.assumed

    def _config(self, layer: KerasLayer, dense: Sequence[KerasLayer], *, sequences: bool) -> dict[str, Any]:
        kind, shapes = layer.kind, [array.shape for array in layer.arrays.values()]
        if kind == "Embedding":
            return {"mask_zero": self._take("mask_padding", "mask_zero of the embedding", False)}
        if kind == "Conv1D":
            return {
                "use_bias": len(shapes) > 1,
                "padding": self._take("conv_padding", "padding of the convolution", "same"),
                "strides": self._take("conv_strides", "stride of the convolution", 1),
                "dilation_rate": self._take("conv_dilation", "dilation of the convolution", 1),
                "activation": self._take("conv_activation", "activation of the convolution", "relu"),
            }
        if kind in _POOLINGS:
            size = self._take("pool_size", "size of the pooling", 2)
            return {"pool_size": size, "strides": self._take("pool_strides", "stride of the pooling", size)}
        if kind == "Dense":
            return {"use_bias": len(shapes) > 1, "activation": self._dense_activation(layer is dense[-1], shapes[0][1])}
        if kind == "Bidirectional":
            half = len(shapes) // 2
            inner = _by_shapes(shapes[:half], self._keras, None, False)
            mode = self._take("merge_mode", "merge_mode of the Bidirectional", "concat")
            entry = {"class_name": inner, "config": self._recurrent(str(inner), shapes[:half], sequences)}
            return {"merge_mode": mode, "layer": entry}
        if kind in _RECURRENT:
            backwards = self._take("go_backwards", "direction of the recurrent layer (go_backwards)", False)
            return {**self._recurrent(kind, shapes, sequences), "go_backwards": backwards}
        if kind in ("BatchNormalization", "LayerNormalization"):
            own = len(shapes) - (2 if kind == "BatchNormalization" else 0)
            if own != 2:
                self.refuse(layer.name, "whether it scales or centers cannot be seen")
            self._assume(f"epsilon of the {kind}, taken as 0.001")
        return {}

    def _recurrent(self, kind: str, shapes: list[tuple[int, ...]], sequences: bool) -> dict[str, Any]:
        gates = "hard_sigmoid" if self._keras == 1 else "sigmoid"
        config: dict[str, Any] = {
            "return_sequences": sequences,
            "activation": self._take("activation", f"activation of the {kind}", "tanh"),
            "use_bias": self._keras == 1 or len(shapes) > 2,
        }
        if kind == "GRU":
            config["reset_after"] = len(shapes) > 2 and len(shapes[2]) == 2
            if len(shapes) == 2:
                config["reset_after"] = self._keras == 3
                self._assume(f"reset_after of the GRU, which has no bias, taken as {self._keras == 3}")
        if kind != "SimpleRNN":
            name = f"activation of the gates (Keras {self._keras}'s default)"
            found = self._take("recurrent_activation", name, gates)
            config["recurrent_activation"] = "hard_sigmoid" if found == "hard_sigmoid_keras3" else found
        return config

    def _dense_activation(self, is_last: bool, units: int) -> str:
        if not is_last:
            return str(self._take("hidden_activation", "activation of the hidden dense layers", "relu"))
        default = "sigmoid" if units == 1 else "softmax"
        return str(self._take("output_activation", "activation of the output", default))

    def _take(self, option: str, what: str, default: Any) -> Any:
        given = getattr(self._unsaid, option)
        if given is not None:
            return given
        self._assume(f"{what}, taken as {default} (--{option} otherwise)")
        return default

    def _assume(self, line: str) -> None:
        if line not in self.assumed:
            self.assumed.append(line)

    def _note_dropout(self, layers: Sequence[KerasLayer]) -> None:
        """Rates change training alone; the stacks that have dropout begin with the notebook's."""
        if any(layer.kind in ("Dropout", "SpatialDropout1D") for layer in layers):
            self._assume("rates of dropout, taken as 0.2 (they change training alone)")
            for layer in layers:
                if layer.kind in ("Dropout", "SpatialDropout1D"):
                    layer.config = {"rate": 0.2}

    def _with_branches(self, layers: list[KerasLayer]) -> list[KerasItem]:
        """Two global poolings are side by side."""
        pools = [layer for layer in layers if layer.kind in _GLOBAL]
        items: list[KerasItem] = list(layers)
        if len(pools) > 1:
            self._assume(f"order of the poolings side by side, taken as {', '.join(layer.kind for layer in pools)}")
            place = items.index(pools[0])
            merge = KerasLayer("Concatenate", "concatenate")
            items = [item for item in items if item not in pools]
            items.insert(place, KerasBranches(merge, [[pool] for pool in pools]))
        return items


def _by_shapes(shapes: list[tuple[int, ...]], keras: int, by_name: str | None, first: bool) -> str | None:
    """Return the class of a layer with arrays of these shapes."""
    dims = [len(shape) for shape in shapes]
    gates = [2, 2, 1]
    if dims == [2]:
        return "Embedding" if first or by_name == "Embedding" else "Dense"
    if dims == [2, 1]:
        return "Dense"
    if dims in ([3], [3, 1], [4], [4, 1]):
        return "Conv1D"
    if set(dims) == {1} and by_name in ("BatchNormalization", "LayerNormalization"):
        return by_name
    if keras == 1:
        single = {12: "LSTM", 9: "GRU", 3: "SimpleRNN"}
        if len(dims) in single and dims == gates * (len(dims) // 3):
            return single[len(dims)]
        return "Bidirectional" if len(dims) in (24, 18, 6) and dims == gates * (len(dims) // 3) else None
    if len(dims) in (4, 6) and by_name in (None, "Bidirectional"):
        half = len(dims) // 2
        ahead, back = (_by_shapes(part, keras, None, False) for part in (shapes[:half], shapes[half:]))
        return "Bidirectional" if ahead == back and ahead in _RECURRENT else None
    return _recurrent_by_shapes(shapes, dims)


def _recurrent_by_shapes(shapes: list[tuple[int, ...]], dims: list[int]) -> str | None:
    if dims not in ([2, 2], [2, 2, 1], [2, 2, 2]):
        return None
    units, width = shapes[1]
    ratio, bias = width / units, shapes[2][-1] / width if len(shapes) > 2 else 1
    kinds = {(4, 1): "LSTM", (3, 1): "GRU", (1, 1): "SimpleRNN", (4, 2): "CuDNNLSTM", (3, 2): "CuDNNGRU"}
    return kinds.get((ratio, bias))  # type: ignore[arg-type]  # whole numbers, or not among them


def _in_order(guess: _Guess, layers: list[KerasLayer]) -> list[KerasLayer]:
    """Layers of a file that has no order: by what each reads and makes, else as they are usually put together."""
    queues = {kind: [layer for layer in layers if layer.kind in kinds] for kind, kinds in _STAGES.items()}
    if len(queues["embedding"]) != 1:
        guess.refuse("embedding", f"there are {len(queues['embedding'])}")
    dropouts = queues.pop("dropout")
    found = _arranged(queues, guess)
    if found is None:
        raise InputError(
            f"{layers[0].name}: the layers of this file of weights do not fit each other in any order: {_ADVICE}"
        )
    guess.assumed.append(f"order of the layers, taken as {', '.join(layer.name for layer in found)}")
    if _is_notebooks(found):
        guess.assumed.pop()
    places = [place for place, layer in enumerate(found) if layer.kind in _RECURRENT]
    if len(dropouts) == 2 and len(places) == 1 and dropouts[0].kind == dropouts[1].kind == "Dropout":
        return [*found[: places[0]], dropouts[0], found[places[0]], dropouts[1], *found[places[0] + 1 :]]
    spatial = [layer for layer in dropouts if layer.kind == "SpatialDropout1D"]
    others = [layer for layer in dropouts if layer.kind != "SpatialDropout1D"]
    return [found[0], *spatial, *found[1:-1], *others, found[-1]]


_STAGES: dict[str, tuple[str, ...]] = {
    "embedding": ("Embedding",),
    "masking": ("Masking",),
    "convolution": ("Conv1D",),
    "pooling": _POOLINGS,
    "recurrent": _RECURRENT,
    "global": _GLOBAL,
    "normalization": ("BatchNormalization", "LayerNormalization"),
    "flatten": ("Flatten",),
    "dense": ("Dense",),
    "dropout": ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout"),
}
_NOTEBOOK = (["Embedding", "LSTM", "Dense"], ["Embedding", "Conv1D", "MaxPooling1D", "LSTM", "Dense"])


def _is_notebooks(layers: list[KerasLayer]) -> bool:
    return [layer.kind for layer in layers] in _NOTEBOOK


def _arranged(queues: dict[str, list[KerasLayer]], guess: _Guess) -> list[KerasLayer] | None:
    """Return the first order that fits: convolutions before recurrent layers, each pooling behind its convolution."""
    if queues["masking"] or queues["normalization"] or queues["flatten"]:
        other = next(iter(queues["masking"] or queues["normalization"] or queues["flatten"]))
        guess.refuse(other.name, "its place among the others cannot be seen")
    (embedding,) = queues["embedding"]
    convolutions = [[layer] for layer in queues["convolution"]]
    for number, pooling in enumerate(queues["pooling"]):
        behind = len(convolutions) - len(queues["pooling"]) + number
        if not 0 <= behind < len(convolutions):
            guess.refuse(pooling.name, "its place among the others cannot be seen")
        convolutions[behind].append(pooling)
    recurrent = [[layer] for layer in queues["recurrent"]]
    for first, second in ((convolutions, recurrent), (recurrent, convolutions)):
        body = [layer for part in (*first, *second) for layer in part]
        order = [embedding, *body, *queues["global"], *queues["dense"]]
        if _fits(order, len(queues["global"]), guess.directions):
            return order
    return None


def _fits(order: list[KerasLayer], poolings: int, directions: int) -> bool:
    features: int | None = None
    joined = False
    for layer in order:
        shapes = [array.shape for array in layer.arrays.values()]
        if not shapes:
            continue
        if layer.kind == "Dense" and features is not None and not joined:
            features, joined = features * max(poolings, 1), True
        reads = shapes[0][-2] if layer.kind != "Embedding" else None
        if features is not None and reads is not None and reads != features:
            return False
        if layer.kind == "Bidirectional":
            features = directions * shapes[1][0]
        elif layer.kind in _RECURRENT:
            features = shapes[1][0]
        else:
            features = shapes[0][-1]
    return True


def _counted(group: str) -> tuple[str, int]:
    """Sorts `lstm_2` before `lstm_10`."""
    name = group.rpartition("/")[2]
    found = re.fullmatch(r"(.*?)(?:_(\d+))?", name)
    assert found is not None
    return found[1], int(found[2] or 0)
