"""Labelled texts in Parquet files."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from seqclass.data.sources.rows import Reading, Row, listed, not_decodable
from seqclass.errors import InputError
from seqclass.reading import GZIP, open_binary, readable

PARQUET = ".parquet"

_BATCH_ROWS = 1024


def read_parquet(path: Path, reading: Reading) -> Iterator[Row]:
    """Reads the labelled texts of a Parquet file, one by one; rows are counted from 1.

    Labels are strings, whole numbers or truth values. Only the columns that are asked for are read, a batch at a time.

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
            for column in reading.columns:
                if names.count(column) != 1:
                    raise InputError(f"{path}: there is no column {column!r}; the columns are {listed(names)}")
            number = 0
            for batch in table.iter_batches(_BATCH_ROWS, columns=list(reading.columns)):
                by_name = [(name, batch.column(name)) for name in reading.columns]
                for at in range(batch.num_rows):
                    number += 1
                    yield _row(path, number, {name: column[at] for name, column in by_name}, reading)
        except ArrowException as error:
            raise InputError(f"{path} is no Parquet file, or is damaged: {error}") from error


def _row(path: Path, number: int, scalars: dict[str, Any], reading: Reading) -> Row:
    try:
        values = {name: scalar.as_py() for name, scalar in scalars.items()}
    except UnicodeDecodeError as error:
        raise not_decodable(path, f":{number}", "utf-8", error) from error
    return reading.typed_row(path, f":{number}", values)


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
