"""The lines of a text file, each with its number, so that whatever is wrong can be found by it."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from seqclass.compressed import GZIP, open_binary, readable
from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, not_decodable
from seqclass.errors import InputError

ESCAPED_BYTE = re.compile("[\udc80-\udcff]")
"""What a byte that cannot be decoded becomes under `surrogateescape`."""

NumberedLines = Iterator[tuple[int, str]]


def form_of(path: Path) -> str:
    """Return the suffix that gives a file's format: ".csv" for `a.csv`, and for `a.CSV.gz`."""
    bare = path.with_suffix("") if path.suffix.lower() == GZIP else path
    return bare.suffix.lower()


@contextmanager
def opened(path: Path, encoding: str) -> Iterator[TextIO]:
    """Open a text file, decompressed if it ends in `.gz`, with its line ends as they are.

    Bytes that cannot be decoded become lone surrogates, so that they are found with their line.
    """
    with (
        readable(path),
        open_binary(path) as file,
        io.TextIOWrapper(file, encoding=encoding, errors="surrogateescape", newline="") as content,
    ):
        yield content


def numbered_lines(path: Path, content: TextIO, encoding: str) -> NumberedLines:
    """Yield the lines, counted from 1; a byte-order mark before the first is dropped.

    Args:
        path: what messages call the file.
        content: decodes with `surrogateescape`.
        encoding: that of `content`, for messages.

    Raises:
        InputError: a line has more than `MAX_TEXT_BYTES` characters, or is not in the encoding.
    """
    number = 0
    while True:
        try:
            line = content.readline(MAX_TEXT_BYTES + 1)
        except UnicodeError as error:  # of an encoding in which not every byte can be escaped, such as UTF-16
            raise not_decodable(path, f":{number + 1}", encoding, error) from error
        if not line:
            return
        number += 1
        if len(line) > MAX_TEXT_BYTES:
            raise InputError(f"{path}:{number}: this line has more than {MAX_TEXT_BYTES:,} bytes, too many for a text")
        if escaped := ESCAPED_BYTE.search(line):
            raise not_decodable(path, f":{number}", encoding, ord(escaped[0]) - 0xDC00)
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line
