"""The labelled texts that a checkpoint is measured on, one by one."""

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

from seqclass.data import find_imdb
from seqclass.data.sources.class_folder import read_class_folder
from seqclass.data.sources.rows import Row
from seqclass.data.sources.tables import read_table
from seqclass.errors import InputError

Item = TypeVar("Item")


class LabelledText(NamedTuple):
    """A text, what a person finds it by, and the name of its class."""

    name: str
    text: str
    label: str


def labelled_texts(
    data: str | Path | None, *, text_column: str = "text", label_column: str = "label"
) -> Iterator[LabelledText]:
    """Read a data set's test texts.

    Args:
        data: a `.csv`, `.tsv` or `.jsonl` file, a folder with one sub-folder of texts for each class, or the IMDB
            reviews as archive or folder; None for the IMDB reviews wherever they are.
        text_column: of a file, holds the text.
        label_column: of a file, holds the class.

    Raises:
        InputError: something cannot be read, or holds no texts.
    """
    path = None if data is None else Path(data).expanduser()
    if path is None or path.name.endswith((".tar.gz", ".tgz")) or (path / "test").is_dir():
        source = find_imdb(None if path is None else str(path))
        part = source.read()["test"]
        for name, text, label in zip(part.names, part.texts, part.labels, strict=True):
            yield LabelledText(name, text, source.label_names[label])
        return
    if not path.exists():
        raise InputError(f"there are no texts at {path}")
    folder = path.is_dir()
    rows = read_class_folder(path) if folder else _table(path, text_column, label_column)
    empty = True
    for row in rows:
        empty = False
        yield LabelledText(f"{path.name}{row.where}", row.text, row.label)
    if empty:
        raise InputError(f"{path} holds no texts")


def _table(path: Path, text_column: str, label_column: str) -> Iterator[Row]:
    if path.suffix.lower() not in (".csv", ".tsv", ".jsonl"):
        raise InputError(f"cannot tell what {path} is; allowed are .csv, .tsv and .jsonl files, and folders")
    return read_table(path, text_column=text_column, label_column=label_column, quotes=True)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last with what is left."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
