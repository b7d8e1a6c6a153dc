"""Pretrained word vectors from the text files of GloVe, word2vec and fastText."""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.compressed import ZIP, open_binary, open_zipped, readable
from seqclass.errors import InputError
from seqclass.text.vocabulary import Vocabulary

MAX_DIMENSION = 4096
"""The largest; common files have a tenth of it. It bounds the memory that a file of unknown origin can take."""

_MAX_LINE_BYTES = 64 * MAX_DIMENSION
_HEADER = re.compile(rb"(\d{1,12}) (\d{1,12})")
_FRACTION = re.compile(rb"[+-]?\d*\.\d+(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Pretrained vectors of the words of a vocabulary.

    Args:
        path: the file they come from.
        ids: int64, shape (words found,); the ids of the words, ascending.
        vectors: float32, shape (words found, dimension).
        word_ids: int64; the ids of all words that were looked up.
    """

    path: Path
    ids: npt.NDArray[np.int64]
    vectors: npt.NDArray[np.float32]
    word_ids: npt.NDArray[np.int64]

    @property
    def dimension(self) -> int:
        """The size of a vector."""
        return int(self.vectors.shape[1])

    def coverage(self, id_counts: npt.NDArray[np.int64]) -> str:
        """Return one line that says how many of the words have a vector.

        Args:
            id_counts: how often each id occurs in the training texts, shape (ids,).
        """
        running, covered = int(id_counts[self.word_ids].sum()), int(id_counts[self.ids].sum())
        return (
            f"{self.path.name}: vectors of size {self.dimension} for {len(self.ids):,} of the vocabulary's "
            f"{len(self.word_ids):,} words ({len(self.ids) / len(self.word_ids):.1%}), which make up "
            f"{covered / max(running, 1):.1%} of their occurrences in the training texts"
        )


def read_word_vectors(path: str | Path, vocabulary: Vocabulary, *, dimension: int | None = None) -> WordVectors:
    """Read the vectors of a vocabulary's words.

    Each line is a word and its numbers, separated by spaces. A header of two whole numbers (word2vec, fastText) gives
    the number of words and the size of the vectors; without it (GloVe) the first row gives the size. Numbers are
    counted from the end of a line, since some words of GloVe's largest file contain spaces. If a word occurs twice, the
    first vector counts. Rows of words outside the vocabulary are counted, but neither parsed nor kept: memory is that
    of the vocabulary's vectors, whatever the size of the file.

    Args:
        path: the file; compressed if it ends in `.gz`; or in an archive, as `glove.6B.zip/glove.6B.100d.txt`.
        vocabulary: its words are looked up as the tokenizer gives them, so the case counts.
        dimension: the size that the vectors must have; None for any.

    Raises:
        InputError: the file cannot be read, rows differ in length, or a number is invalid or not finite; the message
            names file, line and value. Or the vectors have another dimension, or no word has a vector.
    """
    path = Path(path).expanduser()
    word_ids = vocabulary.word_ids()
    wanted = {word.encode("utf-8", "surrogatepass"): row for row, word in enumerate(word_ids)}
    table = _Table(path, len(wanted), dimension)
    # A number too large for float32 becomes infinite, which is reported.
    with readable(path), _open(path) as file, np.errstate(over="ignore"):
        lines = enumerate(iter(partial(file.readline, _MAX_LINE_BYTES), b""), 1)
        for number, line in tqdm(lines, desc=f"Reading {path.name}", unit=" lines", leave=False, disable=None):
            word, numbers = table.split(number, line)
            # Popped, so that the first vector of a word counts.
            row = wanted.pop(word, None)
            if row is not None:
                table.fill(row, number, numbers)
    return table.result(np.fromiter(word_ids.values(), dtype=np.int64), next(iter(word_ids), ""))


class _Table:
    """The vectors found so far, and what is known of the file's format."""

    def __init__(self, path: Path, words: int, dimension: int | None) -> None:
        self._path = path
        self._expected = dimension
        self._filled = np.zeros(words, dtype=bool)
        self._vectors: npt.NDArray[np.float32] = np.empty((0, 0), dtype=np.float32)
        self._dimension = 0
        self._announced: int | None = None
        self._rows = 0
        self._first_word = b""

    def split(self, number: int, line: bytes) -> tuple[bytes, bytes]:
        """Return a line's word and its numbers; both empty for a word with spaces, which no vocabulary has."""
        if len(line) == _MAX_LINE_BYTES:
            raise InputError(f"{self._path}:{number}: this line has {len(line):,} bytes or more, too many for a vector")
        line = line.rstrip()
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
            if header := _HEADER.fullmatch(line):
                self._announced = int(header[1])
                self._allocate(number, int(header[2]))
                return b"", b""
        if not line:
            return b"", b""
        if not self._dimension:
            self._allocate(number, _numbers_at_the_end(line))
        self._rows += 1
        spaces = line.count(b" ")
        word, _, numbers = line.partition(b" ")
        self._first_word = self._first_word or word
        if spaces == self._dimension:
            return word, numbers
        before = line.rsplit(b" ", self._dimension)[0].rpartition(b" ")[2]
        if spaces < self._dimension or _FRACTION.fullmatch(before):
            raise InputError(
                f"{self._path}:{number}: {_shown(word)} has {spaces} numbers, but vectors here have {self._dimension}"
            )
        return b"", b""

    def fill(self, row: int, number: int, numbers: bytes) -> None:
        """Store the numbers as the vector of a row."""
        values = numbers.split(b" ")
        try:
            self._vectors[row] = list(map(float, values))
        except ValueError:
            pass
        else:
            if np.isfinite(self._vectors[row]).all():
                self._filled[row] = True
                return
        wrong = next(value for value in values if not _is_finite(value))
        raise InputError(f"{self._path}:{number}: {_shown(wrong)} is not a finite number")

    def result(self, word_ids: npt.NDArray[np.int64], first_word: str) -> WordVectors:
        """Check the file as a whole, and return the vectors."""
        if not self._rows:
            raise InputError(f"{self._path} holds no word vectors")
        if self._announced is not None and self._rows < self._announced:
            raise InputError(
                f"{self._path} announces {self._announced:,} words in its first line but has {self._rows:,}: it is "
                "truncated"
            )
        if not self._filled.any():
            raise InputError(
                f"{self._path} has no vector for any of the vocabulary's {len(word_ids):,} words, such as "
                f"{first_word!r:.80}; the first word of the file is {_shown(self._first_word)}: are language, case "
                "(`lower`) and tokenizer the same?"
            )
        order = np.argsort(word_ids[self._filled])
        return WordVectors(
            self._path, word_ids[self._filled][order], self._vectors[self._filled][order], np.sort(word_ids)
        )

    def _allocate(self, number: int, dimension: int) -> None:
        if not 1 <= dimension <= MAX_DIMENSION:
            raise InputError(
                f"{self._path}:{number}: the vectors have {dimension:,} numbers; allowed are 1 to {MAX_DIMENSION:,}, "
                "with single spaces between a word and its numbers"
            )
        if self._expected not in (None, dimension):
            raise InputError(
                f"{self._path} has vectors of size {dimension}, but embedding_dim is {self._expected}; set it to "
                "null, or to that number"
            )
        self._dimension = dimension
        self._vectors = np.empty((len(self._filled), dimension), dtype=np.float32)


@contextmanager
def _open(path: Path) -> Iterator[BinaryIO]:
    archive = next((place for place in (path, *path.parents) if place.suffix.lower() == ZIP and place.is_file()), None)
    if archive is None:
        with open_binary(path) as file:
            yield file
    else:
        member = None if archive == path else path.relative_to(archive).as_posix()
        with open_zipped(archive, member) as file:
            yield file


def _numbers_at_the_end(line: bytes) -> int:
    fields = line.split(b" ")
    count = 0
    for field in reversed(fields):
        if not _is_number(field):
            break
        count += 1
    # The word itself may be one.
    return min(count, len(fields) - 1)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _is_finite(field: bytes) -> bool:
    # As float32, where 1e39 is infinite.
    return _is_number(field) and math.isfinite(float(field)) and abs(float(field)) <= float(np.finfo(np.float32).max)


def _shown(field: Any) -> str:
    return repr(field.decode("utf-8", "replace"))[:80]
