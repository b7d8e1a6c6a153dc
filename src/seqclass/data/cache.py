"""Cache encoded texts on disk, so that a data set is read and encoded once."""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from seqclass.data.encoded import EncodedTexts, load_encoded
from seqclass.errors import InputError

_FORMAT = 2
"""Part of every key: raise it when the layout of the files or the encoding changes."""


def cached_encoding(folder: Path, settings: Mapping[str, Any], encode: Callable[[Path], None]) -> EncodedTexts:
    """Open the data set of an earlier call with equal `settings`, or let `encode` write it.

    Of two processes that start at once, one encodes and the other waits. The data set appears complete or not at
    all; a damaged or different one is replaced.

    Args:
        folder: where it is kept, in a folder of its own; missing ones are made.
        settings: everything the result depends on, as plain values.
        encode: writes the data set into an existing, empty folder; see `seqclass.data.encoding`.

    Raises:
        InputError: if it cannot be written, or as `encode` does.
    """
    path = _path(folder, settings)
    if (found := _load(path)) is not None:
        return found
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_suffix(".lock")):
            if (found := _load(path)) is not None:
                return found
            _write(path, encode)
            return load_encoded(path)
    except OSError as error:
        raise InputError(
            f"cannot write the encoded texts to {folder}: {error.strerror or error}; choose another folder "
            "with `cache_dir` or the environment variable SEQCLASS_CACHE"
        ) from error


def earlier_encoding(folder: Path, settings: Mapping[str, Any]) -> EncodedTexts | None:
    """Open what `cached_encoding` has kept for equal `settings`; None if there is nothing usable."""
    return _load(_path(folder, settings))


def _path(folder: Path, settings: Mapping[str, Any]) -> Path:
    settings = {"format": _FORMAT, **settings}
    return folder / hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _write(path: Path, encode: Callable[[Path], None]) -> None:
    partial = path.with_suffix(".part")  # one name is enough: only the holder of the lock writes
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    try:
        encode(partial)
        shutil.rmtree(path, ignore_errors=True)  # what is damaged
        partial.replace(path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _load(path: Path) -> EncodedTexts | None:
    """Return the data set in the folder; None if there is none or it is not what `encode` writes."""
    if not path.exists():
        return None
    try:
        return load_encoded(path)
    except Exception:
        # Files of any origin can fail in every way that numpy and json know; all mean the same.
        return None
