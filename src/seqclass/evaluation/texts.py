"""The texts that a checkpoint is measured on or asked about, one by one."""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from seqclass.data import find_imdb
from seqclass.data.sources.inputs import open_input
from seqclass.data.sources.rows import Reading
from seqclass.errors import InputError

Item = TypeVar("Item")


class LabelledText(NamedTuple):
    """A text, what a person finds it by, and the names of its classes: one, or where a text may have several any."""

    name: str
    text: str
    labels: tuple[str, ...]


def labelled_texts(data: str | Path | None, reading: Reading | None = None) -> Iterator[LabelledText]:
    """Read a data set's test texts.

    Args:
        data: a `.csv`, `.tsv`, `.jsonl` or `.parquet` file, plain or with `.gz` behind; a folder with one sub-folder
            of texts for each class; or the IMDB reviews as archive or folder. None for the IMDB reviews wherever
            they are.
        reading: of files and folders of one's own: columns, encoding and so on.

    Raises:
        InputError: something cannot be read, or holds no texts.
    """
    path = None if data is None else Path(data).expanduser()
    if path is None or path.name.endswith((".tar.gz", ".tgz")) or (path / "test").is_dir():
        for review in find_imdb(None if path is None else str(path)).texts():
            if review.part == "test":
                yield LabelledText(review.name, review.text, review.labels)
        return
    texts = open_input(path, "data")
    reading = reading or Reading()
    empty = True
    for row in texts.rows(reading):
        empty = False
        yield LabelledText(f"{texts.name}{row.where}", row.text, tuple(reading.label_names(row.label)))
    if empty:
        raise InputError(f"{path} holds no texts")


def unlabelled_texts(path: str | Path, reading: Reading | None = None) -> Iterator[str]:
    """Read the texts of a file, one by one; its other columns, that of the labels too, are passed over.

    Raises:
        InputError: the file or a row cannot be read; the message names file and line.
    """
    unlabelled = replace(reading or Reading(), label_column=None, keep_empty=True)
    for row in open_input(path, "input").rows(unlabelled):
        yield row.text


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of `size` items, the last with what is left."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
