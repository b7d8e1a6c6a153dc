"""Reads an HDF5 file in a process of its own, which may be ended: HDF5 can hang or crash over a damaged file.

Run as `python hdf5_worker.py JSON`, by path, so that it imports nothing but h5py and numpy (a tenth of the time that
the package takes). What it finds is plain values: a zip archive on standard output, with `found.json` and the arrays.
"""

import json
import sys

if __name__ == "__main__":
    # Not the folder of this file, whose modules have names of their own, but what the parent imports from.
    sys.path[:] = json.loads(sys.argv[1])["path"]

import io
import math
import zipfile
from typing import IO, Any

import h5py
import numpy as np

MAX_OBJECTS = 20_000
MAX_DEPTH = 40
MAX_TEXT = 16 << 20
"""Of one attribute, and of all of a file: a configuration, or the names of layers."""
# What training leaves in a file, and no prediction needs.
_SKIPPED = ("optimizer", "optimizer_weights")


class RefusedError(Exception):
    """Something in the file that is not read; the message is for the user."""


def read(source: str | IO[bytes], out: IO[bytes], max_bytes: int) -> None:
    """Write what a file holds.

    Args:
        source: its path or its content.
        out: takes the archive.
        max_bytes: of all arrays together.

    Raises:
        RefusedError: links out of the file, arrays elsewhere, or more than is read.
    """
    reader = _Reader(max_bytes)
    with h5py.File(source, "r") as file, zipfile.ZipFile(out, "w") as archive:
        reader.group(file, "", 0, archive)
        archive.writestr("found.json", json.dumps(reader.found))


class _Reader:
    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._text_left = MAX_TEXT
        self._objects = 0
        self.found: dict[str, Any] = {"groups": [], "arrays": [], "attributes": {}}

    def group(self, group: Any, name: str, depth: int, arrays: zipfile.ZipFile) -> None:
        """Read a group and what is below it."""
        if depth > MAX_DEPTH:
            raise RefusedError(f"it has groups more than {MAX_DEPTH} deep")
        self.found["groups"].append(name)
        self.attributes(group, name)
        for key in group:
            self._objects += 1
            if self._objects > MAX_OBJECTS:
                raise RefusedError(f"it holds more than {MAX_OBJECTS:,} groups and arrays")
            place = f"{name}/{key}" if name else key
            if not name and key in _SKIPPED:
                continue
            if not isinstance(group.get(key, getlink=True), h5py.HardLink):
                raise RefusedError(f"{place!r:.200} is a link, which is not followed")
            item = group[key]
            if isinstance(item, h5py.Group):
                self.group(item, place, depth + 1, arrays)
            elif isinstance(item, h5py.Dataset):
                self.array(item, place, arrays)

    def array(self, data: Any, name: str, arrays: zipfile.ZipFile) -> None:
        """Read an array; one that holds no numbers, such as the state of a random generator, is noted by its name."""
        if data.is_virtual or data.external:
            raise RefusedError(f"{name!r:.200} is stored in another file, which is not read")
        self._left -= data.size * max(data.dtype.itemsize, 4)
        if self._left < 0:
            raise RefusedError(f"its arrays have more than {self._max_bytes:,} bytes, which are not read")
        number = len(self.found["arrays"])
        if data.dtype.kind == "V" and data.dtype.itemsize == 2 and data.dtype.names is None:
            # bfloat16, which numpy does not have: the upper half of a float32.
            bits = np.frombuffer(data[()].tobytes(), "<u2").reshape(data.shape)
            values = (bits.astype("<u4") << 16).view("<f4")
        elif data.dtype.kind == "f":
            values = np.asarray(data[()], dtype=np.float32)
        else:
            self.found["arrays"].append([name, None])
            return
        self.found["arrays"].append([name, number])
        with arrays.open(f"{number}.npy", "w", force_zip64=True) as part:
            np.lib.format.write_array(part, np.ascontiguousarray(values).reshape(data.shape), allow_pickle=False)

    def attributes(self, group: Any, name: str) -> None:
        """Read the attributes of a group that are texts or lists of texts."""
        read: dict[str, Any] = {}
        for key in group.attrs:
            where = f"attribute {key!r:.80} of {name or '/'!r:.120}"
            attribute = group.attrs.get_id(key)
            self._text_left -= math.prod(attribute.shape or ()) * attribute.dtype.itemsize
            if self._text_left < 0:
                raise RefusedError(f"{where}: its texts have more than {MAX_TEXT:,} bytes, which are not read")
            value = group.attrs[key]
            if isinstance(value, np.ndarray):
                if value.ndim == 1 and value.dtype.kind in "SOU":
                    read[key] = [self.text(item) for item in value]
            elif isinstance(value, str | bytes | np.bytes_):
                read[key] = self.text(value)
        if read:
            self.found["attributes"][name] = read

    def text(self, value: Any) -> str | None:
        """Return a text, of bytes or str; what variable-length texts take is counted here."""
        if isinstance(value, bytes | np.bytes_):
            value = bytes(value).decode("utf-8", "replace")
        if not isinstance(value, str):
            return None
        self._text_left -= len(value)
        if self._text_left < 0:
            raise RefusedError(f"its texts have more than {MAX_TEXT:,} bytes, which are not read")
        return value


if __name__ == "__main__":
    request = json.loads(sys.argv[1])
    try:
        content = io.BytesIO(sys.stdin.buffer.read()) if request["source"] is None else request["source"]
        read(content, sys.stdout.buffer, request["max_bytes"])
    except RefusedError as error:
        print(error, file=sys.stderr)
        raise SystemExit(3) from None
    # h5py raises many kinds for a file that is cut off or has been tampered with.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        print(f"{reason:.300}", file=sys.stderr)
        raise SystemExit(4) from None
