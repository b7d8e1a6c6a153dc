"""Rows of Arrow tables, which Parquet files and saved data sets of Hugging Face hold."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from seqclass.data.sources.rows import Reading, Row
from seqclass.errors import InputError
from seqclass.messages import listed


@contextmanager
def pyarrow_needed(path: Path) -> Iterator[None]:
    """Turn a missing pyarrow into an InputError."""
    try:
        yield
    except ImportError as error:
        raise InputError(f"reading {path} needs pyarrow: pip install 'seqclass[parquet]'") from error


def arrow_rows(
    path: Path,
    batches: Iterable[Any],
    reading: Reading,
    *,
    names: Sequence[str],
    class_names: list[str] | None,
    place: Callable[[int], str],
) -> Iterator[Row]:
    """Yield the rows of record batches, one by one.

    Args:
        path: what messages call the table.
        batches: pyarrow's record batches.
        reading: columns.
        names: of the columns; `review.body` is the field `body` of the column `review`, if none has that name.
        class_names: what the numbers in the label column mean; None if they are labels themselves.
        place: of a row by its number, which counts from 0.

    Raises:
        InputError: something in a row cannot be used.
    """
    outer = list(dict.fromkeys(name if name in names else name.partition(".")[0] for name in reading.wanted))
    number = 0
    for batch in batches:
        columns = {name: batch.column(name) for name in outer}
        for at in range(batch.num_rows):
            where = place(number)
            values = _values(path, where, {name: column[at] for name, column in columns.items()})
            if class_names is not None and reading.label_column in values:
                label = values[reading.label_column]
                values[reading.label_column] = _named(label, class_names, f"{path}{where}: {reading.label_column!r}")
            yield reading.typed_row(path, where, values)
            number += 1


def check_columns(path: Path, reading: Reading, names: Sequence[str], fields: Sequence[str]) -> None:
    """Check that the columns to read exist.

    Args:
        path: for messages.
        reading: names the columns.
        names: of the table's columns.
        fields: dotted paths of fields within columns.

    Raises:
        InputError: one is missing or occurs several times.
    """
    for column in reading.wanted:
        if names.count(column) != 1 and column not in fields:
            raise InputError(f"{path}: there is no column {column!r}; the columns are {listed(names)}")


def class_names_of(features: Any, column: str | None) -> list[str] | None:
    """Find the names of a `ClassLabel` column, or of one that holds lists of them.

    Args:
        features: those of Hugging Face's `DatasetInfo`, as JSON holds them, from a file of any origin.
        column: name of the column.

    Returns:
        The names, or None if the column is of another kind or not described.
    """
    try:
        feature = features[column]
        while "names" not in feature:
            feature = feature[0] if isinstance(feature, list) else feature["feature"]
        names = feature["names"]
    except (KeyError, IndexError, TypeError, RecursionError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _values(path: Path, where: str, scalars: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {name: scalar.as_py() for name, scalar in scalars.items()}
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}{where}: this is not UTF-8 (byte 0x{byte:02x}), which all strings here are") from error


def _named(label: Any, class_names: list[str], what: str) -> Any:
    """Return the class's name for its number, or the names for a list of numbers."""
    if isinstance(label, list):
        return [_named(one, class_names, what) for one in label]
    if not isinstance(label, int) or isinstance(label, bool):
        return label
    if not 0 <= label < len(class_names):
        unlabelled = "; data sets use -1 for hidden labels" if label == -1 else ""
        raise InputError(
            f"{what} is {label}, which is not a class; the {len(class_names)} classes from 0 on are "
            f"{listed(class_names)}{unlabelled}"
        )
    return class_names[label]
