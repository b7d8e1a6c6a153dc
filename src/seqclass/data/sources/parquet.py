"""Labelled texts in Parquet files."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from seqclass.data.sources.rows import Reading, Row
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.reading import GZIP, open_binary, readable

PARQUET = ".parquet"

_BATCH_ROWS = 1024


def read_parquet(path: Path, reading: Reading) -> Iterator[Row]:
    """Reads the labelled texts of a Parquet file, one by one; rows are counted from 1.

    Labels are strings, whole numbers or truth values. Numbers of which the file's metadata say, as Hugging Face's
    `datasets` writes them, which class each stands for, become those names. Only the columns that are asked for are
    read, a batch at a time; `review.body` is the field `body` of the column `review`.

    Args:
        path: the file; compressed if it ends in `.gz`.
        reading: columns.

    Raises:
        InputError: if pyarrow is missing, or something in the file cannot be used; the message names file and row.
    """
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise InputError(f"reading {path} needs pyarrow: pip install 'seqclass[parquet]'") from error
    with readable(path), _seekable(path) as file:
        try:
            table = ParquetFile(file)
            names = list(table.schema_arrow.names)
            fields = [table.schema.column(number).path for number in range(len(table.schema))]
            for column in reading.wanted:
                if names.count(column) != 1 and column not in fields:
                    raise InputError(f"{path}: there is no column {column!r}; the columns are {listed(names)}")
            outer = [name if name in names else name.partition(".")[0] for name in reading.wanted]
            class_names = _class_names(table.schema_arrow.metadata, reading.label_column)
            number = 0
            for batch in table.iter_batches(_BATCH_ROWS, columns=list(reading.wanted)):
                by_name = [(name, batch.column(name)) for name in dict.fromkeys(outer)]
                for at in range(batch.num_rows):
                    number += 1
                    row = {name: column[at] for name, column in by_name}
                    yield _row(path, number, row, reading, class_names)
        except ArrowException as error:
            raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from error


def _row(path: Path, number: int, scalars: dict[str, Any], reading: Reading, class_names: list[str] | None) -> Row:
    try:
        values = {name: scalar.as_py() for name, scalar in scalars.items()}
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(
            f"{path}:{number}: this is not UTF-8 (byte 0x{byte:02x}), which all strings in Parquet are"
        ) from error
    if class_names is not None and reading.label_column in values:
        label = values[reading.label_column]
        try:
            named = [_named(n, class_names) for n in label] if isinstance(label, list) else _named(label, class_names)
        except LookupError as error:
            raise InputError(
                f"{path}:{number}: {reading.label_column!r} is {error}, which stands for no class; the file names "
                f"{len(class_names)}, from 0 on: {listed(class_names)}"
            ) from error
        values[reading.label_column] = named
    return reading.typed_row(path, f":{number}", values)


def _class_names(metadata: dict[bytes, bytes] | None, column: str | None) -> list[str] | None:
    """The names of a `ClassLabel` column, or of one that holds lists of them; None if the file has none."""
    try:
        feature = json.loads((metadata or {})[b"huggingface"])["info"]["features"][column]
        while "names" not in feature:
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
        names = feature["names"]
    except (KeyError, IndexError, TypeError, ValueError, RecursionError):
        return None  # of another kind, or none at all
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _named(label: Any, class_names: list[str]) -> Any:
    """The class's name for its number; -1 is what data sets without labels hold."""
    if not isinstance(label, int) or isinstance(label, bool):
        return label
    if not 0 <= label < len(class_names):
        raise LookupError(label)
    return class_names[label]


def _seekable(path: Path) -> BinaryIO:
    """The file, decompressed where it has to be: Parquet is read from its end."""
    if path.suffix.lower() != GZIP:
        return path.open("rb")
    content: Any = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    try:
        with open_binary(path) as file:
            shutil.copyfileobj(file, content)
    except BaseException:
        content.close()
        raise
    content.seek(0)
    return content
