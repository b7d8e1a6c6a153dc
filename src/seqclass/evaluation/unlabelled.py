"""Texts without labels from a file, one by one."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, decoded, readable
from seqclass.errors import InputError

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def unlabelled_texts(path: str | Path, text_column: str = "text") -> Iterator[str]:
    """Read the texts of a `.csv`, `.tsv` or `.jsonl` file; its other columns are passed over.

    Raises:
        InputError: the file or a row cannot be read; the message names file and line.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (*_DELIMITERS, ".jsonl"):
        raise InputError(f"cannot tell what {path} is; allowed are .csv, .tsv and .jsonl files")
    with readable(path), path.open("rb") as file:
        lines = _lines(path, file)
        yield from _objects(path, lines, text_column) if suffix == ".jsonl" else _rows(path, lines, text_column)


def _lines(path: Path, file: Any) -> Iterator[str]:
    number = 0
    while line := file.readline(MAX_TEXT_BYTES + 1):
        number += 1
        if len(line) > MAX_TEXT_BYTES:
            raise InputError(f"{path}:{number}: this line has more than {MAX_TEXT_BYTES:,} bytes, too many for a text")
        text = decoded(path, f":{number}", line)
        yield text.removeprefix(BYTE_ORDER_MARK) if number == 1 else text


def _rows(path: Path, lines: Iterator[str], text_column: str) -> Iterator[str]:
    before = csv.field_size_limit(MAX_TEXT_BYTES)
    reader = csv.DictReader(lines, delimiter=_DELIMITERS[path.suffix.lower()], strict=True)
    try:
        if text_column not in (reader.fieldnames or ()):
            raise InputError(f"{path}: there is no column {text_column!r}; the columns are {reader.fieldnames}")
        for row in reader:
            if None in row or None in row.values():
                raise InputError(f"{path}:{reader.line_num}: this row has not {len(reader.fieldnames or ())} fields")
            yield row[text_column]
    except csv.Error as error:
        raise InputError(f"{path}:{reader.line_num}: this row cannot be read ({error})") from error
    finally:
        csv.field_size_limit(before)


def _objects(path: Path, lines: Iterator[str], text_column: str) -> Iterator[str]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entries = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}:{number}: this is not JSON: {error}") from error
        text = entries.get(text_column) if isinstance(entries, dict) else None
        if not isinstance(text, str):
            raise InputError(f"{path}:{number}: there is no text at {text_column!r}")
        yield text
