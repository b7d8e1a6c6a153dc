"""Labelled texts in CSV, TSV and JSON Lines files."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, Row, checked_row, decoded, readable
from seqclass.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = ".jsonl"

_NumberedLines = Iterator[tuple[int, str]]
_Record = tuple[int, str, str]
"""Line, text, label."""


def read_table(path: Path, *, text_column: str, label_column: str, quotes: bool) -> Iterator[Row]:
    """Reads the labelled texts of a file, one by one.

    `.csv` and `.tsv` files begin with a line of column names, and each row has as many fields. `.jsonl` files
    hold one object a line, whose label may be a whole number, true or false too. Empty lines are passed over.

    Args:
        path: the file; its suffix says which form it has.
        text_column: name of the column (of the object's entry) that holds the text.
        label_column: likewise, the label.
        quotes: whether `"` quotes the fields of `.csv` and `.tsv` files.

    Raises:
        InputError: if something in the file cannot be used; the message names file and line.
    """
    with readable(path), path.open("rb") as file:
        lines = _lines(path, file)
        if path.suffix.lower() == JSON_LINES:
            records = _objects(path, lines, text_column, label_column)
        else:
            fields = _fields(path, lines, quotes=quotes)
            records = _columns(path, fields, text_column, label_column)
        for line, text, label in records:
            yield checked_row(path, f":{line}", text, label)


def _lines(path: Path, file: Any) -> _NumberedLines:
    number = 0
    while line := file.readline(MAX_TEXT_BYTES + 1):
        number += 1
        if len(line) > MAX_TEXT_BYTES:
            raise InputError(f"{path}:{number}: this line has more than {MAX_TEXT_BYTES:,} bytes, too many for a text")
        text = decoded(path, f":{number}", line)
        yield number, text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _fields(path: Path, lines: _NumberedLines, *, quotes: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with its first line: a quoted field may go over several."""
    # Strict, because a stray quote would else join rows in silence.
    reader = csv.reader(
        (line for _, line in lines),
        delimiter=DELIMITERS[path.suffix.lower()],
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        strict=True,
    )
    first = 1
    with _large_fields():
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                raise InputError(
                    f'{path}:{first}: this row cannot be read ({error}); a field with a quote in it is written "so '
                    '""quoted"" here", or is the quote a character like any other: then set `quotes` to false'
                ) from error
            if fields is None:
                return
            if fields:
                yield first, fields
            first = reader.line_num + 1


@contextmanager
def _large_fields() -> Iterator[None]:
    before = csv.field_size_limit(MAX_TEXT_BYTES)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _columns(
    path: Path, rows: Iterator[tuple[int, list[str]]], text_column: str, label_column: str
) -> Iterator[_Record]:
    first, header = next(rows, (1, []))
    if not header:
        raise InputError(f"{path} is empty; it has to begin with a line of column names")
    for column in (text_column, label_column):
        count = header.count(column)
        if count != 1:
            found = "there is no" if not count else f"there are {count} times the"
            raise InputError(f"{path}:{first}: {found} column {column!r}; the columns are {_listed(header)}")
    text_at, label_at = header.index(text_column), header.index(label_column)
    for line, fields in rows:
        if len(fields) != len(header):
            raise InputError(
                f"{path}:{line}: this row has {len(fields)} fields, but there are {len(header)} columns: "
                f"{_listed(header)}"
            )
        yield line, fields[text_at], fields[label_at]


def _objects(path: Path, lines: _NumberedLines, text_column: str, label_column: str) -> Iterator[_Record]:
    for line, content in lines:
        if not content.strip():
            continue
        try:
            entries = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{line}: this is not JSON: {error}") from error
        if not isinstance(entries, dict):
            raise InputError(f"{path}:{line}: each line has to hold one JSON object, not {content.strip()!r:.80}")
        text = _entry(path, line, entries, text_column)
        if not isinstance(text, str):
            raise InputError(f"{path}:{line}: {text_column!r} is {text!r:.80}; a text has to be a string")
        label = _entry(path, line, entries, label_column)
        if isinstance(label, int):
            label = json.dumps(label)  # true stays "true"
        if not isinstance(label, str):
            raise InputError(
                f"{path}:{line}: {label_column!r} is {label!r:.80}; a label has to be a string, a whole number, true "
                "or false"
            )
        yield line, text, label


def _entry(path: Path, line: int, entries: Mapping[str, Any], name: str) -> Any:
    if name not in entries:
        raise InputError(f"{path}:{line}: there is no {name!r}; the entries are {_listed(list(entries))}")
    return entries[name]


def _listed(names: list[str]) -> str:
    """Names for a message; of a file without a header they are whatever its first row holds."""
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(f"{name!r:.60}" for name in names[:20]) + more
