"""From a source of texts to the files of a data set, with memory for a piece of it.

The texts are read and split into words once. What is counted on the way decides how they are encoded (which texts are
the test part, and how often each word occurs in the others), so the words are numbered as they come and written to the
disk under those numbers; then, piece by piece, the numbers become ids. In memory are a piece, the distinct words, and
4 to 8 bytes for each label.
"""

import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count, groupby
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.data.array_files import RaggedFile, mapped_ragged
from seqclass.data.encoded import Names, PartFiles, utf8, write_meta
from seqclass.data.sources import Source
from seqclass.data.split import label_array
from seqclass.text import BaseTokenizer, RaggedIds, TextPipeline, Vocabulary

PIECE_WORDS = 1 << 20
PIECE_TEXTS = 1 << 16
"""A piece ends with the text that reaches either limit."""

Item = TypeVar("Item", bound=Hashable)


def encode_source(
    source: Source, tokenizer: BaseTokenizer, new_pipeline: Callable[[dict[str, int]], TextPipeline], folder: Path
) -> None:
    """Write a source as a data set that `load_encoded` opens; warn about texts without a known word.

    Args:
        source: the texts.
        tokenizer: splits them into words.
        new_pipeline: takes how often each word occurs in the training texts, in the order of first appearance, and
            returns the pipeline to encode with; its tokenizer is `tokenizer`.
        folder: an existing, empty one.

    Raises:
        InputError: as the source does.
        OSError: if the files cannot be written.
    """
    with TemporaryDirectory(dir=folder) as scratch:
        words, numbered = _number_words(source, tokenizer, Path(scratch))
        parts = _parts(source, numbered)
        pipeline = new_pipeline(_word_counts(words, parts["train"]))
        ids = _WordIds(pipeline.vocabulary, words)
        for name, part in parts.items():
            num_classes = len(source.label_names) if source.multi_label else None
            with PartFiles(folder, name, num_ids=pipeline.num_ids, num_classes=num_classes) as files:
                without_words = _write(part, ids, pipeline, files)
            if len(without_words):
                print(
                    f"Warning: {len(without_words):,} texts of {name} hold no word of the vocabulary; the first is "
                    f"{Names(part.texts.names)[int(without_words[0])]}",
                    file=sys.stderr,
                )
    write_meta(folder, parts, source.label_names, pipeline)


@dataclass(frozen=True)
class _Numbered:
    """Texts as numbers of words.

    Attributes:
        words: in a file; a number counts the distinct words in the order of first appearance in the source.
        labels: as in `EncodedPart`.
        names: in a file, as UTF-8.
    """

    words: RaggedIds
    labels: npt.NDArray[np.integer[Any]]
    names: RaggedIds


@dataclass(frozen=True)
class _Part:
    """The selected texts of a part; `mask` says which, None for all."""

    texts: _Numbered
    mask: npt.NDArray[np.bool_] | None = None

    def pieces(self) -> Iterator[tuple[RaggedIds, npt.NDArray[np.int64]]]:
        """Yield pieces of the texts, each with the rows of its texts."""
        offsets = self.texts.words.offsets
        first = 0
        while first < len(self.texts.words):
            enough = int(np.searchsorted(offsets, offsets[first] + PIECE_WORDS))
            last = min(max(enough, first + 1), first + PIECE_TEXTS, len(self.texts.words))
            piece, rows = self.texts.words[first:last], np.arange(first, last)
            if self.mask is not None:
                piece, rows = piece[self.mask[rows]], rows[self.mask[rows]]
            yield piece, rows
            first = last


def _number_words(source: Source, tokenizer: BaseTokenizer, folder: Path) -> tuple[list[str], dict[str, _Numbered]]:
    """Read the source; returns the distinct words, and by part the texts as numbers of words."""
    word_numbers: defaultdict[str, int] = _numbering()
    combination_numbers: defaultdict[tuple[str, ...], int] = _numbering()
    combinations: dict[str, array[int]] = {}
    texts = tqdm(source.texts(), desc=f"Encoding {source.name}", unit=" texts", leave=False, disable=None)
    for part, rows in groupby(texts, key=attrgetter("part")):
        combinations[part] = array("i")
        with _NumberedFile(folder, part) as file:
            for row in rows:
                file.append(map(word_numbers.__getitem__, tokenizer(row.text)), row.name)
                combinations[part].append(combination_numbers[row.labels])
    label_of = _label_table(source, list(combination_numbers))
    parts = {
        part: _Numbered(
            mapped_ragged(folder, f"{part}.words"),
            label_of[np.asarray(numbers)],
            mapped_ragged(folder, f"{part}.names"),
        )
        for part, numbers in combinations.items()
    }
    return list(word_numbers), parts


def _numbering() -> "defaultdict[Item, int]":
    """Numbers words in the order of first appearance."""
    return defaultdict(count().__next__)


def _label_table(source: Source, combinations: list[tuple[str, ...]]) -> npt.NDArray[np.integer[Any]]:
    """Return the label of each combination of names, as in `EncodedPart`."""
    index = {name: label for label, name in enumerate(source.label_names)}
    labels = [tuple(index[name] for name in names) for names in combinations]
    if source.multi_label:
        return label_array(labels, len(index)).astype(np.uint8)
    return label_array([label for (label,) in labels], len(index))


class _NumberedFile:
    """Writes the words and names of one part."""

    def __init__(self, folder: Path, part: str) -> None:
        with ExitStack() as stack:
            self._words_file = stack.enter_context(RaggedFile(folder, f"{part}.words", np.uint32))
            self._names_file = stack.enter_context(RaggedFile(folder, f"{part}.names", np.uint8))
            self._files = stack.pop_all()
        self._begin_piece()

    def append(self, numbers: Iterator[int], name: str) -> None:
        self._words.extend(numbers)
        self._ends.append(len(self._words))
        self._names.append(name)
        if len(self._words) >= PIECE_WORDS or len(self._names) >= PIECE_TEXTS:
            self._write_piece()

    def __enter__(self) -> "_NumberedFile":
        return self

    def __exit__(self, *_: object) -> None:
        with self._files:
            self._write_piece()

    def _begin_piece(self) -> None:
        self._words, self._ends, self._names = array("I"), array("q", [0]), list[str]()

    def _write_piece(self) -> None:
        self._words_file.append(RaggedIds(np.asarray(self._words), np.asarray(self._ends)))
        self._names_file.append(utf8(self._names))
        self._begin_piece()


def _parts(source: Source, numbered: dict[str, _Numbered]) -> dict[str, _Part]:
    parts = {name: _Part(texts) for name, texts in numbered.items()}
    train = numbered["train"]
    held = source.test_rows(train.labels, Names(train.names))
    if len(held):
        mask = np.zeros(len(train.labels), dtype=bool)
        mask[held] = True
        parts |= {"train": _Part(train, ~mask), "test": _Part(train, mask)}
    return parts


def _word_counts(words: list[str], train: _Part) -> dict[str, int]:
    """How often each word occurs in a part, in the order of first appearance there."""
    counts = np.zeros(len(words), dtype=np.int64)
    first_at = np.full(len(words), np.iinfo(np.int64).max)
    start = 0
    for piece, _ in train.pieces():
        counts += np.bincount(piece.values, minlength=len(words))
        # Of several assignments to one place the last stays: backwards, that of the first appearance.
        appearances = np.full(len(words), np.iinfo(np.int64).max)
        appearances[piece.values[::-1]] = np.arange(start + len(piece.values) - 1, start - 1, -1)
        first_at = np.minimum(first_at, appearances)
        start += len(piece.values)
    return {words[number]: int(counts[number]) for number in np.argsort(first_at).tolist() if counts[number]}


class _WordIds:
    """The ids that a vocabulary gives to words known by their numbers."""

    def __init__(self, vocabulary: Vocabulary, words: list[str]) -> None:
        self._marks = vocabulary.encode(())
        # A word that is left out has the id -1.
        ids = [vocabulary.encode((word,))[len(self._marks) :] for word in words]
        self._table = np.array([found[0] if found else -1 for found in ids], dtype=np.int32)

    def encode(self, numbers: RaggedIds) -> RaggedIds:
        """Return the ids of texts, as `Vocabulary.encode` gives them."""
        ids = self._table[numbers.values]
        kept = ids >= 0
        offsets = np.concatenate([[0], np.cumsum(kept)])[numbers.offsets]
        values = np.insert(ids[kept], np.repeat(offsets[:-1], len(self._marks)), self._marks * len(numbers))
        return RaggedIds(values, offsets + len(self._marks) * np.arange(len(offsets)))


def _write(part: _Part, ids: _WordIds, pipeline: TextPipeline, files: PartFiles) -> npt.NDArray[np.int64]:
    """Write a part; returns the rows of the texts that hold no word of the vocabulary."""
    without_words = []
    for piece, rows in part.pieces():
        encoded = ids.encode(piece)
        files.append(encoded, part.texts.labels[rows], part.texts.names[rows])
        without_words.append(rows[pipeline.without_words(encoded)])
    return np.concatenate(without_words)
