"""From a source of texts to the files of a data set, with memory for a chunk of it.

The texts are read and split once, into pieces whose words do not depend on what is around them. What is counted on the
way decides how they are encoded (which texts are the test part, and how often each word occurs in the others), so the
pieces are numbered as they come and written to the disk under those numbers; then, chunk by chunk, the numbers become
ids. In memory are a chunk, the distinct pieces, and 4 to 8 bytes for each label.
"""

import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.data.array_files import RaggedFile, mapped_ragged
from seqclass.data.encoded import Names, PartFiles, utf8, write_meta
from seqclass.data.sources import Source
from seqclass.data.split import label_array
from seqclass.text import BaseTokenizer, NumberedTexts, PieceIds, RaggedIds, TextPipeline, in_chunks
from seqclass.text.numbered import numbering

CHUNK_PIECES = 1 << 18
CHUNK_TEXTS = 1 << 16
"""A chunk that becomes ids ends with the text that reaches either limit."""


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
        pieces, numbered = _number_pieces(source, tokenizer, Path(scratch))
        parts = _parts(source, numbered)
        words = tokenizer.words_of_pieces(pieces)
        pipeline = new_pipeline(_word_counts(words, parts["train"]))
        ids = PieceIds(pipeline.vocabulary, words)
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
    """Texts as numbers of pieces.

    Attributes:
        pieces: in a file; a number counts the distinct pieces in the order of first appearance in the source.
        labels: as in `EncodedPart`.
        names: in a file, as UTF-8.
    """

    pieces: RaggedIds
    labels: npt.NDArray[np.integer[Any]]
    names: RaggedIds


@dataclass(frozen=True)
class _Part:
    """The selected texts of a part; `mask` says which, None for all."""

    texts: _Numbered
    mask: npt.NDArray[np.bool_] | None = None

    def chunks(self) -> Iterator[tuple[RaggedIds, npt.NDArray[np.int64]]]:
        """Yield some of the texts at a time, each with its row."""
        offsets = self.texts.pieces.offsets
        first = 0
        while first < len(self.texts.pieces):
            enough = int(np.searchsorted(offsets, offsets[first] + CHUNK_PIECES))
            last = min(max(enough, first + 1), first + CHUNK_TEXTS, len(self.texts.pieces))
            chunk, rows = self.texts.pieces[first:last], np.arange(first, last)
            if self.mask is not None:
                chunk, rows = chunk[self.mask[rows]], rows[self.mask[rows]]
            yield chunk, rows
            first = last


def _number_pieces(source: Source, tokenizer: BaseTokenizer, folder: Path) -> tuple[list[str], dict[str, _Numbered]]:
    """Read the source; returns the distinct pieces, and by part the texts as their numbers."""
    piece_numbers: defaultdict[str, int] = numbering()
    combination_numbers: defaultdict[tuple[str, ...], int] = numbering()
    combinations: dict[str, array[int]] = {}
    texts = tqdm(source.texts(), desc=f"Encoding {source.name}", unit=" texts", leave=False, disable=None)
    for part, rows in groupby(texts, key=attrgetter("part")):
        combinations[part] = array("i")
        with (
            RaggedFile(folder, f"{part}.pieces", np.uint32) as pieces_file,
            RaggedFile(folder, f"{part}.names", np.uint8) as names_file,
        ):
            for chunk in in_chunks(rows, lambda row: len(row.text)):
                pieces = tokenizer.pieces([row.text for row in chunk])
                number_of = np.fromiter(map(piece_numbers.__getitem__, pieces.words), np.uint32, len(pieces.words))
                pieces_file.append(RaggedIds(number_of[pieces.numbers.values], pieces.numbers.offsets))
                names_file.append(utf8(row.name for row in chunk))
                combinations[part].extend(combination_numbers[row.labels] for row in chunk)
    label_of = _label_table(source, list(combination_numbers))
    parts = {
        part: _Numbered(
            mapped_ragged(folder, f"{part}.pieces"),
            label_of[np.asarray(numbers)],
            mapped_ragged(folder, f"{part}.names"),
        )
        for part, numbers in combinations.items()
    }
    return list(piece_numbers), parts


def _label_table(source: Source, combinations: list[tuple[str, ...]]) -> npt.NDArray[np.integer[Any]]:
    """Return the label of each combination of names, as in `EncodedPart`."""
    index = {name: label for label, name in enumerate(source.label_names)}
    labels = [tuple(index[name] for name in names) for names in combinations]
    if source.multi_label:
        return label_array(labels, len(index)).astype(np.uint8)
    return label_array([label for (label,) in labels], len(index))


def _parts(source: Source, numbered: dict[str, _Numbered]) -> dict[str, _Part]:
    parts = {name: _Part(texts) for name, texts in numbered.items()}
    train = numbered["train"]
    held = source.test_rows(train.labels, Names(train.names))
    if len(held):
        mask = np.zeros(len(train.labels), dtype=bool)
        mask[held] = True
        parts |= {"train": _Part(train, ~mask), "test": _Part(train, mask)}
    return parts


def _word_counts(words: NumberedTexts, train: _Part) -> dict[str, int]:
    """How often each word occurs in a part, in the order of first appearance there.

    Args:
        words: of the pieces.
        train: the part.
    """
    pieces = len(words)
    counts = np.zeros(pieces, dtype=np.int64)
    first_at = np.full(pieces, np.iinfo(np.int64).max)
    start = 0
    for chunk, _ in train.chunks():
        counts += np.bincount(chunk.values, minlength=pieces)
        first_at = np.minimum(first_at, start + _first_places(chunk.values, pieces))
        start += len(chunk.values)
    of_pieces = words.numbers[np.argsort(first_at, kind="stable")[: np.count_nonzero(counts)]]
    counts_of_words = np.zeros(len(words.words), dtype=np.int64)
    np.add.at(counts_of_words, words.numbers.values, np.repeat(counts, words.numbers.lengths))
    order = np.argsort(_first_places(of_pieces.values, len(words.words)), kind="stable")
    return {
        words.words[number]: int(counts_of_words[number])
        for number in order[: np.count_nonzero(counts_of_words)].tolist()
    }


def _first_places(numbers: npt.NDArray[np.integer[Any]], count: int) -> npt.NDArray[np.int64]:
    """Return where each of the numbers 0 to `count - 1` comes first; far behind all others where it does not."""
    places = np.full(count, np.iinfo(np.int64).max // 2)
    # Of several assignments to one place the last stays: backwards, that of the first appearance.
    places[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
    return places


def _write(part: _Part, ids: PieceIds, pipeline: TextPipeline, files: PartFiles) -> npt.NDArray[np.int64]:
    """Write a part; returns the rows of the texts that hold no word of the vocabulary."""
    without_words = []
    for chunk, rows in part.chunks():
        encoded = ids.encode(chunk)
        files.append(encoded, part.texts.labels[rows], part.texts.names[rows])
        without_words.append(rows[pipeline.without_words(encoded)])
    return np.concatenate(without_words)
