"""From a Keras model to a classifier: which stack it is, its sizes, and its weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop.keras.files import read_keras
from seqclass.interop.keras.layouts import convolution_to_stack, lstm_to_stack
from seqclass.interop.keras.model import Array, Backend, KerasLayer, KerasModel
from seqclass.models import StackName, StackOptions
from seqclass.nn import Initializer, RecurrentActivation
from seqclass.text import TextPipeline, Tokenizer, Vocabulary

_NOTEBOOK_LENGTH = 500
_ORDERS: tuple[tuple[str, ...], ...] = (
    ("Embedding", "LSTM", "Dense"),
    ("Embedding", "Dropout", "LSTM", "Dropout", "Dense"),
    ("Embedding", "Conv1D", "MaxPooling1D", "LSTM", "Dense"),
)
_KNOWN = {kind for order in _ORDERS for kind in order}


@dataclass
class ImportReport:
    """What an import has read.

    Attributes:
        keras: major version that wrote the file.
        stack: which of the project's stacks it is.
        options: the stack's sizes, rates and activation.
        arrays: for each array its name in the file, its shape there, and the weights it became.
        assumed: what the file does not say, and what was taken instead.
    """

    keras: int
    stack: StackName
    options: dict[str, Any]
    arrays: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"Keras {self.keras} file, stack {self.stack}"]
        lines += [f"  {name} = {value}" for name, value in self.options.items()]
        lines += [f"  {name} {shape} -> {target}" for name, shape, target in self.arrays]
        lines += [f"  not in the file: {line}" for line in self.assumed]
        return "\n".join(lines)


def import_keras(
    file: str | Path,
    *,
    stack: StackName | None = None,
    recurrent_activation: RecurrentActivation | None = None,
    mask_padding: bool | None = None,
    pool_size: int | None = None,
    backend: Backend | None = None,
    word_index: str | None = None,
    maxlen: int | None = None,
    labels: list[str] | None = None,
) -> tuple[TextClassifier, ImportReport]:
    """Read a model, or a model's weights, that Keras 1, 2 or 3 has written.

    Args:
        file: `.keras`, or `.h5` with a whole model or with weights only.
        stack: for a file without a configuration, where stacks that differ in dropout alone look the same.
        recurrent_activation: in place of the file's; without one it is Keras' default, hard_sigmoid in Keras 1.
        mask_padding: whether the embedding had `mask_zero`, for a file without a configuration.
        pool_size: of the max pooling, for a file without a configuration; 2 if not given.
        backend: what Keras 1 ran on, in place of what the names of the arrays say. Theano reversed the kernels of
            convolutions.
        word_index: Keras' JSON file of words and ranks, to read raw texts with; ids as in `imdb.load_data`.
        maxlen: length to which texts are cut or padded; None for the model's own, else 500.
        labels: names of the classes, the one of the smallest output first; None for 0, 1 and so on.

    Returns:
        The classifier, in evaluation mode, and what was read.

    Raises:
        InputError: the file is missing or broken, or holds what none of the stacks is; the message names the layer.
    """
    model = read_keras(file)
    layers = _merge_activation(model)
    for layer in layers:
        if layer.kind not in _KNOWN:
            _refuse(model, layer, f"the notebook's layers are read, and none of them is a {layer.kind}")
    order = tuple(layer.kind for layer in layers)
    if order not in _ORDERS:
        known = "; ".join(", ".join(known) for known in _ORDERS)
        raise InputError(f"{file} has the layers {', '.join(order) or '(none)'}; the known stacks are: {known}")
    if backend is not None:
        model.backend = backend
    reader = _StackReader(model, layers)
    options = reader.options(stack, recurrent_activation, mask_padding, pool_size)
    state = reader.state()
    report = ImportReport(model.keras, reader.stack, options, reader.arrays, reader.assumed)
    names = labels or [str(number) for number in range(options["num_classes"])]
    if len(names) != options["num_classes"] or len(set(names)) < len(names):
        raise InputError(f"labels={names} does not fit: {options['num_classes']} different names are needed")
    pipeline = None
    if word_index is not None:
        vocabulary = Vocabulary.from_keras_word_index(word_index, num_words=options["num_embeddings"])
        length = maxlen or model.input_length or _NOTEBOOK_LENGTH
        pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=vocabulary, maxlen=length)
    try:
        initializer: Initializer = "keras1" if model.keras == 1 else "keras"
        stack_options = StackOptions(stack=reader.stack, initializer=initializer, **options)
        classifier = TextClassifier(stack_options, pipeline=pipeline, label_names=names)
        classifier.stack.load_state_dict({name: torch.tensor(np.ascontiguousarray(a)) for name, a in state.items()})
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{file}: {' '.join(str(error).split())}") from error
    return classifier.eval(), report


def _refuse(model: KerasModel, layer: KerasLayer, reason: str) -> NoReturn:
    raise InputError(f"{model.source}: layer {layer.name!r} cannot be represented: {reason}")


def _merge_activation(model: KerasModel) -> list[KerasLayer]:
    """`Dense` and `Activation` at the end are one `Dense` with that activation."""
    layers = list(model.layers)
    if len(layers) > 1 and layers[-1].kind == "Activation" and layers[-2].kind == "Dense":
        dense, activation = layers[-2], layers.pop()
        if dense.config is not None and activation.config is not None:
            if dense.config.get("activation", "linear") != "linear":
                _refuse(model, activation, f"{dense.name!r} has an activation already")
            dense.config = {**dense.config, "activation": activation.config.get("activation")}
    return layers


class _StackReader:
    """Options and weights of one of the stacks, from layers whose order is known to be that of one."""

    def __init__(self, model: KerasModel, layers: Sequence[KerasLayer]) -> None:
        self._model = model
        self._configured = layers[0].config is not None
        self._layers = {layer.kind: layer for layer in layers}
        self._dropouts = [layer for layer in layers if layer.kind == "Dropout"]
        self.stack: StackName = "lstm"
        self.arrays: list[tuple[str, tuple[int, ...], str]] = []
        self.assumed: list[str] = []

    def options(
        self,
        stack: StackName | None,
        recurrent_activation: RecurrentActivation | None,
        mask_padding: bool | None,
        pool_size: int | None,
    ) -> dict[str, Any]:
        """Return what `TextClassifier` is built with."""
        embedding, lstm, dense = (self._shapes(kind) for kind in ("Embedding", "LSTM", "Dense"))
        units = dense[0][1]
        rates = self._rates()
        self.stack = self._find_stack(rates, stack)
        self._check_settings()
        options: dict[str, Any] = {
            "num_embeddings": embedding[0][0],
            "num_classes": max(units, 2),
            "embedding_dim": embedding[0][1],
            "hidden_size": lstm[1][0],
            "recurrent_activation": self._activation(recurrent_activation),
        }
        if self.stack == "cnn_lstm":
            kernel = self._shapes("Conv1D")[0]
            options |= {"channels": kernel[-1], "kernel_size": kernel[0], "pool_size": self._pool_size(pool_size)}
        else:
            options["mask_padding"] = self._mask(mask_padding)
        if mask_padding and self.stack == "cnn_lstm":
            raise InputError("mask_padding does not go with the stack cnn_lstm")
        wanted = {
            "lstm": (),
            "cnn_lstm": (),
            "lstm_dropout": ("word_dropout", "dropout"),
            "lstm_gate_dropout": ("word_dropout", "dropout", "recurrent_dropout"),
        }[self.stack]
        if self._configured:
            options |= {name: rates[name] for name in wanted}
        elif wanted:
            self.assumed.append("rates of dropout, taken as the stack's own (they change training alone)")
        return options

    def state(self) -> dict[str, Array]:
        """Return the weights by the names of a `Stack`."""
        keras = self._model.keras
        state = {"embedding.weight": self._take("Embedding", "embedding.weight")[0]}
        if self.stack == "cnn_lstm":
            arrays = self._take("Conv1D", "convolution.weight", "convolution.bias")
            state |= convolution_to_stack(arrays, keras, flipped=keras == 1 and self._model.backend == "theano")
        state |= lstm_to_stack(
            self._take("LSTM", "recurrent.weight_ih", "recurrent.weight_hh", "recurrent.bias"), keras
        )
        kernel, bias = self._take("Dense", "output.weight", "output.bias")
        if kernel.shape[1] == 2:
            # A softmax over two outputs is the sigmoid of their difference.
            kernel, bias = kernel[:, 1:] - kernel[:, :1], bias[1:] - bias[:1]
        return state | {"output.weight": kernel.T, "output.bias": bias}

    def _take(self, kind: str, *targets: str) -> list[Array]:
        layer = self._layers[kind]
        for number, (name, array) in enumerate(layer.arrays.items()):
            # Keras 1's LSTM has the three of each gate in turn.
            self.arrays.append((name, array.shape, targets[number % len(targets)]))
        return list(layer.arrays.values())

    def _shapes(self, kind: str) -> list[tuple[int, ...]]:
        layer = self._layers[kind]
        shapes = [array.shape for array in layer.arrays.values()]
        keras1 = self._model.keras == 1
        dims = {
            "Embedding": [2],
            "LSTM": [2, 2, 1] * (4 if keras1 else 1),
            "Dense": [2, 1],
            "Conv1D": [4 if keras1 else 3, 1],
        }[kind]
        if [len(shape) for shape in shapes] != dims:
            _refuse(self._model, layer, f"its arrays have the shapes {shapes}, a {kind} with bias has {len(dims)}")
        return shapes

    def _setting(self, kind: str, *names: str, default: Any = None) -> Any:
        """Return a setting by its name in Keras 2 and 3, or its name in Keras 1."""
        config = self._layers[kind].config or {}
        return next((config[name] for name in names if name in config), default)

    def _check_settings(self) -> None:
        """Refuse what changes the predictions and no stack can be told."""
        for kind, allowed in _ALLOWED.items():
            if kind not in self._layers or not self._configured:
                continue
            for names, values in allowed.items():
                found = _plain(self._setting(kind, *names, default=values[0]))
                if found not in values:
                    known = " or ".join(map(repr, values))
                    _refuse(self._model, self._layers[kind], f"{names[0]} is {found!r:.80}, and here always {known}")
        if self._configured:
            units, activation = self._shapes("Dense")[0][1], self._setting("Dense", "activation", default="linear")
            allowed_last = ("sigmoid", "linear") if units == 1 else ("softmax", "linear")
            if activation not in allowed_last:
                reason = f"activation is {activation!r:.80}; {units} outputs go with {' or '.join(allowed_last)}"
                _refuse(self._model, self._layers["Dense"], reason)

    def _rates(self) -> dict[str, float]:
        rates = {float((layer.config or {}).get("rate", (layer.config or {}).get("p", 0))) for layer in self._dropouts}
        if len(rates) > 1:
            _refuse(self._model, self._dropouts[1], f"the two Dropout layers have the rates {sorted(rates)}, not one")
        gates = float(self._setting("LSTM", "dropout", "dropout_W", default=0))
        return {
            "word_dropout": float(self._setting("Embedding", "dropout", default=0)),
            "dropout": rates.pop() if rates else gates,
            "recurrent_dropout": float(self._setting("LSTM", "recurrent_dropout", "dropout_U", default=0)),
        }

    def _find_stack(self, rates: dict[str, float], wanted: StackName | None) -> StackName:
        found: StackName = "lstm"
        if "Conv1D" in self._layers:
            found = "cnn_lstm"
        elif self._dropouts:
            found = "lstm_dropout"
        elif any(rates.values()):
            found = "lstm_gate_dropout"
        if found in ("cnn_lstm", "lstm_dropout") and rates["recurrent_dropout"]:
            _refuse(self._model, self._layers["LSTM"], f"the stack {found} has no dropout within the gates")
        if found == "lstm_dropout" and self._setting("LSTM", "dropout", "dropout_W", default=0):
            _refuse(self._model, self._layers["LSTM"], f"the stack {found} has no dropout within the gates")
        if found == "cnn_lstm" and any(rates.values()):
            _refuse(self._model, self._layers["Embedding"], "the stack cnn_lstm has no dropout")
        if found == "lstm" and not self._configured:
            if wanted == "lstm_gate_dropout":
                return wanted
            self.assumed.append("dropout within the gates, taken as none (--stack lstm_gate_dropout otherwise)")
        if wanted not in (None, found):
            raise InputError(f"{self._model.source} holds the stack {found}, not {wanted}")
        return found

    def _activation(self, wanted: RecurrentActivation | None) -> RecurrentActivation:
        keras = self._model.keras
        if wanted is not None:
            return wanted
        name = _plain(self._setting("LSTM", "recurrent_activation", "inner_activation"))
        if name is None:
            name = "hard_sigmoid" if keras == 1 else "sigmoid"
            self.assumed.append(f"the gates' activation, taken as Keras {keras}'s default {name}")
        if name == "sigmoid":
            return "sigmoid"
        if name == "hard_sigmoid":
            return "hard_sigmoid_keras3" if keras == 3 else "hard_sigmoid"
        _refuse(self._model, self._layers["LSTM"], f"recurrent_activation is {name!r:.80}")

    def _mask(self, wanted: bool | None) -> bool:
        if wanted is None and not self._configured:
            self.assumed.append("mask_zero of the embedding, taken as false (--mask_padding true otherwise)")
        return bool(self._setting("Embedding", "mask_zero", default=False)) if wanted is None else wanted

    def _pool_size(self, wanted: int | None) -> int:
        size = _plain(self._setting("MaxPooling1D", "pool_size", "pool_length"))
        strides = _plain(self._setting("MaxPooling1D", "strides", "stride"))
        if size is not None and strides not in (None, size):
            _refuse(self._model, self._layers["MaxPooling1D"], f"its stride {strides} is not its size {size}")
        if size is None and wanted is None:
            self.assumed.append("size of the max pooling, taken as 2 (--pool_size otherwise)")
        return int(size or wanted or 2)


def _plain(value: Any) -> Any:
    """Unwrap a list of one item: Keras writes sizes of one dimension either way."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


# Settings that change the predictions, with what the stacks have; the first is what a missing one means.
_ALLOWED: dict[str, dict[tuple[str, ...], tuple[Any, ...]]] = {
    "Conv1D": {
        ("padding", "border_mode"): ("same",),
        ("strides", "subsample_length"): (1,),
        ("dilation_rate",): (1,),
        ("groups",): (1,),
        ("activation",): ("relu",),
        ("use_bias", "bias"): (True,),
        ("data_format",): ("channels_last", None),
    },
    "MaxPooling1D": {("padding", "border_mode"): ("valid",), ("data_format",): ("channels_last", None)},
    "LSTM": {
        ("activation",): ("tanh",),
        ("return_sequences",): (False,),
        ("return_state",): (False,),
        ("go_backwards",): (False,),
        ("stateful",): (False,),
        ("time_major",): (False,),
        ("use_bias",): (True,),
    },
    "Dense": {("use_bias", "bias"): (True,)},
}
