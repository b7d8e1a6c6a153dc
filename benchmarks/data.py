"""The reviews everyone is given: encoded once by seqclass, handed to the workers as files.

A prepared folder holds, for ``train`` and ``test``:

    PART_ids.npy      (reviews, length) int32, cut and padded at the front
    PART_labels.npy   (reviews,) float32, 0 or 1
    PART_texts.txt    one review per line, if texts were asked for

Text classifiers and recipes can be given other texts as well, a `TextSet`; of these a prepared folder holds texts and
labels, the numbers of their classes.

Where the real reviews are not at hand, made-up ids with the lengths and word frequencies of IMDB stand in,
good enough to time a step (real padding matters, it is more than half of the matrix). Every result says so.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.settings import Settings

PARTS = ("train", "test")
REVIEWS = 25_000
"""Reviews in each part."""

MEDIAN_LENGTH = 177
LOG_LENGTH_SPREAD = 0.75
"""A log-normal with these has IMDB's median and mean number of words, 177 and 235."""


class DataMissingError(Exception):
    """A question that needs the real reviews does not find them."""


@dataclass(frozen=True)
class Prepared:
    """A prepared folder, and where its reviews come from."""

    folder: Path
    source: str


def source(synthetic: bool) -> str:
    """``"imdb"`` if the reviews are at hand and not unwanted, else ``"synthetic"``."""
    from benchmarks import imdb

    return "synthetic" if synthetic or not imdb.at_hand() else "imdb"


def prepare(folder: Path, *, source: str, length: int, num_words: int) -> Prepared:
    """Write the ids and labels of all reviews into ``folder``, from ``"imdb"`` or ``"synthetic"``."""
    folder.mkdir(parents=True, exist_ok=True)
    if source == "imdb":
        from benchmarks import imdb

        parts = imdb.encoded(length=length, num_words=num_words)
    else:
        parts = {
            part: synthetic_reviews(REVIEWS, length=length, num_words=num_words, seed=seed)
            for seed, part in enumerate(PARTS)
        }
    for part, (ids, labels) in parts.items():
        np.save(folder / f"{part}_ids.npy", ids.astype(np.int32, copy=False))
        np.save(folder / f"{part}_labels.npy", labels.astype(np.float32, copy=False))
    return Prepared(folder, source)


def prepare_real(folder: Path, *, length: int, num_words: int, texts: bool, reviews: int = REVIEWS) -> Prepared:
    """Write the real reviews into ``folder``, with their texts if asked for.

    Args:
        folder: made if missing.
        length: of the rows of ids.
        num_words: number of ids.
        texts: whether texts are written too.
        reviews: how many of each part; fewer than all are drawn at random, the same every time.

    Raises:
        DataMissingError: if the reviews are not on this machine.
    """
    from benchmarks import imdb

    _need_imdb()
    prepared = prepare(folder, source="imdb", length=length, num_words=num_words)
    lines = imdb.texts() if texts else {}
    chosen = {}
    for part in PARTS:
        available = len(np.load(folder / f"{part}_labels.npy", mmap_mode="r"))
        chosen[part] = np.sort(np.random.default_rng(0).permutation(available)[:reviews])
        for path in (folder / f"{part}_ids.npy", folder / f"{part}_labels.npy"):
            np.save(path, np.load(path)[chosen[part]])
    for part, rows in lines.items():
        _write_lines(folder, part, (rows[index][0] for index in chosen[part]))
    return prepared


def _write_lines(folder: Path, part: str, texts: Iterable[str]) -> None:
    one_line_each = (" ".join(text.split()) for text in texts)
    (folder / f"{part}_texts.txt").write_text("\n".join(one_line_each) + "\n", encoding="utf-8")


def _need_imdb() -> None:
    from benchmarks import imdb

    if not imdb.at_hand():
        raise DataMissingError("this question needs the real reviews: set SEQCLASS_IMDB to the archive or folder")


@dataclass(frozen=True)
class TextSet:
    """Labelled texts, as two CSV files with the columns text and label.

    Attributes:
        name: as results show it.
        train: the file of the training texts.
        test: that of the test texts.
        archive: of the same texts as the IMDB reviews, if they are those.
    """

    name: str
    train: Path
    test: Path
    archive: Path | None = None

    @classmethod
    def beside(cls, train: Path) -> TextSet:
        """``NAME-train.csv``, and ``NAME-test.csv`` beside it.

        Raises:
            DataMissingError: if it is not called so, or one of the two is missing or lacks a column.
        """
        name = train.stem.removesuffix("-train")
        test = train.with_name(f"{name}-test{train.suffix}")
        if name == train.stem:
            raise DataMissingError(f"--data must be imdb, or a file that is called NAME-train.csv, got {train}")
        for path in (train, test):
            if not path.is_file():
                raise DataMissingError(f"--data {train} needs {path}, which is missing")
            with path.open(encoding="utf-8", newline="") as file:
                columns = next(csv.reader(file), [])
            if not {"text", "label"} <= set(columns):
                raise DataMissingError(f"{path} must have the columns text and label, got {', '.join(columns)}")
        return cls(name, train.resolve(), test.resolve())

    @classmethod
    def imdb(cls, folder: Path) -> TextSet:
        """The IMDB reviews, all of them, written into ``folder``.

        Raises:
            DataMissingError: if the reviews are not on this machine.
        """
        from benchmarks import imdb

        _need_imdb()
        for part, rows in imdb.texts().items():
            with (folder / f"imdb-{part}.csv").open("w", encoding="utf-8", newline="") as file:
                csv.writer(file).writerows([("text", "label"), *rows])
        return cls("imdb", folder / "imdb-train.csv", folder / "imdb-test.csv", imdb.archive())

    def prepare(self, folder: Path) -> int:
        """Write what `TextWorker.load` reads into ``folder``; the number of training texts."""
        rows: dict[str, list[dict[str, str]]] = {}
        for part, path in (("train", self.train), ("test", self.test)):
            with path.open(encoding="utf-8", newline="") as file:
                rows[part] = list(csv.DictReader(file))
        labels = {label: number for number, label in enumerate(sorted({row["label"] for row in rows["train"]}))}
        for part, texts in rows.items():
            _write_lines(folder, part, (row["text"] for row in texts))
            numbers = [labels.get(row["label"], -1) for row in texts]
            np.save(folder / f"{part}_labels.npy", np.array(numbers, dtype=np.float32))
        return len(rows["train"])


@contextmanager
def real_reviews(settings: Settings, *, texts: bool, reviews: int) -> Iterator[Path]:
    """A folder with what `prepare_real` writes for those settings; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        prepare_real(folder, length=settings.length, num_words=settings.num_embeddings, texts=texts, reviews=reviews)
        yield folder


def synthetic_reviews(reviews: int, *, length: int, num_words: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Made-up ids (reviews, length) and labels, with IMDB's lengths and Zipf's frequencies of words."""
    generator = np.random.default_rng(seed)
    spread = generator.normal(0.0, LOG_LENGTH_SPREAD, reviews)
    lengths = np.clip(np.round(MEDIAN_LENGTH * np.exp(spread)), 10, length).astype(int)
    frequencies = 1 / np.arange(1, num_words - 2)
    words = generator.choice(np.arange(3, num_words), size=(reviews, length), p=frequencies / frequencies.sum())
    real = np.arange(length) >= length - lengths[:, None]
    return np.where(real, words, 0).astype(np.int32), generator.integers(0, 2, reviews).astype(np.float32)


def write_batches(prepared: Prepared, *, batches: int, batch_size: int, seed: int, into: Path) -> tuple[Path, Path]:
    """Draw different training batches by a plain shuffle, as an epoch would: paths of ids and labels.

    Raises:
        ValueError: if there are not that many reviews.
    """
    ids = np.load(prepared.folder / "train_ids.npy", mmap_mode="r")
    labels = np.load(prepared.folder / "train_labels.npy", mmap_mode="r")
    if batches * batch_size > len(ids):
        raise ValueError(f"{batches} batches of {batch_size} need more than the {len(ids)} training reviews")
    chosen = np.random.default_rng(seed).permutation(len(ids))[: batches * batch_size]
    paths = into / f"batches_{batch_size}_ids.npy", into / f"batches_{batch_size}_labels.npy"
    np.save(paths[0], ids[chosen].reshape(batches, batch_size, -1))
    np.save(paths[1], labels[chosen].reshape(batches, batch_size))
    return paths


def write_order(reviews: int, *, seed: int, epoch: int, into: Path) -> Path:
    """Write the order of the training reviews in one epoch of one seed: everyone gets the same."""
    path = into / f"order_{seed}_{epoch}.npy"
    np.save(path, np.random.default_rng([seed, epoch]).permutation(reviews))
    return path
