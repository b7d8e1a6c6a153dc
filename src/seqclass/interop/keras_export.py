"""From a classifier to a file of Keras 3 or Keras 1."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from seqclass.classifier import SequenceClassifier
from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.interop.keras_import import Backend
from seqclass.interop.keras_layouts import KERAS1_GATES, convolution_to_keras, lstm_to_keras
from seqclass.interop.keras_model import Array, KerasLayer
from seqclass.nn import LSTM, Convolution

# The oldest version whose `.keras` files look like these is not known; this is the one they were held against.
_KERAS3 = "3.15.1"
_KERAS1 = "1.2.2"
_EPOCH = (1980, 1, 1, 0, 0, 0)


# What goes into a file, and why nothing else does.
_WRITTEN: dict[str, tuple[Any, str]] = {
    "cell": ("lstm", "Keras 1 has another GRU, and Keras 3's is not written yet"),
    "num_layers": (1, "several layers are not written yet"),
    "bidirectional": (
        False,
        "backward, Keras reads the padding last, and here it comes first",
    ),
    "pooling": ("last", "Keras pools over the padding too"),
}


def export_keras(
    classifier: SequenceClassifier,
    out: str | Path,
    *,
    keras: Literal[1, 3] = 3,
    backend: Backend = "tensorflow",
) -> list[str]:
    """Write a classifier as Keras has it.

    Args:
        classifier: with its weights.
        out: `.keras` (a whole model) or `.weights.h5` for Keras 3; `.h5` (a whole model, whose weights `load_weights`
            reads too) for Keras 1.
        keras: major version that is to read it.
        backend: what that Keras 1 runs on: Theano has the kernels of convolutions reversed.

    Returns:
        What the file cannot say, one line each; none of it matters for predictions from ids.

    Raises:
        InputError: the ending does not fit, the version has no such layer, the classifier is more than the notebook's
            layers, or the file cannot be written.
    """
    _check_options(classifier)
    layers = _layers(classifier, keras, backend)
    name = str(out)
    if keras == 1:
        if not name.endswith(".h5"):
            raise InputError(f"out={name!r} does not fit: a file of Keras 1 ends in .h5")
        content = _keras1_file(layers, backend)
    elif name.endswith(".weights.h5"):
        content = _keras3_weights(layers)
    elif name.endswith(".keras"):
        content = _keras3_archive(layers, classifier)
    else:
        raise InputError(f"out={name!r} does not fit: a file of Keras 3 ends in .keras or .weights.h5")
    with written_whole(out) as part:
        part.write_bytes(content)
    lost = ["the text pipeline and the labels stay behind: a Keras file has no place for them"]
    if keras == 3 and classifier.stack.embedding.dropout:
        lost.append("word_dropout: the embedding of Keras 3 has none")
    return lost


def _check_options(classifier: SequenceClassifier) -> None:
    """Refuse what would be another function in Keras, or is not written here."""
    for option, (written, reason) in _WRITTEN.items():
        value = classifier.hparams[option]
        if value != written:
            raise InputError(f"{option}={value!r} cannot be exported to Keras, only {written!r}: {reason}")
    kernel_size = classifier.hparams["kernel_size"]
    if isinstance(kernel_size, list | tuple) and len(kernel_size) > 1:
        raise InputError(
            f"kernel_size={kernel_size!r} cannot be exported to Keras, only one length: "
            "a Sequential model has no convolutions side by side"
        )


def _layers(classifier: SequenceClassifier, keras: int, backend: Backend) -> list[KerasLayer]:
    """The layers as this version of Keras has them, settings by its own names."""
    stack = classifier.stack
    state: dict[str, Array] = {name: value.float().cpu().numpy() for name, value in stack.state_dict().items()}
    lstm, convolution = stack.lstm, stack.convolution
    # Nothing else gets past `_check_options`.
    assert isinstance(lstm, LSTM)
    assert convolution is None or isinstance(convolution, Convolution)
    activation = lstm.recurrent_activation
    has = {1: ("sigmoid", "hard_sigmoid"), 3: ("sigmoid", "hard_sigmoid_keras3")}[keras]
    if activation not in has:
        raise InputError(f"Keras {keras} has no recurrent_activation {activation!r}; it has {' and '.join(has)}")
    activation_name = "hard_sigmoid" if activation.startswith("hard_sigmoid") else "sigmoid"
    rows, dim = stack.embedding.num_embeddings, stack.embedding.embedding_dim
    units = stack.output.out_features
    last = "sigmoid" if units == 1 or classifier.hparams["multi_label"] else "softmax"
    first = keras == 1

    embedding: dict[str, Any] = {"input_dim": rows, "output_dim": dim, "mask_zero": stack.mask_padding}
    if first:
        embedding["dropout"] = stack.embedding.dropout
    layers = [KerasLayer("Embedding", "embedding", embedding, {"W" if first else "0": state["embedding.weight"]})]
    if stack.embedded_dropout is not None:
        layers.append(_dropout("dropout", stack.embedded_dropout.rate, first))
    if convolution is not None:
        length = convolution.window
        arrays = convolution_to_keras(state, keras, flipped=first and backend == "theano")
        settings = (
            {"nb_filter": convolution.out_channels, "filter_length": length, "border_mode": "same", "bias": True}
            if first
            else {"filters": convolution.out_channels, "kernel_size": [length], "padding": "same"}
        )
        settings["activation"] = "relu"
        kind = "Convolution1D" if first else "Conv1D"
        layers.append(KerasLayer(kind, kind.lower(), settings, _named(["W", "b"] if first else None, arrays)))
    if stack.pooling is not None:
        size = stack.pooling.size
        settings = (
            {"pool_length": size, "stride": size, "border_mode": "valid"}
            if first
            else {"pool_size": [size], "strides": [size], "padding": "valid"}
        )
        layers.append(KerasLayer("MaxPooling1D", "max_pooling1d", settings))
    rates = (lstm.dropout, lstm.recurrent_dropout)
    settings = (
        {"output_dim": lstm.hidden_size, "inner_activation": activation_name, "dropout_W": rates[0]}
        | {"dropout_U": rates[1], "input_dim": lstm.input_size}
        if first
        else {"units": lstm.hidden_size, "recurrent_activation": activation_name, "dropout": rates[0]}
        | {"recurrent_dropout": rates[1]}
    )
    settings["activation"] = "tanh"
    names = [f"{part}_{gate}" for gate in KERAS1_GATES for part in "WUb"] if first else None
    layers.append(KerasLayer("LSTM", "lstm", settings, _named(names, lstm_to_keras(state, keras))))
    if stack.last_dropout is not None:
        layers.append(_dropout("dropout_1", stack.last_dropout.rate, first))
    settings = {"output_dim" if first else "units": units, "activation": last}
    arrays = [state["output.weight"].T, state["output.bias"]]
    layers.append(KerasLayer("Dense", "dense", settings, _named(["W", "b"] if first else None, arrays)))
    return layers


def _dropout(name: str, rate: float, first: bool) -> KerasLayer:
    return KerasLayer("Dropout", name, {"p" if first else "rate": rate})


def _named(names: list[str] | None, arrays: list[Array]) -> dict[str, Array]:
    """Keras 3 numbers a layer's arrays, Keras 1 names them."""
    return dict(zip(names or map(str, range(len(arrays))), arrays, strict=True))


def _keras3_weights(layers: list[KerasLayer]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for layer in layers:
            inner = f"layers/{layer.name}/cell/vars" if layer.kind == "LSTM" else f"layers/{layer.name}/vars"
            file.create_group(f"layers/{layer.name}").require_group("vars").attrs["name"] = layer.name
            group = file.require_group(inner)
            for number, array in layer.arrays.items():
                group.create_dataset(number, data=np.ascontiguousarray(array))
        file.create_group("vars")
    return content.getvalue()


def _keras3_archive(layers: list[KerasLayer], classifier: SequenceClassifier) -> bytes:
    steps = classifier.pipeline.maxlen if classifier.pipeline is not None else None
    ids = {"batch_shape": [None, steps], "dtype": "int32", "name": "ids"}
    entries: list[dict[str, Any]] = [{"class_name": "InputLayer", "config": ids}]
    entries += [_entry(layer) for layer in layers]
    for entry in entries:
        entry |= {"module": "keras.layers", "registered_name": None}
    config = {
        "module": "keras",
        "class_name": "Sequential",
        "config": {"name": "seqclass", "layers": entries, "build_input_shape": [None, steps]},
        "registered_name": None,
    }
    files = {
        "metadata.json": json.dumps({"keras_version": _KERAS3}).encode(),
        "config.json": json.dumps(config).encode(),
        "model.weights.h5": _keras3_weights(layers),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            # A fixed date: the same model gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return content.getvalue()


def _entry(layer: KerasLayer) -> dict[str, Any]:
    return {"class_name": layer.kind, "config": {"name": layer.name, **(layer.config or {})}}


def _keras1_file(layers: list[KerasLayer], backend: Backend) -> bytes:
    content = io.BytesIO()
    entries = [_entry(layer) for layer in layers]
    entries[0]["config"] |= {"batch_input_shape": [None, None], "input_dtype": "int32"}
    with h5py.File(content, "w") as file:
        file.attrs["keras_version"] = _KERAS1.encode()
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": entries}).encode()
        weights = file.create_group("model_weights")
        weights.attrs["backend"] = backend.encode()
        weights.attrs["layer_names"] = [layer.name.encode() for layer in layers]
        # Arrays are called as the backend's variables were.
        ending = ":0" if backend == "tensorflow" else ""
        for layer in layers:
            group = weights.create_group(layer.name)
            names = {f"{layer.name}_{name}{ending}": array for name, array in layer.arrays.items()}
            group.attrs.create("weight_names", [name.encode() for name in names], dtype=h5py.string_dtype("ascii"))
            for name, array in names.items():
                group.create_dataset(name, data=np.ascontiguousarray(array))
    return content.getvalue()
