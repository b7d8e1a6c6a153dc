"""Encoded texts on disk, so that a data set is read and encoded once."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from filelock import FileLock

from seqclass.errors import InputError
from seqclass.text import RaggedIds, TextPipeline

_FORMAT = 1
"""Part of every key: raise it when the file's layout, or what encoding does, changes."""


@dataclass(frozen=True)
class EncodedPart:
    """One part of a data set as ids.

    Args:
        ids: the texts, neither cut nor padded.
        labels: int64, shape (number of texts,); or of texts with any number of labels, 1 where they are and else 0,
            shape (number of texts, classes).
        names: for each text, what a person finds it by.
    """

    ids: RaggedIds
    labels: npt.NDArray[np.int64]
    names: list[str]


@dataclass(frozen=True)
class EncodedTexts:
    """A data set as ids, with the pipeline that made them.

    Args:
        parts: the parts by name.
        label_names: the classes; a label is an index into them.
        pipeline: encoded the texts. Its padding options have no part in that.
    """

    parts: dict[str, EncodedPart]
    label_names: tuple[str, ...]
    pipeline: TextPipeline


def cached_encoding(folder: Path, settings: Mapping[str, Any], encode: Callable[[], EncodedTexts]) -> EncodedTexts:
    """Returns what `encode` returns, from the file of an earlier call with equal `settings` if there is one.

    Of two processes that start at once, one encodes and the other waits. The file appears complete or not at
    all; one that is damaged or of another kind is made anew.

    Args:
        folder: where the file is kept; missing folders are made.
        settings: all that the result depends on, as plain values.
        encode: makes the result.

    Raises:
        InputError: if the file cannot be written, or as `encode` does.
    """
    path = _path(folder, settings)
    if (found := _load(path)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if (found := _load(path)) is not None:
                return found
            encoded = encode()
            _save(encoded, path)
            return encoded
    except OSError as error:
        raise InputError(
            f"cannot write the encoded texts to {folder}: {error.strerror or error}; choose another folder "
            "with `cache_dir` or the environment variable SEQCLASS_CACHE"
        ) from error


def earlier_encoding(folder: Path, settings: Mapping[str, Any]) -> EncodedTexts | None:
    """Returns what `cached_encoding` has kept for equal `settings`; None if there is nothing usable."""
    return _load(_path(folder, settings))


def _path(folder: Path, settings: Mapping[str, Any]) -> Path:
    settings = {"format": _FORMAT, **settings}
    return folder / f"{hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()}.npz"


def _save(encoded: EncodedTexts, path: Path) -> None:
    meta = {
        "label_names": encoded.label_names,
        "pipeline": encoded.pipeline.state(),
        "names": {name: part.names for name, part in encoded.parts.items()},
    }
    arrays: dict[str, Any] = {"meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8)}
    for name, part in encoded.parts.items():
        arrays[f"{name}_values"] = part.ids.values
        arrays[f"{name}_offsets"] = part.ids.offsets
        arrays[f"{name}_labels"] = part.labels
    partial = path.with_suffix(".tmp")  # one name is enough: only the holder of the lock writes
    try:
        with partial.open("wb") as file:
            np.savez(file, **arrays)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _load(path: Path) -> EncodedTexts | None:
    """The content of the file; None if there is no file or it is not what `_save` writes."""
    if not path.exists():
        return None
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            meta = json.loads(arrays["meta"].tobytes())
            parts = {
                name: EncodedPart(
                    RaggedIds(arrays[f"{name}_values"], arrays[f"{name}_offsets"]),
                    arrays[f"{name}_labels"],
                    names,
                )
                for name, names in meta["names"].items()
            }
        encoded = EncodedTexts(parts, tuple(meta["label_names"]), TextPipeline.from_state(meta["pipeline"]))
        for part in parts.values():
            _check(part, encoded)
    except Exception:
        # A foreign file can fail in any way that zipfile, numpy and json know, and all of them mean the same.
        return None
    return encoded


def _check(part: EncodedPart, encoded: EncodedTexts) -> None:
    if not len(part.ids) == len(part.labels) == len(part.names):
        raise InputError("a part has unequal numbers of texts, labels and names")
    if part.labels.dtype != np.int64:
        raise InputError("the labels are not int64")
    if part.ids.values.max(initial=0) >= encoded.pipeline.num_ids:
        raise InputError("an id is outside the vocabulary")
    classes = len(encoded.label_names)
    if part.labels.ndim == 2 and part.labels.shape[1] != classes:
        raise InputError("there are not as many columns as labels")
    if part.labels.min(initial=0) < 0 or part.labels.max(initial=0) >= (classes if part.labels.ndim == 1 else 2):
        raise InputError("a label has no name")
