"""From a classifier to a file of Keras 3 or Keras 1."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.interop.keras.layers import keras_layers
from seqclass.interop.keras.model import Backend, KerasLayer

# The oldest version whose `.keras` files look like these is not known; this is the one they were held against.
_KERAS3 = "3.15.1"
_KERAS1 = "1.2.2"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def export_keras(
    classifier: TextClassifier,
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
        InputError: the ending does not fit, the version has no such layer or computes another function by it, or the
            file cannot be written.
    """
    layers = keras_layers(classifier, keras, backend)
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
    if classifier.stack.pooling is not None:
        lost.append("texts without words: Keras' mean over nothing is no number, and here it is zero")
    return lost


def _keras3_weights(layers: list[KerasLayer]) -> bytes:
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        for layer in layers:
            group = file.create_group(f"layers/{layer.name}")
            group.require_group("vars").attrs["name"] = layer.name
            for place, array in layer.arrays.items():
                group.create_dataset(place, data=np.ascontiguousarray(array))
        file.create_group("vars")
    return content.getvalue()


def _keras3_archive(layers: list[KerasLayer], classifier: TextClassifier) -> bytes:
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
