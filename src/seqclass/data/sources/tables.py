"""Labelled texts in CSV and TSV files.

They are read by Python's own `csv`, not by pyarrow: in strict mode it rejects stray quotes, which would silently
join rows, and it reports the line of an unusable row, where pyarrow counts the rows of a block.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from seqclass.data.sources.lines import NumberedLines, form_of, numbered_lines, opened
from seqclass.data.sources.rows import MAX_TEXT_BYTES, Reading, Row
from seqclass.errors import InputError
from seqclass.messages import listed

DELIMITERS = {".csv": ",", ".tsv": "\t"}

_COMMON_DELIMITERS = (",", ";", "\t", "|")

_NumberedRows = Iterator[tuple[int, list[str]]]


def read_table(path: Path, reading: Reading) -> Iterator[Row]:
    """Read the labelled texts of a `.csv` or `.tsv` file, one by one.

    The file begins with a line of column names, unless `reading` has those, and each row has as many fields. Empty
    lines are skipped. It may be compressed, and then ends in `.gz`.

    Args:
        path: the file; its suffix gives the delimiter, unless `reading` has one.
        reading: columns, delimiter, quotes, encoding.

    Raises:
        InputError: something in the file cannot be used; the message names file and line.
    """
    delimiter = reading.delimiter or DELIMITERS[form_of(path)]
    with opened(path, reading.encoding) as content:
        lines = numbered_lines(path, content, reading.encoding)
        yield from _rows(path, _fields(path, lines, delimiter, quotes=reading.quotes), delimiter, reading)


def _fields(path: Path, lines: NumberedLines, delimiter: str, *, quotes: bool) -> _NumberedRows:
    """Split lines into fields; a quoted field may span several."""
    current = ""

    def contents() -> Iterator[str]:
        nonlocal current
        for _, current in lines:
            yield current

    # Strict, because a stray quote would otherwise join rows in silence.
    reader = csv.reader(
        contents(),
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE,
        strict=True,
    )
    first = 1
    with _large_fields():
        while True:
            try:
                fields = next(reader, None)
            except csv.Error as error:
                hint = (
                    'A field with a quote in it is written "so ""quoted"" here"; if quotes are ordinary characters, '
                    "set `quotes` to false"
                )
                for other in _COMMON_DELIMITERS:
                    if other != delimiter and f'"{other}"' in current:
                        hint = _set_delimiter(other)
                raise InputError(f"{path}:{first}: this row cannot be read ({error}). {hint}") from error
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


def _rows(path: Path, rows: _NumberedRows, delimiter: str, reading: Reading) -> Iterator[Row]:
    first, header = (0, list(reading.columns)) if reading.columns else next(rows, (1, []))
    if not header:
        raise InputError(f"{path} is empty; it has to begin with a line of column names")
    for column in reading.wanted:
        if (count := header.count(column)) != 1:
            found = f"there are {count} columns {column!r}" if count else f"there is no column {column!r}"
            hint = _delimiter_hint(header, delimiter, lambda fields: set(reading.wanted) <= set(fields))
            hint = hint or "If this line is not a header, name the columns with `columns`"
            raise InputError(f"{path}:{first}: {found}; the columns are {listed(header)}. {hint}")
    texts_at = [header.index(column) for column in reading.text_columns]
    label_at = None if reading.label_column is None else header.index(reading.label_column)
    for line, fields in rows:
        if line == 1 and fields == header:
            raise InputError(f"{path}:1: this line is a header of column names; leave `columns` out")
        if len(fields) != len(header):
            hint = _delimiter_hint(fields, delimiter, lambda fields: len(fields) == len(header))
            raise InputError(
                f"{path}:{line}: this row has {len(fields)} fields, but there are {len(header)} columns: "
                f"{listed(header)}{'. ' if hint else ''}{hint}"
            )
        yield reading.row(
            path, f":{line}", [fields[at] for at in texts_at], "" if label_at is None else fields[label_at]
        )


def _delimiter_hint(fields: Sequence[str], delimiter: str, fits: Callable[[list[str]], bool]) -> str:
    """Name the delimiter with which a row would fit; "" if none of the common ones does."""
    line = delimiter.join(fields)
    for other in _COMMON_DELIMITERS:
        if other != delimiter and fits([field.strip().strip('"') for field in line.split(other)]):
            return _set_delimiter(other)
    return ""


def _set_delimiter(other: str) -> str:
    return f"The columns seem to be separated by {other!r}: set `delimiter` to {other!r}"
