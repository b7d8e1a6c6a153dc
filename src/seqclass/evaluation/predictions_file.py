"""Files of predictions, written batch by batch: CSV, JSON Lines, Parquet."""

import csv
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError
from seqclass.files import written_whole

Columns = dict[str, Sequence[Any]]
Write = Callable[[Columns], None]


def prediction_columns(names: Sequence[str], chosen: Sequence[Sequence[str]], probabilities: npt.ArrayLike) -> Columns:
    """Return the columns of a model's predictions, the same in every file: predicted, probability, p(NAME).

    Args:
        names: of the classes.
        chosen: the predicted names of each text: one, or any number if a text may have several.
        probabilities: (texts, classes).

    Returns:
        `predicted`, the names joined by ", "; `probability`, the text's largest; and the probability of each class.
    """
    rows = np.asarray(probabilities, dtype=np.float64).reshape(-1, len(names))
    columns = np.round(rows, 6).T.tolist()
    return {
        "predicted": [", ".join(labels) for labels in chosen],
        "probability": np.round(rows.max(axis=1, initial=0), 6).tolist(),
        **{f"p({name})": column for name, column in zip(names, columns, strict=True)},
    }


@contextmanager
def predictions_file(path: str | Path) -> Iterator[Write]:
    """Provide a function that writes rows, given as columns; the file appears once all are written.

    In every file for users, `label` is the true label and `predicted` the model's.

    Args:
        path: ends in `.csv`, `.jsonl` or `.parquet`.

    Raises:
        InputError: another ending, Parquet without pyarrow, or the file cannot be written.
    """
    kinds = {".csv": _csv, ".jsonl": _json_lines, ".parquet": _parquet}
    kind = kinds.get(Path(path).suffix.lower())
    if kind is None:
        raise InputError(f"cannot write {path}: its name has to end in {', '.join(kinds)}")
    with written_whole(path) as part, kind(part) as write:
        yield write


@contextmanager
def _csv(path: Path) -> Iterator[Write]:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)

        def write(columns: Columns) -> None:
            if file.tell() == 0:
                writer.writerow(columns)
            try:
                writer.writerows(zip(*columns.values(), strict=True))
            except csv.Error as error:  # Python 3.10 writes no NUL
                raise InputError(f"CSV cannot hold one of these texts ({error}); write a .jsonl file") from error

        yield write


@contextmanager
def _json_lines(path: Path) -> Iterator[Write]:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:

        def write(columns: Columns) -> None:
            for row in zip(*columns.values(), strict=True):
                file.write(json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n")

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Write]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise InputError("Parquet files need pyarrow: pip install 'seqclass[parquet]'") from error
    writers: list[Any] = []

    def write(columns: Columns) -> None:
        table = pa.table({name: [_encodable(value) for value in values] for name, values in columns.items()})
        if not writers:
            writers.append(pq.ParquetWriter(path, table.schema))
        writers[0].write_table(table)

    try:
        yield write
    finally:
        for writer in writers:
            writer.close()


def _encodable(value: Any) -> Any:
    """Return a text without lone surrogates, which a str may hold and UTF-8 does not."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value
