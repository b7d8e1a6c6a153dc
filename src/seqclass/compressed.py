"""Reading files, plain or compressed, with one kind of error."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from seqclass.errors import InputError
from seqclass.messages import listed

GZIP = ".gz"
ZIP = ".zip"

# Python's own `readline` of compressed files is slow: a buffer in front of it makes it twice as fast.
_BUFFER_BYTES = 1 << 20


def open_binary(path: Path) -> BinaryIO:
    """Open a file for reading; one that ends in `.gz` as what was compressed."""
    return _buffered(gzip.open(path, "rb")) if path.suffix.lower() == GZIP else path.open("rb")


@contextmanager
def open_zipped(archive: Path, member: str | None) -> Iterator[BinaryIO]:
    """Open a file in a `.zip` archive for reading; nothing is unpacked to the disk.

    Args:
        archive: the archive.
        member: name of the file in it; None if it is the only one.

    Raises:
        InputError: if the file is missing, ambiguous or encrypted.
    """
    with zipfile.ZipFile(archive) as content:
        names = [name for name in content.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
        if member is None and len(names) == 1:
            member = names[0]
        if member not in names:
            wanted = "several files" if member is None else f"no file {member!r}"
            raise InputError(
                f"{archive} holds {wanted if names else 'no files'}; name one of its {len(names)} as "
                f"{archive}/NAME: {listed(names, most=10)}"
            )
        try:
            file = content.open(member)
        except (RuntimeError, NotImplementedError) as error:
            raise InputError(f"cannot read {archive}/{member}: {error}") from error
        with _buffered(file) as buffered:
            yield buffered


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the file system and compressed files can fail with into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {error.filename or path}: {error.strerror or error}") from error
    except (EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"cannot read {path}: it is damaged or was cut short ({error})") from error


def _buffered(file: object) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(file, _BUFFER_BYTES))  # type: ignore[type-var]  # what it needs, it has
