"""What the workers that read whole texts share: a text per line, and one pass that trains them."""

from __future__ import annotations

import csv
import pickle
from abc import abstractmethod
from pathlib import Path
from typing import final

import numpy as np

from benchmarks.workers.base import EPOCH_METHODS, Wanted, Worker

METHODS = (*EPOCH_METHODS, "learn", "classify", "encode")


class TextWorker(Worker):
    """A classifier that is fitted once on all training texts."""

    @abstractmethod
    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        """Train on texts with the numbers of their classes, as float32."""

    @abstractmethod
    def predict(self, texts: list[str]) -> np.ndarray:
        """The number of each text's class."""

    @abstractmethod
    def numbers(self, texts: list[str]) -> None:
        """Make of the texts what the classifier would be fitted on."""

    def save(self, path: str) -> None:
        """Write the fitted model."""
        with Path(path).open("wb") as file:
            pickle.dump(vars(self), file)

    def restore(self, path: str) -> None:
        """Read what `save` of this benchmark has written."""
        with Path(path).open("rb") as file:
            vars(self).update(pickle.load(file))

    @abstractmethod
    def parameters(self) -> int:
        """How many trained values the model has; 0 before `fit`."""

    @final
    def make(self, wanted: Wanted) -> int:
        if wanted.device != "cpu":
            raise NotImplementedError(f"runs on the CPU only, not on {wanted.device}")
        self.seed, self.threads = wanted.seed, wanted.threads
        return self.parameters()

    @final
    def load(self, *, folder: str) -> None:
        self.train_texts, self.test_texts = (_lines(f"{folder}/{part}_texts.txt") for part in ("train", "test"))
        self.train_labels, self.test_labels = (np.load(f"{folder}/{part}_labels.npy") for part in ("train", "test"))

    @final
    def epoch(self, *, order: str, start: int, stop: int, batch_size: int) -> dict[str, float]:
        chosen = np.load(order)
        if (start, stop) != (0, len(chosen)):
            raise NotImplementedError("is trained on all reviews at once, not on a part of an epoch")
        self.fit([self.train_texts[index] for index in chosen], self.train_labels[chosen])
        return {}

    @final
    def evaluate(self, *, batch_size: int) -> dict[str, float]:
        return {"accuracy": float((self.predict(self.test_texts) == self.test_labels).mean())}

    @final
    def learn(self, *, texts: str, model: str) -> None:
        """Train on a CSV file with the columns text and label, and save the model."""
        rows = _rows(texts)
        names = sorted({row["label"] for row in rows})
        labels = np.array([names.index(row["label"]) for row in rows], dtype=np.float32)
        self.fit([row["text"] for row in rows], labels)
        self.save(model)

    @final
    def classify(self, *, model: str, texts: str, out: str) -> None:
        """Write the number of the class of each text of such a file, one a line."""
        self.restore(model)
        predicted = self.predict([row["text"] for row in _rows(texts)])
        Path(out).write_text("".join(f"{int(number)}\n" for number in predicted))

    @final
    def encode(self, *, texts: str) -> None:
        """Read such a file, and make the numbers of its texts."""
        self.numbers([row["text"] for row in _rows(texts)])


def are_long(texts: list[str]) -> bool:
    """Whether texts are documents, of 100 words and more on average, not snippets."""
    return bool(np.mean([len(text.split()) for text in texts]) >= 100)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")


def _rows(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
