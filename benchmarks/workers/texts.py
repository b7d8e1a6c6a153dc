"""What the workers that read whole texts share: a text per line, and one pass that trains them."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import final

import numpy as np

from benchmarks.workers.base import Wanted, Worker


class TextWorker(Worker):
    """A classifier that is fitted once on all training texts."""

    @abstractmethod
    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        """Train on texts with the numbers of their classes, as float32."""

    @abstractmethod
    def predict(self, texts: list[str]) -> np.ndarray:
        """The number of each text's class."""

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


def are_long(texts: list[str]) -> bool:
    """Whether texts are documents, of 100 words and more on average, not snippets."""
    return bool(np.mean([len(text.split()) for text in texts]) >= 100)


def _lines(path: str) -> list[str]:
    return Path(path).read_text(encoding="utf-8").removesuffix("\n").split("\n")
