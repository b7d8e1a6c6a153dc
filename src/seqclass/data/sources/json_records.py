"""Labelled texts in JSON files: one object a line, or one array of objects."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from seqclass.data.sources.lines import ESCAPED_BYTE, NumberedLines, numbered_lines, opened
from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, Reading, Row, not_decodable
from seqclass.errors import InputError

JSON_LINES = (".jsonl", ".ndjson", ".json")

_PIECE = 1 << 16
_BLANK = " \t\r\n"


def read_json(path: Path, reading: Reading) -> Iterator[Row]:
    """Read the labelled texts of a JSON file, one by one.

    It holds one object a line (JSON Lines), or a single array of objects, as pandas' `to_json(orient="records")` writes
    it. Labels may be whole numbers, true or false too; a text that is null counts as empty. Neither form is ever in
    memory as a whole.

    Args:
        path: the file; compressed if it ends in `.gz`.
        reading: entries, encoding.

    Raises:
        InputError: something in the file cannot be used; the message names file and line, or the place in the array.
    """
    with opened(path, reading.encoding) as content:
        array = _is_array(content)
        content.seek(0)
        if array:
            entries = _elements(path, content, reading.encoding)
        else:
            entries = _line_values(path, numbered_lines(path, content, reading.encoding))
        for where, value in entries:
            if not isinstance(value, dict):
                unit = "each element of the array" if array else "each line"
                raise InputError(f"{path}{where}: {unit} has to be a JSON object, not {json.dumps(value):.80}")
            _check_not_by_columns(path, where, value, reading)
            yield reading.typed_row(path, where, value)


def _is_array(content: TextIO) -> bool:
    try:
        while char := content.read(1):
            if char not in _BLANK + BYTE_ORDER_MARK:
                return char == "["
    except UnicodeError:  # reported below, with its line
        pass
    return False


def _line_values(path: Path, lines: NumberedLines) -> Iterator[tuple[str, Any]]:
    for line, content in lines:
        if not content.strip():
            continue
        try:
            yield f":{line}", json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{line}: this is not JSON: {error}; each line has to hold one object") from error


def _elements(path: Path, content: TextIO, encoding: str) -> Iterator[tuple[str, Any]]:
    """Yield the elements of an array with their places, counted from 0 as in Python."""
    text = _Buffer(path, content, encoding)
    text.take("[")
    number = 0
    while not (number == 0 and text.take("]")):
        text.place = f"[{number}]"
        yield text.place, text.value()
        number += 1
        if text.take("]"):
            break
        if not text.take(","):
            raise text.error("a comma or ] has to follow it")
    if text.peek():
        raise text.error("there is more after the array")


class _Buffer:
    """The part of a JSON text that is being parsed."""

    def __init__(self, path: Path, content: TextIO, encoding: str) -> None:
        self.place = ""
        self._path, self._content, self._encoding = path, content, encoding
        self._text, self._at = "", 0
        self._decode = json.JSONDecoder().raw_decode
        self._more(_PIECE)
        self._text = self._text.removeprefix(BYTE_ORDER_MARK)

    def peek(self) -> str:
        """Return the next character that is not white space; "" at the end of the file."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _BLANK:
                    return self._text[self._at]
                self._at += 1
            if not self._more(_PIECE):
                return ""

    def take(self, char: str) -> bool:
        """Skip a character if it is the next one."""
        found = self.peek() == char
        self._at += found
        return found

    def value(self) -> Any:
        """Parse the next value."""
        self.peek()
        while True:
            try:
                value, self._at = self._decode(self._text, self._at)
            except (ValueError, RecursionError) as error:  # noqa: PERF203  # most pass the first time
                # It may only be incomplete. Twice as much each time, so that long values are not parsed too often.
                size = len(self._text) - self._at
                if size > MAX_TEXT_BYTES:
                    raise self.error(f"{_reason(error)}, or more than {MAX_TEXT_BYTES:,} characters") from error
                if not self._more(max(size, _PIECE)):
                    raise self.error(_reason(error)) from error
            else:
                return value

    def error(self, reason: str) -> InputError:
        return InputError(f"{self._path}{self.place}: this is not a JSON array of objects: {reason}")

    def _more(self, size: int) -> bool:
        """Read that many more characters; False at the end of the file."""
        try:
            read = self._content.read(size)
        except UnicodeError as error:
            raise not_decodable(self._path, self.place, self._encoding, error) from error
        if escaped := ESCAPED_BYTE.search(read):
            raise not_decodable(self._path, self.place, self._encoding, ord(escaped[0]) - 0xDC00)
        self._text, self._at = self._text[self._at :] + read, 0
        return bool(read)


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)


def _check_not_by_columns(path: Path, where: str, value: dict[str, Any], reading: Reading) -> None:
    """Refuse what pandas' `to_json` writes by default: an object of columns, each of them an object or a list."""
    columns = [value.get(column) for column in reading.wanted]
    if all(isinstance(column, dict) for column in columns):
        raise InputError(
            f"{path}{where}: this object holds whole columns, not one text; write the table by rows, in pandas with "
            "to_json(path, orient='records', lines=True)"
        )
