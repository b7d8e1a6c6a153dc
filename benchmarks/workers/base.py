"""The methods a worker answers, for neural networks and for whole-text classifiers.

Everything in and out is plain JSON; arrays come and go as paths of ``.npy`` files. Neural workers get reviews
as ids, (reviews, steps) int32 padded with 0 at the front, the others as texts, one review per line.
"""

from __future__ import annotations

import resource
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from benchmarks.environment import versions

STEP_METHODS = ("build", "check", "train_steps", "eval_steps", "memory")
EPOCH_METHODS = ("build", "load", "epoch", "evaluate", "memory")
METHODS = tuple(dict.fromkeys(STEP_METHODS + EPOCH_METHODS))


@dataclass(frozen=True)
class Wanted:
    """The model that a worker is to build.

    Attributes:
        stack: its name; "any" for what has no stack.
        length: steps of a review.
        sizes: ``num_embeddings``, ``embedding_dim`` and ``hidden_size``.
        device: "cpu" or "cuda".
        seed: of its initial values and of whatever it draws.
        threads: that it may use.
        options: the implementation's own.
    """

    stack: str
    length: int
    sizes: dict[str, int]
    device: str
    seed: int
    threads: int
    options: dict[str, Any]


class Worker(ABC):
    """A classifier that can be trained an epoch at a time, and evaluated."""

    distributions: tuple[str, ...] = ()
    """The installed packages whose versions a result shows."""

    @final
    def build(self, **wanted: Any) -> dict[str, Any]:
        """Make the model anew: how many trained values it has, and which versions run it. Parameters as `Wanted`."""
        return {"parameters": self.make(Wanted(**wanted)), "versions": versions(self.distributions)}

    @abstractmethod
    def make(self, wanted: Wanted) -> int:
        """Make the model anew, with its framework's initial values, and return how many trained values it has."""

    @abstractmethod
    def load(self, *, folder: str) -> None:
        """Read the prepared data set: what the worker wants of the files of `benchmarks.data`."""

    @abstractmethod
    def epoch(self, *, order: str, start: int, stop: int, batch_size: int) -> dict[str, float]:
        """Train on the reviews ``order[start:stop]``; the running means of loss and accuracy meanwhile."""

    @abstractmethod
    def evaluate(self, *, batch_size: int) -> dict[str, float]:
        """Loss and accuracy on the test reviews."""

    def memory(self) -> dict[str, float]:
        """The most memory the process has held, in MiB, and on the device if that is its own."""
        return {"peak_mib": _peak_bytes() / 2**20}


class NeuralWorker(Worker):
    """A network over ids, that can also be checked and timed step by step."""

    @abstractmethod
    def check(self, *, weights: str, ids: str, probabilities: str) -> None:
        """Write what the model predicts for ``ids`` with given weights, (reviews,); its own come back.

        The weights are an ``.npz`` in the neutral layout of `benchmarks.checks`.
        """

    @abstractmethod
    def train_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        """Milliseconds of each of ``count`` training steps on the batches from ``start`` on.

        ``ids`` is (batches, batch, steps) and ``labels`` (batches, batch). Numbers go round: after the last
        batch comes the first, and before the first, number -1, the last.
        """

    @abstractmethod
    def eval_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        """The same for evaluation steps: logits, loss and accuracy, no gradient."""

    @final
    def load(self, *, folder: str) -> None:
        self.train_ids, self.train_labels, self.test_ids, self.test_labels = (
            np.load(f"{folder}/{name}.npy") for name in ("train_ids", "train_labels", "test_ids", "test_labels")
        )


def batches(ids: str, labels: str, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """``count`` batches from number ``start`` on, counted round: (count, batch, steps) and (count, batch)."""
    all_ids, all_labels = np.load(ids, mmap_mode="r"), np.load(labels, mmap_mode="r")
    chosen = np.arange(start, start + count) % len(all_ids)
    return np.ascontiguousarray(all_ids[chosen]), np.ascontiguousarray(all_labels[chosen])


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss: on Linux that begins with the size of the process which started this one.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return 2**10 * int(line.split()[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 2**10 * peak
