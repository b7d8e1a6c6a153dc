"""The texts that a checkpoint classifies or is evaluated on, one by one."""

import io
import itertools
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple, TypeVar

from seqclass.data import find_imdb
from seqclass.data.sources.inputs import open_input
from seqclass.data.sources.lines import numbered_lines
from seqclass.data.sources.rows import Reading
from seqclass.errors import InputError

Item = TypeVar("Item")


class LabelledText(NamedTuple):
    """A text, its name for a person, and the names of its classes: one, or any number where several are allowed."""

    name: str
    text: str
    labels: tuple[str, ...]


def labelled_texts(data: str | Path | None, reading: Reading | None = None) -> Iterator[LabelledText]:
    """Read a data set's test texts.

    Args:
        data: a `.csv`, `.tsv`, `.jsonl` or `.parquet` file, plain or with `.gz` behind; a folder with one sub-folder
            of texts for each class; or the IMDB reviews as archive or folder. None for the IMDB reviews, wherever
            they are on this machine.
        reading: how your own files and folders are read: columns, encoding and so on.

    Raises:
        InputError: something cannot be read, or has no texts.
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
    """Read the texts of a file, one by one; its other columns, labels included, are ignored.

    Raises:
        InputError: the file or a row cannot be read; the message names file and line.
    """
    unlabelled = replace(reading or Reading(), label_column=None, keep_empty=True)
    for row in open_input(path, "input").rows(unlabelled):
        yield row.text


def standard_input_lines(encoding: str) -> Iterator[str]:
    """Yield the lines of standard input without their ends; a byte-order mark before the first is dropped.

    Args:
        encoding: of redirected input; a terminal has its own.

    Raises:
        InputError: standard input is closed, or a line is too long or not in the encoding.
    """
    stream = sys.stdin
    if stream is None or stream.closed:
        raise InputError("standard input is closed; give the texts as arguments, or a file with --input")
    if isinstance(stream, io.TextIOWrapper):
        encoding = stream.encoding if stream.isatty() else encoding
        # Bytes that cannot be decoded become lone surrogates, so that they are found with their line.
        stream.reconfigure(encoding=encoding, errors="surrogateescape")
    for _, line in numbered_lines(Path("standard input"), stream, encoding):
        yield line.rstrip("\n")


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield lists of `size` items; the last may be shorter."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
