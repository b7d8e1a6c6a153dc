"""Labelled texts in CSV, TSV and JSON Lines files.

CSV is read by Python's own `csv`, not by pyarrow: in strict mode it refuses stray quotes, which would join rows in
silence, and it tells the line of a row that cannot be used, where pyarrow counts rows of a block.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, Reading, Row, not_decodable
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.reading import GZIP, open_binary, readable

DELIMITERS = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson", ".json")

_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")

_NumberedLines = Iterator[tuple[int, str]]


def form_of(path: Path) -> str:
    """The suffix that says what a file holds: ".csv" for `a.csv`, and for `a.CSV.gz`."""
    bare = path.with_suffix("") if path.suffix.lower() == GZIP else path
    return bare.suffix.lower()


def read_table(path: Path, reading: Reading) -> Iterator[Row]:
    """Reads the labelled texts of a file, one by one.

    `.csv` and `.tsv` files begin with a line of column names, unless `reading` has those, and each row has as many
    fields. `.jsonl`, `.ndjson` and `.json` files hold one object a line, whose label may be a whole number, true or
    false too. Empty lines are passed over. Each may be compressed, and then ends in `.gz`.

    Args:
        path: the file; its suffix says which form it has.
        reading: columns, quotes, encoding.

    Raises:
        InputError: if something in the file cannot be used; the message names file and line.
    """
    # Bytes that cannot be decoded become lone surrogates, so that they are found with their line.
    how: dict[str, Any] = {"encoding": reading.encoding, "errors": "surrogateescape", "newline": ""}
    with readable(path), open_binary(path) as file, io.TextIOWrapper(file, **how) as content:
        lines = _lines(path, content, reading.encoding)
        if form_of(path) in JSON_LINES:
            yield from _objects(path, lines, reading)
        else:
            yield from _columns(path, _fields(path, lines, quotes=reading.quotes), reading)


def _lines(path: Path, content: TextIO, encoding: str) -> _NumberedLines:
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
        if escaped := _ESCAPED_BYTE.search(line):
            raise not_decodable(path, f":{number}", encoding, ord(escaped[0]) - 0xDC00)
        yield number, line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def _fields(path: Path, lines: _NumberedLines, *, quotes: bool) -> Iterator[tuple[int, list[str]]]:
    """The rows, each with its first line: a quoted field may go over several."""
    # Strict, because a stray quote would else join rows in silence.
    reader = csv.reader(
        (line for _, line in lines),
        delimiter=DELIMITERS[form_of(path)],
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


def _columns(path: Path, rows: Iterator[tuple[int, list[str]]], reading: Reading) -> Iterator[Row]:
    first, header = (0, list(reading.columns)) if reading.columns else next(rows, (1, []))
    if not header:
        raise InputError(f"{path} is empty; it has to begin with a line of column names")
    for column in reading.wanted:
        count = header.count(column)
        if count != 1:
            found = "there is no" if not count else f"there are {count} times the"
            raise InputError(
                f"{path}:{first}: {found} column {column!r}; the columns are {listed(header)}. If this is no line of "
                "names, name them with `columns`"
            )
    texts_at = [header.index(column) for column in reading.text_columns]
    label_at = None if reading.label_column is None else header.index(reading.label_column)
    for line, fields in rows:
        if line == 1 and fields == header:
            raise InputError(f"{path}:1: this line holds the names of the columns itself; leave `columns` out")
        if len(fields) != len(header):
            raise InputError(
                f"{path}:{line}: this row has {len(fields)} fields, but there are {len(header)} columns: "
                f"{listed(header)}"
            )
        yield reading.row(
            path, f":{line}", [fields[at] for at in texts_at], "" if label_at is None else fields[label_at]
        )


def _objects(path: Path, lines: _NumberedLines, reading: Reading) -> Iterator[Row]:
    for line, content in lines:
        if not content.strip():
            continue
        try:
            entries = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{line}: this is not JSON: {error}; each line has to hold one object") from error
        if not isinstance(entries, dict):
            raise InputError(f"{path}:{line}: each line has to hold one JSON object, not {content.strip()!r:.80}")
        yield reading.typed_row(path, f":{line}", entries)
