"""One labelled text of a file or folder, and the reading that all forms share."""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from seqclass.errors import InputError

BYTE_ORDER_MARK = "\ufeff"
"""What some programs put at the start of UTF-8 files."""

MAX_TEXT_BYTES = 16 << 20
"""Of a text, and of a line: two million words or so. What is longer is no text, or a quote that is never closed."""


class Row(NamedTuple):
    """One labelled text.

    Args:
        where: its place, to be put behind the path of the whole: ":17" for a line, "/pos/1.txt" for a file.
        text: as it stands there.
        label: the name of its class.
    """

    where: str
    text: str
    label: str


def checked_row(path: Path, where: str, text: str, label: str) -> Row:
    """Makes a row; white space around the label is cut off.

    Raises:
        InputError: if the text or the label is empty, or the label cannot be printed.
    """
    label = label.strip()
    if not text.strip():
        raise InputError(f"{path}{where}: the text is empty")
    if not label:
        raise InputError(f"{path}{where}: the label is empty")
    # It is going to be printed to terminals and written to CSV files.
    if any(unicodedata.category(char) in ("Cc", "Cs") for char in label):
        raise InputError(f"{path}{where}: the label {label!r:.80} holds control characters")
    return Row(where, text, label)


def decoded(path: Path, where: str, content: bytes) -> str:
    """Decodes UTF-8.

    Raises:
        InputError: if it is another encoding.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}{where}: this is not UTF-8 (byte 0x{error.object[error.start]:02x}); save it in that encoding"
        ) from error


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what the file system can fail with into an InputError."""
    try:
        yield
    except OSError as error:
        raise InputError(f"cannot read {error.filename or path}: {error.strerror or error}") from error
