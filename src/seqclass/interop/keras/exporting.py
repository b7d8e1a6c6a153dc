"""From a classifier to a file of Keras 3 or Keras 1."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import h5py
import numpy as np

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.interop.chains import State, as_chain
from seqclass.interop.keras.graphs import model_config
from seqclass.interop.keras.layers import keras3_layers
from seqclass.interop.keras.layers_keras1 import keras1_layers
from seqclass.interop.keras.model import Backend, KerasItem, KerasLayer, leaves
from seqclass.interop.keras.names import snake_case
from seqclass.interop.keras.representable import check_representable
from seqclass.interop.keras.text_layer import text_layer

# The versions that exported files are held against; `.keras` files look like this from 3.0 on.
_KERAS3 = "3.15.1"
_KERAS1 = "1.2.2"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def export_keras(
    classifier: TextClassifier,
    out: str | Path,
    *,
    keras: Literal[1, 3] = 3,
    backend: Backend = "tensorflow",
    text: bool | None = None,
) -> list[str]:
    """Write a classifier as Keras has it.

    Args:
        classifier: with its weights.
        out: `.keras` (a whole model) or `.weights.h5` for Keras 3; `.h5` (a whole model, whose weights `load_weights`
            reads too) for Keras 1.
        keras: major version that is to read it.
        backend: what that Keras 1 runs on: Theano has the kernels of convolutions reversed.
        text: whether the model reads texts, by a `TextVectorization` in front (needs TensorFlow), instead of ids; None
            if the classifier was imported with one. Only the pipeline of such a layer can be written as one.

    Returns:
        What the file cannot say, one line each; none of it matters for predictions from ids.

    Raises:
        InputError: the ending does not fit, the version has no such layer or computes another function by it, or the
            file cannot be written.
    """
    check_representable(classifier, keras)
    layers, state = as_chain(classifier)
    activation = _finish(classifier, layers, state)
    name = str(out)
    lost = []
    if keras == 1:
        if text:
            raise InputError("text=True does not fit: Keras 1 has no layers that read texts")
        if not name.endswith(".h5"):
            raise InputError(f"out={name!r} does not fit: a file of Keras 1 ends in .h5")
        content, reads_texts = _keras1_file(keras1_layers(layers, state, backend), backend), False
    else:
        items = keras3_layers(layers, state)
        vectorization = text_layer(classifier.pipeline, text)
        reads_texts = vectorization is not None
        if name.endswith(".weights.h5"):
            content = _keras3_weights(items)
        elif name.endswith(".keras"):
            steps = _steps(classifier, layers)
            content = _keras3_archive(items, vectorization, steps)
        else:
            raise InputError(f"out={name!r} does not fit: a file of Keras 3 ends in .keras or .weights.h5")
        if classifier.options.values().get("word_dropout") or layers[0].get("dropout"):
            lost.append("word_dropout: the embedding of Keras 3 has none")
    if any(layer["layer"] == "global_pooling" for layer in layers) and layers[0]["mask_zero"]:
        lost.append("texts without words: Keras' mean over nothing is not a number, and here it is zero")
    if activation == "linear":
        lost.append("the model ends in logits, as the one that was imported did")
    with written_whole(out) as part:
        part.write_bytes(content)
    stays = "the labels stay" if reads_texts else "the text pipeline and the labels stay"
    return [f"{stays} behind: a Keras file has no place for them", *lost]


def _finish(classifier: TextClassifier, layers: list[dict[str, Any]], state: State) -> str:
    """Put the last activation on, as an imported model had it."""
    last = layers[-1]
    units = last["out_features"]
    activation = "sigmoid" if units == 1 or classifier.options.multi_label else "softmax"
    imported = classifier.record.get("keras", {})
    if isinstance(imported, dict) and "output_activation" in imported:
        activation = str(imported["output_activation"])
        if units == 1 and activation == "softmax":
            # One logit z is short for two, 0 and z.
            place = f"layers.{len(layers) - 1}.linear"
            state.update({f"{place}.{part}": _with_zero(state[f"{place}.{part}"]) for part in ("weight", "bias")})
            units = 2
    layers[-1] = {**last, "activation": activation, "out_features": units}
    return activation


def _with_zero(array: Any) -> Any:
    return np.concatenate([np.zeros_like(array), array])


def _steps(classifier: TextClassifier, layers: Sequence[dict[str, Any]]) -> int | None:
    steps = layers[0].get("input_length")
    if steps is not None or classifier.pipeline is None:
        return steps
    return classifier.pipeline.maxlen


def _keras3_weights(items: Sequence[KerasItem]) -> bytes:
    content = io.BytesIO()
    seen: Counter[str] = Counter()
    with h5py.File(content, "w") as file:
        for layer in leaves(list(items)):
            base = snake_case(layer.kind)
            place = f"layers/{base}_{seen[base]}" if seen[base] else f"layers/{base}"
            seen[base] += 1
            group = file.create_group(place)
            group.require_group("vars").attrs["name"] = layer.name
            for name, array in layer.arrays.items():
                group.create_dataset(name, data=np.ascontiguousarray(array))
        file.create_group("vars")
    return content.getvalue()


def _keras3_archive(items: Sequence[KerasItem], vectorization: KerasLayer | None, steps: int | None) -> bytes:
    files = {
        "metadata.json": json.dumps({"keras_version": _KERAS3}).encode(),
        "config.json": json.dumps(model_config(items, vectorization, steps)).encode(),
        "model.weights.h5": _keras3_weights(items),
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, data in files.items():
            # A fixed date: the same model gives the same bytes.
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return content.getvalue()


def _keras1_file(layers: list[KerasLayer], backend: Backend) -> bytes:
    content = io.BytesIO()
    entries = [{"class_name": layer.kind, "config": {"name": layer.name, **layer.config}} for layer in layers]
    first: dict[str, Any] = {"batch_input_shape": [None, None], "input_dtype": "int32"}
    entries[0] = {**entries[0], "config": {**layers[0].config, "name": layers[0].name, **first}}
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
