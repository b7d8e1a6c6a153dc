"""Reading Keras' files as data: HDF5 of Keras 1, 2 and 3, and the `.keras` archive.

The files may come from anyone. Only numbers and JSON are read; links, arrays stored in other files, and sizes beyond
the limits are refused, and nothing in a file is executed.
"""

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqclass.errors import InputError
from seqclass.interop.keras import hdf5
from seqclass.interop.keras.configuration import Configuration
from seqclass.interop.keras.hdf5 import HDF5, read_hdf5
from seqclass.interop.keras.model import KerasModel
from seqclass.interop.keras.unsaid import Unsaid
from seqclass.interop.keras.weights import by_names, by_place, listed_arrays
from seqclass.interop.keras.weights_only import guess_from_names, guess_from_places

MAX_CONFIG_BYTES = 16 << 20
MAX_VOCABULARY_BYTES = 256 << 20
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_ROOTS = ("layers", "_layer_checkpoint_dependencies")


def read_keras(path: str | Path, unsaid: Unsaid | None = None) -> KerasModel:
    """Read a model or a model's weights.

    Args:
        path: `.keras`, or HDF5 as any Keras writes it: a whole model, or weights only.
        unsaid: what a file of weights does not say.

    Raises:
        InputError: the file is missing, damaged, not Keras', or larger than is read; or `unsaid` says what it says
            itself.
    """
    path, unsaid = Path(path), unsaid or Unsaid()
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if path.is_dir():
        raise InputError(f"{path} is a folder; Keras' SavedModel is not read: save the model as .keras")
    try:
        with path.open("rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from error
    if start == _SIGNATURE:
        model = _read_hdf5(path, read_hdf5(path), unsaid)
    elif start[:2] == b"PK":
        model = _read_archive(path, unsaid)
    elif path.suffix == ".keras":
        raise InputError(f"{path} is not a zip archive, as .keras files are: it is empty, cut off, or another format")
    else:
        raise InputError(f"{path} is neither HDF5 nor a .keras archive")
    if path.suffix == ".keras" and start == _SIGNATURE:
        model.notes.append("the file is HDF5, as .h5 files are, under the name of a .keras archive")
    return model


@contextmanager
def _broken_means_input_error(path: Path) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"{path} is damaged: {reason:.200}") from error


def _read_archive(path: Path, unsaid: Unsaid) -> KerasModel:
    with _broken_means_input_error(path), zipfile.ZipFile(path) as archive:
        entries = {entry.filename: entry.file_size for entry in archive.infolist()}
        config = _json(path, _entry(path, archive, entries, "config.json", MAX_CONFIG_BYTES))
        metadata = {}
        if "metadata.json" in entries:
            metadata = _json(path, _entry(path, archive, entries, "metadata.json", MAX_CONFIG_BYTES))
        weights = _entry(path, archive, entries, "model.weights.h5", hdf5.MAX_BYTES)
        file = read_hdf5(weights, source=str(path))
        del weights
        keras = _major(metadata.get("keras_version")) or 3
        unsaid.refuse_for(path)
        configuration = Configuration(str(path))
        model = KerasModel(str(path), keras, configuration.read(config))
        model.input_length = configuration.input_length
        by_place(file, configuration.order, _root(file))
        for layer in configuration.order:
            name = f"assets/{layer.place}/vocabulary.txt"
            found = next(
                (entry for entry in (name, name.replace("layers/", _root(file) + "/", 1)) if entry in entries), None
            )
            if found is not None:
                content = _entry(path, archive, entries, found, MAX_VOCABULARY_BYTES)
                layer.vocabulary = content.decode("utf-8").split("\n")
        return model


def _entry(path: Path, archive: zipfile.ZipFile, entries: dict[str, int], name: str, limit: int) -> bytes:
    if name not in entries:
        raise InputError(f"{path} is not a .keras file: it holds no {name}")
    if entries[name] > limit:
        raise InputError(f"{path}: {name} has {entries[name]:,} bytes; at most {limit:,} are read")
    with archive.open(name) as part:
        content = part.read(limit + 1)
    if len(content) > limit:
        raise InputError(f"{path}: {name} has more than {limit:,} bytes, which are not read")
    return content


def _read_hdf5(path: Path, file: HDF5, unsaid: Unsaid) -> KerasModel:
    root = "model_weights" if "model_weights" in file.groups else ""
    places = "layers" in file.groups or _ROOTS[1] in file.groups
    if places and file.texts(root, "layer_names") is None:
        return _weights_by_place(path, file, unsaid)
    version = file.text("keras_version", "", root)
    arrays = listed_arrays(file)
    keras = _major(version) or (1 if any(len(own) in (12, 24) for own in arrays.values()) else 2)
    backend = file.text("backend", root, "")
    if keras == 1:
        backend = unsaid.backend or backend or _keras1_backend(arrays)
    config = file.text("model_config", "")
    if config is not None:
        unsaid.refuse_for(path)
        return _with_configuration(path, file, _json(path, config), keras, backend)
    if unsaid.architecture is not None:
        architecture = _architecture(unsaid.architecture)
        unsaid.refuse_for(path, by_architecture=True)
        return _with_configuration(path, file, architecture, _version_of(architecture) or keras, backend)
    model = KerasModel(str(path), keras, [], backend)
    model.layers, model.assumed = guess_from_names(str(path), arrays, keras, unsaid)
    return model


def _with_configuration(path: Path, file: HDF5, config: Any, keras: int, backend: str | None) -> KerasModel:
    configuration = Configuration(str(path))
    model = KerasModel(str(path), keras, configuration.read(config), backend)
    model.input_length = configuration.input_length
    by_names(file, configuration.order, keras)
    return model


def _weights_by_place(path: Path, file: HDF5, unsaid: Unsaid) -> KerasModel:
    """Weights of Keras 3, or of tf_keras in the same layout."""
    if unsaid.architecture is None:
        model = KerasModel(str(path), 3, [])
        model.layers, model.assumed = guess_from_places(file, _root(file), unsaid)
        return model
    config = _architecture(unsaid.architecture)
    unsaid.refuse_for(path, by_architecture=True)
    configuration = Configuration(unsaid.architecture)
    model = KerasModel(str(path), _version_of(config) or 3, configuration.read(config))
    model.input_length = configuration.input_length
    by_place(file, configuration.order, _root(file))
    return model


def _root(file: HDF5) -> str:
    """Return what the file calls the outermost container."""
    return next((root for root in _ROOTS if root in file.groups), "layers")


def _architecture(name: str) -> Any:
    try:
        with Path(name).open("rb") as file:
            content = file.read(MAX_CONFIG_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read the architecture {name}: {error.strerror}") from error
    if len(content) > MAX_CONFIG_BYTES:
        raise InputError(f"{name} has more than {MAX_CONFIG_BYTES:,} bytes, which are not read")
    return _json(Path(name), content)


def _json(path: Path, content: str | bytes) -> Any:
    if len(content) > MAX_CONFIG_BYTES:
        raise InputError(f"{path}: its configuration has {len(content):,} bytes; at most {MAX_CONFIG_BYTES:,} are read")
    try:
        found = json.loads(content)
    except (RecursionError, ValueError) as error:
        raise InputError(f"{path}: its configuration is not JSON: {error!s:.100}") from error
    if not isinstance(found, dict):
        raise InputError(f"{path}: its configuration is {found!r:.80}, and not that of a model")
    return found


def _version_of(config: dict[str, Any]) -> int | None:
    """Return the version that `model.to_json` writes; that of Keras 3 writes none."""
    return _major(config.get("keras_version"))


def _major(version: Any) -> int | None:
    start = str(version or "").partition(".")[0]
    return int(start) if start.isdigit() and 1 <= int(start) <= 3 else None


def _keras1_backend(arrays: dict[str, dict[str, Any]]) -> str:
    """By the names of the arrays, which are those of the backend's variables: `lstm_1_W_i:0` in TensorFlow."""
    names = [name for found in arrays.values() for name in found]
    return "tensorflow" if any(name.endswith(":0") for name in names) else "theano"
