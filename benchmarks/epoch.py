"""``epoch``: seconds for the notebook's epoch on the full set, end to end, and for the test reviews after it.

A row's seconds are what the notebook's 273, 274 and 154 are: training on the 25,000 reviews in batches of 64
and validation on the other 25,000. They include reading the encoded reviews and whatever a framework compiles on
the way; the start of the process and the making of the model are kept beside them.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import data, implementations, notebook
from benchmarks.options import Common, say
from benchmarks.protocol import Session
from benchmarks.results import Result
from benchmarks.settings import Settings
from benchmarks.statistics import quartiles
from benchmarks.timer import Series, interleave

IMPLEMENTATIONS = (
    "seqclass",
    "torch-naive",
    "keras-tensorflow",
    "keras-jax",
    *implementations.TEXT_CLASSIFIERS,
)
"""By default; ``keras-torch`` takes about an hour for an epoch on two cores."""

QUICK_REVIEWS = 1024
TIMEOUT = 7200.0
PARTS = ("load", "train", "evaluate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.add_argument("--rounds", type=int, default=1, help="epochs of each, every one in a new process")
    parser.add_argument("--eval-batch-size", type=int, default=notebook.BATCH_SIZE)
    parser.add_argument("--reviews", type=int, help="of each part, for a trial (default all, quick 1024)")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result."""
    reviews = arguments.reviews or (QUICK_REVIEWS if common.quick else data.REVIEWS)
    settings = Settings()
    names = common.implementations or IMPLEMENTATIONS
    result = common.result("epoch", {"source": "imdb"})
    with data.real_reviews(settings, texts=implementations.need_texts(names), reviews=reviews) as folder:
        order = data.write_order(reviews, seed=common.seed, epoch=0, into=folder)
        row_settings = {**asdict(settings), "eval_batch_size": arguments.eval_batch_size, "reviews": reviews}
        for stack, chosen in implementations.by_stack(names, common.stacks).items():
            say(f"epoch: {stack}")
            epochs = {
                name: _Epoch(name, stack, settings, common, folder, order, reviews, arguments.eval_batch_size)
                for name in chosen
            }
            series = interleave(epochs, rounds=arguments.rounds, warm_up=0)
            for name, epoch in epochs.items():
                _add_row(result, epoch, series[name], row_settings)
    return result


@dataclass
class _Epoch:
    """One implementation's turn: a new process, an epoch, an evaluation."""

    name: str
    stack: str
    settings: Settings
    common: Common
    folder: Path
    order: Path
    reviews: int
    eval_batch_size: int
    parts: list[dict[str, float]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> list[float]:
        began = time.perf_counter()
        with self.common.start(self.name) as session:
            self.row |= session.call("build", **self.common.build_parameters(self.name, self.stack, self.settings))
            parts = {"start": time.perf_counter() - began}
            for part, method, parameters in self._calls():
                parts[part], answer = _timed(session, method, parameters)
                prefix = "val_" if part == "evaluate" else ""
                self.row |= {f"{prefix}{key}": value for key, value in (answer or {}).items()}
            self.row["memory"] = session.call("memory")
        self.parts.append(parts)
        return [sum(parts[part] for part in PARTS)]

    def _calls(self) -> list[tuple[str, str, dict[str, Any]]]:
        batch_size = self.settings.batch_size
        order = {"order": str(self.order), "start": 0, "stop": self.reviews, "batch_size": batch_size}
        return [
            ("load", "load", {"folder": str(self.folder)}),
            ("train", "epoch", order),
            ("evaluate", "evaluate", {"batch_size": self.eval_batch_size}),
        ]


def _timed(session: Session, method: str, parameters: dict[str, Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    answer = session.call(method, timeout=TIMEOUT, **parameters)
    return time.perf_counter() - began, answer


def _add_row(result: Result, epoch: _Epoch, series: Series, settings: dict[str, Any]) -> None:
    key: dict[str, Any] = {"stack": epoch.stack, "implementation": epoch.name, "settings": settings}
    measured = {**epoch.row, "samples": {"seconds": series.rounds}, "parts": epoch.parts}
    if series.failure is not None:
        say(f"  {epoch.name} failed: {series.failure}")
        result.add_failed(**key, reason=series.failure, seconds=None, **measured)
        return
    found = quartiles(series.samples)
    say(f"  {epoch.name}: {found.median:.1f} s, val_accuracy {epoch.row['val_accuracy']:.4f}")
    result.add(**key, seconds=found.median, seconds_quartiles=[found.low, found.high], **measured)
