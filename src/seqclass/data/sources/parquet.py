"""Labelled texts in Parquet files."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from seqclass.compressed import GZIP, open_binary, readable
from seqclass.data.sources.arrow_rows import arrow_rows, check_columns, class_names_of, pyarrow_needed
from seqclass.data.sources.rows import Reading, Row
from seqclass.errors import InputError

PARQUET = ".parquet"

_BATCH_ROWS = 1024


def read_parquet(path: Path, reading: Reading) -> Iterator[Row]:
    """Read the labelled texts of a Parquet file, one by one; rows are counted from 1.

    Labels are strings, whole numbers or truth values. Numbers that the file's metadata
    map to class names, as Hugging Face's `datasets` writes them, become those names. Only the requested columns are
    read, a batch at a time; `review.body` is the field `body` of the column `review`.

    Args:
        path: the file; compressed if it ends in `.gz`.
        reading: columns.

    Raises:
        InputError: pyarrow is missing, or something in the file cannot be used; the message names file and row.
    """
    with pyarrow_needed(path):
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    with readable(path), _seekable(path) as file:
        try:
            table = ParquetFile(file)
            names = list(table.schema_arrow.names)
            fields = [table.schema.column(number).path for number in range(len(table.schema))]
            check_columns(path, reading, names, fields)
            yield from arrow_rows(
                path,
                table.iter_batches(_BATCH_ROWS, columns=list(reading.wanted)),
                reading,
                names=names,
                class_names=_class_names(table.schema_arrow.metadata, reading.label_column),
                place=lambda number: f":{number + 1}",
            )
        except InputError:
            raise
        except (ArrowException, ValueError, LookupError) as error:
            raise InputError(f"{path} is not a Parquet file, or is damaged: {error}") from error


def _class_names(metadata: dict[bytes, bytes] | None, column: str | None) -> list[str] | None:
    """Return the class names of a column from the metadata of Hugging Face's `datasets`."""
    try:
        features = json.loads((metadata or {})[b"huggingface"])["info"]["features"]
    except (KeyError, TypeError, ValueError, RecursionError):
        return None  # of another kind, or none at all
    return class_names_of(features, column)


def _seekable(path: Path) -> BinaryIO:
    """Return the file, decompressed where it has to be: Parquet is read from its end."""
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
