"""From Keras' layers to the descriptions and weights of a `seqclass.models.Chain`.

Each kind of layer has a method. A setting that changes predictions and is not known is refused, with the layer's name.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from seqclass.errors import InputError
from seqclass.interop.keras.described import Described
from seqclass.interop.keras.layouts import convolution_from_keras, recurrent_from_keras
from seqclass.interop.keras.model import Array, KerasBranches, KerasItem, KerasLayer, KerasModel
from seqclass.interop.keras.names import class_of
from seqclass.interop.keras.recurrent_settings import CELLS, RecurrentSettings, recurrent_settings
from seqclass.models.chain import ACTIVATIONS
from seqclass.models.chain.windows import edges_of

_DROPOUTS = {
    "Dropout": "numbers",
    "SpatialDropout1D": "features",
    "GaussianNoise": "gaussian_noise",
    "GaussianDropout": "gaussian_dropout",
}
# Names of functions in Keras, where ours differ.
_NAMES = {"swish": "silu"}
_IN_TIME_DISTRIBUTED = ("Dense", "Activation", "Dropout")
# What nothing follows from in evaluation.
_WITHOUT_EFFECT = ("ActivityRegularization", "Identity")
TEXT_LAYERS = ("TextVectorization", "StringLookup")


def describe_layers(model: KerasModel) -> Described:
    """Describe a model's layers; text layers are left to `texts`.

    Raises:
        InputError: a layer is not known, or has a setting that is not; the message has both.
    """
    return _Describer(model).described


class _Describer:
    """Goes through the layers, and knows what each is given: its steps if they are fixed, and its features."""

    def __init__(self, model: KerasModel) -> None:
        self._model = model
        self._layer = KerasLayer("", "")
        self._steps = model.input_length
        self._features: int | None = None
        self._is_sequence = True
        self.described = Described()
        self.described.layers = self._chain(model.layers, "layers")

    def _chain(self, items: Sequence[KerasItem], place: str) -> list[dict[str, Any]]:
        made: list[dict[str, Any]] = []
        for item in items:
            here = f"{place}.{len(made)}"
            if isinstance(item, KerasBranches):
                made.append(self._branches(item, here))
                continue
            self._layer = item
            if item.kind in TEXT_LAYERS or item.kind in _WITHOUT_EFFECT:
                continue
            try:
                self._note_policy(item.config.get("dtype"))
                made.append(self._described(item, here))
            except InputError:
                raise
            except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError) as error:
                self._refuse(f"one of its settings is not what Keras writes ({type(error).__name__}: {error!s:.100})")
        return made

    def _described(self, item: KerasLayer, here: str) -> dict[str, Any]:
        method: Callable[[str], dict[str, Any]] | None = _METHODS.get(item.kind, lambda _: None)(self)
        if method is None:
            self._refuse(_REFUSED.get(item.kind, f"a {item.kind} is not among the layers that are read"))
        return method(here)

    def _branches(self, item: KerasBranches, here: str) -> dict[str, Any]:
        given = self._steps, self._features, self._is_sequence
        made, ends = [], []
        for number, branch in enumerate(item.branches):
            self._steps, self._features, self._is_sequence = given
            made.append(self._chain(branch, f"{here}.branches.{number}"))
            ends.append((self._is_sequence, self._features))
        self._layer = item.merge
        axis = item.merge.config.get("axis", item.merge.config.get("concat_axis", -1))
        if axis not in (-1, 2 if self._is_sequence else 1) or item.merge.config.get("mode", "concat") != "concat":
            self._refuse("only features are concatenated, not steps")
        sizes = [features for _, features in ends]
        self._features = None if None in sizes else sum(size for size in sizes if size)
        return {"layer": "branches", "branches": made}

    # One method for each kind.

    def _embedding(self, here: str) -> dict[str, Any]:
        (table,) = self._take(here, "table.weight", dims=[2])
        self._put(f"{here}.table.weight", table)
        self._features, self._is_sequence = table.shape[1], True
        return {
            "layer": "embedding",
            "num_embeddings": table.shape[0],
            "embedding_dim": table.shape[1],
            "mask_zero": bool(self._setting("mask_zero", default=False)),
            "dropout": float(self._setting("dropout", default=0) or 0),
            "input_length": self._model.input_length,
        }

    def _masking(self, here: str) -> dict[str, Any]:
        return {"layer": "masking", "mask_value": float(self._setting("mask_value", default=0))}

    def _dropout(self, here: str) -> dict[str, Any]:
        kind = _DROPOUTS[self._layer.kind]
        rate = self._setting("stddev" if kind == "gaussian_noise" else "rate", "p", "sigma", default=0)
        return {"layer": "dropout", "rate": float(rate or 0), "kind": kind}

    def _dense(self, here: str) -> dict[str, Any]:
        bias = self._bias()
        arrays = self._take(here, "linear.weight", "linear.bias", dims=[2, 1] if bias else [2])
        self._put(f"{here}.linear.weight", arrays[0].T)
        if bias:
            self._put(f"{here}.linear.bias", arrays[1])
        inputs, outputs = arrays[0].shape
        self._features = outputs
        return {
            "layer": "dense",
            "in_features": inputs,
            "out_features": outputs,
            "activation": self._activation("activation", default="linear"),
            "bias": bias,
        }

    def _activation_layer(self, here: str) -> dict[str, Any]:
        kind, config = self._layer.kind, self._layer.config
        if kind == "Activation":
            return {"layer": "activation", "activation": self._activation("activation", default="linear")}
        if kind == "Softmax":
            if config.get("axis", -1) not in (-1, [-1]):
                self._refuse(f"axis is {config.get('axis')!r:.80}, and here always the last")
            return {"layer": "activation", "activation": "softmax"}
        if kind == "ReLU":
            largest = self._plain(config.get("max_value"))
            if (
                largest not in (None, 6)
                or self._plain(config.get("threshold"))
                or self._plain(config.get("negative_slope"))
            ):
                self._refuse("only the plain ReLU, and that up to 6, are read")
            return {"layer": "activation", "activation": "relu" if largest is None else "relu6"}
        leaky = kind == "LeakyReLU"
        slope = self._setting("negative_slope", "alpha", default=0.3 if leaky else 1.0)
        return {
            "layer": "activation",
            "activation": "leaky_relu" if leaky else "elu",
            "slope": float(self._plain(slope)),
        }

    def _normalization(self, here: str) -> dict[str, Any]:
        batch = self._layer.kind == "BatchNormalization"
        rank = 2 if self._is_sequence else 1
        axis = self._plain(self._setting("axis", default=-1))
        if axis not in (-1, rank) or self._layer.config.get("mode", 0) != 0 or self._layer.config.get("rms_scaling"):
            self._refuse(f"axis is {axis!r:.80}; only the features are normalized here")
        scale, center = (self._setting(name, default=True) is not False for name in ("scale", "center"))
        names = [
            *(["weight"] if scale else []),
            *(["bias"] if center else []),
            *(["mean", "variance"] if batch else []),
        ]
        arrays = self._take(here, *names, dims=[1] * len(names))
        for name, array in zip(names, arrays, strict=True):
            self._put(f"{here}.{name}", array)
        features = arrays[0].shape[0] if arrays else self._features
        if features is None:
            self._refuse("how many features it reads is not known")
        eps = float(self._setting("epsilon", default=1e-3))
        return {
            "layer": "normalization",
            "features": features,
            "kind": "batch" if batch else "layer",
            "eps": eps,
            "scale": scale,
            "center": center,
        }

    def _flatten(self, here: str) -> dict[str, Any]:
        if self._steps is None or self._features is None or not self._is_sequence:
            self._refuse("it needs a fixed number of steps, which the file does not say")
        steps, features = self._steps, self._features
        self._features, self._is_sequence = steps * features, False
        return {"layer": "flatten", "steps": steps, "features": features}

    def _convolution(self, here: str) -> dict[str, Any]:
        self._allow("data_format", "channels_last", None)
        bias = self._bias()
        keras1 = self._model.keras == 1
        dims = [4 if keras1 else 3, 1] if bias else [4 if keras1 else 3]
        arrays = self._take(here, "convolution.weight", "convolution.bias", dims=dims)
        weight = convolution_from_keras(arrays[0], flipped=keras1 and self._model.backend == "theano")
        self._put(f"{here}.convolution.weight", weight)
        if bias:
            self._put(f"{here}.convolution.bias", arrays[1])
        stride = int(self._plain(self._setting("strides", "subsample_length", default=1)))
        dilation = int(self._plain(self._setting("dilation_rate", "atrous_rate", default=1)))
        groups = int(self._setting("groups", default=1))
        padding = str(self._setting("padding", "border_mode", default="valid"))
        if padding not in ("valid", "same", "causal"):
            self._refuse(f"padding is {padding!r:.80}, and here valid, same or causal")
        self._windows(padding, weight.shape[2], stride, dilation)
        self._features = weight.shape[0]
        return {
            "layer": "convolution",
            "in_channels": weight.shape[1] * groups,
            "out_channels": weight.shape[0],
            "kernel_size": weight.shape[2],
            "stride": stride,
            "dilation": dilation,
            "groups": groups,
            "padding": padding,
            "activation": self._activation("activation", default="linear"),
            "bias": bias,
        }

    def _pooling(self, here: str) -> dict[str, Any]:
        self._allow("data_format", "channels_last", None)
        size = int(self._plain(self._setting("pool_size", "pool_length", default=2)))
        stride = int(self._plain(self._setting("strides", "stride", default=None)) or size)
        padding = str(self._setting("padding", "border_mode", default="valid"))
        if padding not in ("valid", "same"):
            self._refuse(f"padding is {padding!r:.80}, and here valid or same")
        self._windows(padding, size, stride, 1)
        kind = "max" if self._layer.kind == "MaxPooling1D" else "mean"
        return {"layer": "pooling", "kind": kind, "size": size, "stride": stride, "padding": padding}

    def _global_pooling(self, here: str) -> dict[str, Any]:
        self._allow("data_format", "channels_last", None)
        self._allow("keepdims", False, None)
        self._is_sequence = False
        return {"layer": "global_pooling", "kind": "max" if self._layer.kind == "GlobalMaxPooling1D" else "mean"}

    def _recurrent(self, here: str) -> dict[str, Any]:
        read = self._read(self._layer.kind, self._layer.config, both=False)
        made = self._cell(here, read, list(self._layer.arrays.items()))
        self._features = made["hidden_size"]
        self._is_sequence = made["return_sequences"]
        return {"layer": "recurrent", **made}

    def _bidirectional(self, here: str) -> dict[str, Any]:
        config = self._layer.config
        ahead = config["layer"]
        back = config.get("backward_layer")
        if back is None:
            turned = not ahead["config"].get("go_backwards", False)
            back = {**ahead, "config": {**ahead["config"], "go_backwards": turned}}
        merge = config.get("merge_mode", "concat")
        if merge not in ("concat", "sum", "ave", "mul"):
            self._refuse(f"merge_mode is {merge!r:.80}, and here concat, sum, ave or mul")
        left = list(self._layer.arrays.items())
        made = {}
        for way, entry in (("forward_layer", ahead), ("backward_layer", back)):
            self._note_policy(entry["config"].get("dtype"))
            read = self._read(class_of(entry), entry["config"], both=True)
            own, left = (left[: len(read.dims)], left[len(read.dims) :]) if way == "forward_layer" else (left, [])
            made[way] = self._cell(f"{here}.{way}", read, own)
        sizes = [made[way]["hidden_size"] for way in made]
        self._features = sum(sizes) if merge == "concat" else sizes[0]
        self._is_sequence = made["forward_layer"]["return_sequences"]
        return {"layer": "bidirectional", **made, "merge": merge}

    def _read(self, kind: str, config: dict[str, Any], *, both: bool) -> RecurrentSettings:
        """Read the settings of a recurrent layer in one direction, or in one of both."""
        return recurrent_settings(
            kind,
            config,
            keras=self._model.keras,
            in_bidirectional=both,
            function=self._function,
            refuse=self._refuse,
        )

    def _cell(self, here: str, read: RecurrentSettings, arrays: list[tuple[str, Array]]) -> dict[str, Any]:
        """Describe a recurrent layer in one direction, and put its weights in."""
        self._check(arrays, read.dims, read.kind)
        cell = read.options["cell"]
        bias = f"bias_ih, {here}.layer.bias_hh" if cell == "gru" else "bias"
        targets = ("weight_ih", "weight_hh", bias)
        for number, (name, array) in enumerate(arrays):
            # Keras 1 has the three of each gate in turn.
            self.described.arrays.append((name, array.shape, f"{here}.layer.{targets[number % 3]}"))
        values = [array for _, array in arrays]
        weights = recurrent_from_keras(cell, values, keras=self._model.keras, cudnn=read.cudnn)
        for name, array in weights.items():
            self._put(f"{here}.layer.{name}", array)
        sizes = {"input_size": values[0].shape[0], "hidden_size": values[1].shape[0]}
        return {"cell": cell, **sizes, **read.options}

    def _time_distributed(self, here: str) -> dict[str, Any]:
        outer, entry = self._layer, self._layer.config["layer"]
        kind = class_of(entry)
        if kind not in _IN_TIME_DISTRIBUTED:
            self._refuse(f"it holds a {kind:.80}; only {', '.join(_IN_TIME_DISTRIBUTED)} are read within one")
        self._layer = KerasLayer(kind, outer.name, entry["config"], outer.arrays)
        made = self._described(self._layer, here)
        self._layer = outer
        return made

    # What the methods share.

    def _windows(self, padding: str, size: int, stride: int, dilation: int) -> None:
        if self._steps is None:
            return
        if min(stride, size, dilation) < 1:
            self._refuse(f"a window of {size} steps, {stride} apart, dilation {dilation}, is impossible")
        edges = edges_of(padding, steps=self._steps, size=size, stride=stride, dilation=dilation)
        self._steps = (self._steps + sum(edges) - (size - 1) * dilation - 1) // stride + 1
        if self._steps < 1:
            self._refuse("its windows are longer than the sequence")

    def _take(self, here: str, *targets: str, dims: list[int]) -> list[Array]:
        arrays = list(self._layer.arrays.items())
        self._check(arrays, dims, self._layer.kind)
        for (name, array), target in zip(arrays, targets, strict=False):
            self.described.arrays.append((name, array.shape, f"{here}.{target}"))
        return [array for _, array in arrays]

    def _check(self, arrays: list[tuple[str, Array]], dims: list[int], kind: str) -> None:
        if [array.ndim for _, array in arrays] != dims:
            shapes = [array.shape for _, array in arrays]
            self._refuse(f"its arrays have the shapes {shapes}, and a {kind} with these settings has {len(dims)}")

    def _put(self, name: str, array: Array) -> None:
        self.described.state[name] = array

    def _setting(self, *names: str, default: Any = None) -> Any:
        """Return a setting by its name in Keras 2 and 3, or another that a version has for it."""
        return next((self._layer.config[name] for name in names if name in self._layer.config), default)

    def _bias(self) -> bool:
        return self._setting("use_bias", "bias", default=True) is not False

    def _allow(self, name: str, *values: Any) -> None:
        if (found := self._layer.config.get(name, values[0])) not in values:
            self._refuse(f"{name} is {found!r:.80}, and here always {values[0]!r}")

    def _activation(self, name: str, *, default: str) -> str:
        return self._function(name, self._layer.config.get(name, default))

    def _function(self, name: str, value: Any) -> str:
        """Return the name of a function here; None is the identity."""
        if isinstance(value, dict):
            # What Keras looks up by a name in another module is another's code, and never run.
            value = value.get("config") if value.get("class_name") == "function" else value.get("class_name")
            value = str(value).lower() if value in ("ReLU", "ELU", "Softmax") else value
        if value is None:
            return "linear"
        if value == "hard_sigmoid":
            return "hard_sigmoid_keras3" if self._model.keras == 3 else "hard_sigmoid"
        found = _NAMES.get(str(value), value)
        if not isinstance(found, str) or found not in ACTIVATIONS or found == "hard_sigmoid_keras3":
            self._refuse(f"{name} is {value!r:.80}, which is not among the functions that are read")
        return found

    @staticmethod
    def _plain(value: Any) -> Any:
        """Unpack a value: a list of one is its item; a number may be wrapped, as tf_keras does with arrays of numpy."""
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("value", value.get("config", {}).get("value"))
        return value

    def _note_policy(self, dtype: Any) -> None:
        if isinstance(dtype, dict):
            dtype = (dtype.get("config") or {}).get("name")
        if isinstance(dtype, str) and ("16" in dtype or "int8" in dtype or "float8" in dtype):
            self.described.policies.add(dtype)

    def _refuse(self, reason: str) -> NoReturn:
        layer = self._layer
        raise InputError(
            f"{self._model.source}: layer {layer.name!r:.80} ({layer.kind:.40}) cannot be represented: {reason}"
        )


_METHODS: dict[str, Callable[[_Describer], Callable[[str], dict[str, Any]]]] = {
    "Embedding": lambda d: d._embedding,
    "Masking": lambda d: d._masking,
    **dict.fromkeys(_DROPOUTS, lambda d: d._dropout),
    "Dense": lambda d: d._dense,
    "TimeDistributedDense": lambda d: d._dense,
    **dict.fromkeys(("Activation", "Softmax", "ReLU", "LeakyReLU", "ELU"), lambda d: d._activation_layer),
    **dict.fromkeys(("BatchNormalization", "LayerNormalization"), lambda d: d._normalization),
    "Flatten": lambda d: d._flatten,
    "Conv1D": lambda d: d._convolution,
    **dict.fromkeys(("MaxPooling1D", "AveragePooling1D"), lambda d: d._pooling),
    **dict.fromkeys(("GlobalMaxPooling1D", "GlobalAveragePooling1D"), lambda d: d._global_pooling),
    **dict.fromkeys((*CELLS, "RNN"), lambda d: d._recurrent),
    "Bidirectional": lambda d: d._bidirectional,
    "TimeDistributed": lambda d: d._time_distributed,
}
_REFUSED = {
    "Lambda": "a Lambda is code, which is never run",
    "Concatenate": "it reads one layer alone",
}
