"""An HDF5 file as plain values: names, texts and arrays, read by a process that cannot take this one with it."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqclass.errors import InputError
from seqclass.interop.keras.model import Array

MAX_BYTES = 2 << 30
"""Of all arrays of a file together: an embedding of five million words with a hundred numbers each."""
SECONDS = 60.0
"""An honest file of two gigabytes takes ten."""
_WORKER = Path(__file__).with_name("hdf5_worker.py")


@dataclass(frozen=True)
class HDF5:
    """What a file holds.

    Attributes:
        source: the file, for messages.
        groups: their names, such as `layers/lstm/cell/vars`; the file itself is the empty name.
        arrays: floating-point numbers as float32, by their names; None for an array of anything else.
        attributes: of a group, texts and lists of texts.
    """

    source: str
    groups: tuple[str, ...]
    arrays: dict[str, Array | None]
    attributes: dict[str, dict[str, Any]]

    def array(self, name: str) -> Array:
        """Return the array of that name.

        Raises:
            InputError: there is none, or it does not hold floating-point numbers.
        """
        name = name.strip("/")
        if name not in self.arrays:
            raise InputError(f"{self.source}: it has no array {name!r:.200}")
        found = self.arrays[name]
        if found is None:
            raise InputError(f"{self.source}: {name!r:.200} is not an array of floating-point numbers")
        return found

    def below(self, group: str) -> Iterator[str]:
        """Yield the names of the arrays below a group, those of a number in its order."""
        inside = [name for name in self.arrays if name.startswith(group + "/")]
        yield from sorted(inside, key=_numbered)

    def children(self, group: str) -> list[str]:
        """Return the names of the groups directly below one."""
        prefix = group + "/" if group else ""
        return [name for name in self.groups if name.startswith(prefix) and name and "/" not in name[len(prefix) :]]

    def text(self, name: str, *groups: str) -> str | None:
        """Return an attribute that is a text, of the first of the groups that has it."""
        for group in groups:
            value = self.attributes.get(group, {}).get(name)
            if isinstance(value, str):
                return value
        return None

    def texts(self, group: str, name: str) -> list[str] | None:
        """Return an attribute that is a list of texts; Keras splits a long one into `name0`, `name1` and so on."""
        attributes = self.attributes.get(group, {})
        if name in attributes:
            return _list(attributes[name])
        parts: list[str] = []
        number = 0
        while f"{name}{number}" in attributes:
            parts += _list(attributes[f"{name}{number}"])
            number += 1
        return parts if number else None


def read_hdf5(file: Path | bytes, *, source: str | None = None) -> HDF5:
    """Read a file.

    Args:
        file: its path, or its content.
        source: what messages call it; None for the path.

    Raises:
        InputError: it is not HDF5, is damaged, refers to other files, or holds more than is read.
    """
    source = source or str(file)
    with zipfile.ZipFile(io.BytesIO(_read_apart(file, source))) as archive:
        found = json.loads(archive.read("found.json"))
        arrays: dict[str, Array | None] = {}
        for name, number in found["arrays"]:
            arrays[name] = None
            if number is not None:
                with archive.open(f"{number}.npy") as part:
                    arrays[name] = np.lib.format.read_array(part, allow_pickle=False)
    return HDF5(source, tuple(found["groups"]), arrays, found["attributes"])


def _read_apart(file: Path | bytes, source: str) -> bytes:
    """Have a process of its own read a file, and return the archive of what it holds."""
    content = file if isinstance(file, bytes) else None
    request = {"source": None if content is not None else str(file), "max_bytes": MAX_BYTES, "path": sys.path}
    try:
        done = subprocess.run(
            [sys.executable, str(_WORKER), json.dumps(request)],
            input=content or b"",
            capture_output=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"{source} is damaged: HDF5 had not read it after {SECONDS:g} seconds, and was stopped"
        ) from None
    said = done.stderr.decode("utf-8", "replace").strip()
    if done.returncode == 3:
        raise InputError(f"{source}: {said}")
    if done.returncode != 0:
        reason = (said.splitlines() or [f"HDF5 ended with status {done.returncode}"])[-1]
        raise InputError(f"{source} is damaged, or is not an HDF5 file of Keras: {reason:.300}")
    return done.stdout


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def _numbered(name: str) -> list[tuple[int, int | str]]:
    """Sorts `vars/2` before `vars/10`."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in name.split("/")]
