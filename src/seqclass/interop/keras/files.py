"""Reading Keras' files as data: HDF5 of Keras 1, 2 and 3, and the `.keras` archive.

The files may come from anyone. Only plain numbers and JSON are read; links out of the file, arrays stored in other
files, and sizes beyond the limits are refused; a class name is compared with the known ones and never looked up.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from seqclass.errors import InputError
from seqclass.interop.keras.model import Array, KerasLayer, KerasModel

MAX_BYTES = 2 << 30
"""Of all arrays of a file together: an embedding of five million words with a hundred numbers each."""
MAX_CONFIG_BYTES = 16 << 20
_MAX_LAYERS = 1000

# Keras 1's names of the classes that Keras 2 and 3 call otherwise.
_KINDS = {"Convolution1D": "Conv1D"}
_WITHOUT_WEIGHTS = ("InputLayer", "Activation")


def read_keras(path: str | Path) -> KerasModel:
    """Read a model or a model's weights.

    Args:
        path: `.keras`, or HDF5 as any Keras writes it: a whole model, or weights only.

    Raises:
        InputError: the file is missing, truncated, none of Keras', or larger than is read.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no Keras file at {path}")
    with _broken_means_input_error(path):
        if zipfile.is_zipfile(path):
            return _read_archive(path)
        with h5py.File(path, "r") as file:
            return _read_hdf5(path, file)


@contextmanager
def _broken_means_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    # h5py raises many kinds for a file that is cut off or has been tampered with.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is no Keras file, or is broken: {reason:.200}") from error


def _read_archive(path: Path) -> KerasModel:
    with zipfile.ZipFile(path) as archive:
        names = {entry.filename: entry.file_size for entry in archive.infolist()}
        for name, limit in (("config.json", MAX_CONFIG_BYTES), ("model.weights.h5", MAX_BYTES)):
            if name not in names:
                raise InputError(f"{path} is no file of Keras 3: it holds no {name}")
            if names[name] > limit:
                raise InputError(f"{path}: {name} has {names[name]:,} bytes; at most {limit:,} are read")
        config = json.loads(archive.read("config.json"))
        with h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
            layers, length = _configured_layers(path, config)
            reader = _ArrayReader(path, file)
            used: dict[str, int] = {}
            for layer in layers:
                # Keras names a layer's group after its class, counting from the second on.
                base = snake_case(layer.kind)
                count = used.get(base, 0)
                used[base] = count + 1
                layer.arrays = reader.variables(f"layers/{base}_{count}" if count else f"layers/{base}")
            return KerasModel(str(path), 3, layers, input_length=length)


def _read_hdf5(path: Path, file: h5py.File) -> KerasModel:
    reader = _ArrayReader(path, file)
    if "layers" in file and "layer_names" not in file.attrs:
        found = sorted(reader.group("layers"), key=_order)[:_MAX_LAYERS]
        layers = [KerasLayer(_camel_case(name), name, arrays=reader.variables(f"layers/{name}")) for name in found]
        return KerasModel(str(path), 3, layers)
    prefix = "model_weights/" if "model_weights" in file else ""
    weights = reader.group("model_weights") if prefix else file
    names = _attribute(weights, "layer_names")
    if names is None:
        raise InputError(f"{path} is no weights file of Keras: it has no layers")
    arrays = {name: reader.named(prefix + name) for name in names[:_MAX_LAYERS]}
    stated = _text(file.attrs.get("keras_version", weights.attrs.get("keras_version")))
    backend = _text(weights.attrs.get("backend", file.attrs.get("backend")))
    version = int(stated.partition(".")[0]) if stated else 1 if _has_keras1_lstm(arrays) else 2
    if backend is None and version == 1:
        backend = _keras1_backend(arrays)
    config = file.attrs.get("model_config")
    length = None
    if config is None:
        layers = [KerasLayer(_kind_by_arrays(name, list(own.values())), name) for name, own in arrays.items()]
    else:
        text = _text(config) or ""
        if len(text) > MAX_CONFIG_BYTES:
            raise InputError(
                f"{path}: its configuration has {len(text):,} bytes; at most {MAX_CONFIG_BYTES:,} are read"
            )
        layers, length = _configured_layers(path, json.loads(text))
    for layer in layers:
        layer.arrays = arrays.get(layer.name, {})
    return KerasModel(
        str(path), version, [layer for layer in layers if layer.kind != "InputLayer"], backend, input_length=length
    )


def _configured_layers(path: Path, config: Any) -> tuple[list[KerasLayer], int | None]:
    """Return the layers of a configuration, without the input layers, and the number of steps that it states."""
    kind = config.get("class_name")
    if kind != "Sequential":
        raise InputError(f"{path} holds a model of the class {kind!r:.80}: only Sequential models are read")
    inner = config["config"]
    entries = inner if isinstance(inner, list) else inner["layers"]
    layers, length = [], None
    for entry in entries[:_MAX_LAYERS]:
        kind, settings = str(entry["class_name"]), entry["config"]
        shape = settings.get("batch_shape") or settings.get("batch_input_shape") or (None, None)
        length = length or settings.get("input_length") or (shape[1] if len(shape) == 2 else None)
        if kind != "InputLayer":
            layers.append(KerasLayer(_KINDS.get(kind, kind), str(settings.get("name", kind)), settings))
    return layers, length


class _ArrayReader:
    """Arrays of one file, with a limit on their bytes altogether."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path = path
        self._file = file
        self._left = MAX_BYTES

    def group(self, name: str) -> h5py.Group:
        found = self._at(name)
        if not isinstance(found, h5py.Group):
            raise InputError(f"{self._path}: {name!r} is no group")
        return found

    def variables(self, name: str) -> dict[str, Array]:
        """Return the arrays of a layer in the layout of Keras 3, numbered below `vars`; an LSTM's are in its cell."""
        group = self.group(name)
        inner = f"{name}/cell/vars" if "cell" in group else f"{name}/vars"
        names = sorted(self.group(inner), key=int)
        return {f"{inner}/{key}": self._read(f"{inner}/{key}") for key in names}

    def named(self, name: str) -> dict[str, Array]:
        """Return the arrays of a layer in the layout of Keras 1 and 2, listed by an attribute."""
        return {key: self._read(f"{name}/{key}") for key in _attribute(self.group(name), "weight_names") or []}

    def _at(self, name: str) -> Any:
        place: Any = self._file
        for part in name.strip("/").split("/"):
            link = place.get(part, getlink=True) if isinstance(place, h5py.Group) and part in place else None
            if not isinstance(link, h5py.HardLink):
                raise InputError(f"{self._path}: there is no {name!r} in it")
            place = place[part]
        return place

    def _read(self, name: str) -> Array:
        data = self._at(name)
        if not isinstance(data, h5py.Dataset) or data.dtype.kind != "f" or data.is_virtual or data.external:
            raise InputError(f"{self._path}: {name!r} is no array of floating-point numbers within the file")
        self._left -= data.size * max(data.dtype.itemsize, 4)
        if self._left < 0:
            raise InputError(f"{self._path}: its arrays have more than {MAX_BYTES:,} bytes, which are not read")
        return np.asarray(data[()], dtype=np.float32)


def _attribute(group: h5py.Group, name: str) -> list[str] | None:
    """Return a list of names; Keras splits one that is long into `name0`, `name1` and so on."""
    if name in group.attrs:
        return [str(_text(item)) for item in group.attrs[name]]
    parts: list[str] = []
    while f"{name}{len(parts)}" in group.attrs:
        parts.append(f"{name}{len(parts)}")
    return [str(_text(item)) for part in parts for item in group.attrs[part]] if parts else None


def _text(value: Any) -> str | None:
    return value.decode("utf-8") if isinstance(value, bytes) else None if value is None else str(value)


def _has_keras1_lstm(arrays: dict[str, dict[str, Array]]) -> bool:
    return any(len(found) == 12 for found in arrays.values())


def _keras1_backend(arrays: dict[str, dict[str, Array]]) -> str:
    """By the names of the arrays, which are those of the backend's variables: `lstm_1_W_i:0` in TensorFlow."""
    names = [name for found in arrays.values() for name in found]
    return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"


def _kind_by_arrays(name: str, arrays: list[Array]) -> str:
    """Return what a layer is, by the shapes of its arrays, or by its name if it has none."""
    shapes = [array.shape for array in arrays]
    dims = [len(shape) for shape in shapes]
    if not arrays:
        return _camel_case(name)
    if dims == [2]:
        return "Embedding"
    if dims == [2, 1]:
        return "Dense"
    if dims in ([3, 1], [4, 1]):
        return "Conv1D"
    if dims == [2, 2, 1] * 4 or (dims == [2, 2, 1] and shapes[1][1] == 4 * shapes[1][0]):
        return "LSTM"
    return f"layer with arrays of the shapes {shapes}"


_BY_NAME = {
    "embedding": "Embedding",
    "dropout": "Dropout",
    "convolution1d": "Conv1D",
    "conv1d": "Conv1D",
    "maxpooling1d": "MaxPooling1D",
    "max_pooling1d": "MaxPooling1D",
    "lstm": "LSTM",
    "dense": "Dense",
    "activation": "Activation",
    "input": "InputLayer",
    "input_layer": "InputLayer",
}
# Keras 3 sorts the layers of a weights file by name; this is their order in the stacks.
_PLACES = ("embedding", "conv1d", "max_pooling1d", "dropout", "lstm", "dropout_1", "dense")


def _camel_case(name: str) -> str:
    return _BY_NAME.get(re.sub(r"_\d+$", "", name), name)


def snake_case(kind: str) -> str:
    """Keras' own rule: `MaxPooling1D` becomes `max_pooling1d`."""
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()


def _order(name: str) -> int:
    return _PLACES.index(name) if name in _PLACES else len(_PLACES)
