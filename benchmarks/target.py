"""``target``: the time to the notebook's best result, 86.26% of the test reviews, from a cold start.

The clock starts before the process does. It includes the imports, making the model, reading the cached reviews
(encoded ones for the networks, texts for the others), training, and each evaluation on the test reviews, which
takes place between epochs or, with ``--every``, after that many reviews. A seed that does not reach the target
within ``--epochs`` counts as infinitely slow. ``--implementation recipe:NAME`` races ``configs/NAME.yaml``, which
brings its own epochs and batches, with the command ``seqclass fit``.
"""

from __future__ import annotations

import argparse
import math
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import data, implementations, notebook
from benchmarks.epoch import IMPLEMENTATIONS, QUICK_REVIEWS, TIMEOUT
from benchmarks.options import Common, say
from benchmarks.protocol import Session
from benchmarks.recipe import RecipeRace
from benchmarks.results import Result
from benchmarks.settings import Settings
from benchmarks.statistics import summarise_targets, time_to_target
from benchmarks.timer import Series, interleave

EVAL_BATCH_SIZE = 500
STACK = "cnn_lstm"
"""By default; the stack with which the notebook reached its best result."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.add_argument("--target", type=float, default=notebook.TARGET_ACCURACY)
    parser.add_argument("--seeds", type=int, help="how many, from --seed on (default 5, quick 1)")
    parser.add_argument("--epochs", type=int, help="after which a seed gives up (default 3, quick 1)")
    parser.add_argument("--every", type=int, help="evaluate after so many reviews, not after each epoch only")
    parser.add_argument("--eval-batch-size", type=int, default=EVAL_BATCH_SIZE)
    parser.add_argument("--reviews", type=int, help="of each part, for a trial (default all, quick 1024)")
    parser.set_defaults(default_stacks=(STACK,))


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result."""
    reviews = arguments.reviews or (QUICK_REVIEWS if common.quick else data.REVIEWS)
    seeds = arguments.seeds or (1 if common.quick else 5)
    race = {
        "target": arguments.target,
        "epochs": arguments.epochs or (1 if common.quick else 3),
        "every": arguments.every,
        "eval_batch_size": arguments.eval_batch_size,
        "reviews": reviews,
    }
    settings = Settings()
    names = common.implementations or IMPLEMENTATIONS
    result = common.result("target", {"source": "imdb"})
    with data.real_reviews(settings, texts=implementations.need_texts(names), reviews=reviews) as folder:
        for stack, chosen in implementations.by_stack(names, common.stacks).items():
            say(f"target: {stack}")
            races = {
                name: RecipeRace(name, stack, common, arguments.target)
                if name.startswith(implementations.RECIPE)
                else _Race(name, stack, settings, common, folder, race)
                for name in chosen
            }
            series = interleave(races, rounds=seeds, warm_up=0)
            for name, racer in races.items():
                _add_row(result, racer, series[name], {**asdict(settings), **race})
    return result


@dataclass
class _Race:
    """One implementation's turn: one seed, from the start of its process to the target or the last epoch."""

    name: str
    stack: str
    settings: Settings
    common: Common
    folder: Path
    race: dict[str, Any]
    curves: list[list[tuple[float, float]]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> list[float]:
        seed = self.common.seed + number
        orders = self._orders(seed)
        curve: list[tuple[float, float]] = []
        self.curves.append(curve)
        began = time.perf_counter()
        with self.common.start(self.name) as session:
            build = self.common.build_parameters(self.name, self.stack, self.settings, seed)
            self.row |= session.call("build", **build)
            session.call("load", folder=str(self.folder), timeout=TIMEOUT)
            for order, start, stop in self._stretches(orders):
                accuracy = self._train_and_evaluate(session, order, start, stop)
                curve.append((time.perf_counter() - began, accuracy))
                if accuracy >= self.race["target"]:
                    break
        seconds = time_to_target(curve, self.race["target"])
        say(f"  {self.name}, seed {seed}: {seconds:.1f} s, accuracy {curve[-1][1]:.4f}")
        return [seconds]

    def _orders(self, seed: int) -> list[Path]:
        return [
            data.write_order(self.race["reviews"], seed=seed, epoch=epoch, into=self.folder)
            for epoch in range(self.race["epochs"])
        ]

    def _stretches(self, orders: list[Path]) -> list[tuple[Path, int, int]]:
        return [(order, *bounds) for order in orders for bounds in stretches(self.race)]

    def _train_and_evaluate(self, session: Session, order: Path, start: int, stop: int) -> float:
        batch_size = self.settings.batch_size
        session.call("epoch", order=str(order), start=start, stop=stop, batch_size=batch_size, timeout=TIMEOUT)
        evaluated = session.call("evaluate", batch_size=self.race["eval_batch_size"], timeout=TIMEOUT)
        return float(evaluated["accuracy"])


def stretches(race: dict[str, Any]) -> list[tuple[int, int]]:
    """The parts of an epoch after which the test reviews are evaluated, as (start, stop); the last may be short."""
    reviews = race["reviews"]
    every = race["every"] or reviews
    return [(start, min(start + every, reviews)) for start in range(0, reviews, every)]


def _add_row(result: Result, race: _Race | RecipeRace, series: Series, settings: dict[str, Any]) -> None:
    key: dict[str, Any] = {"stack": race.stack, "implementation": race.name, "settings": settings}
    measured = {**race.row, "samples": {"curves": race.curves}}
    if series.failure is not None:
        say(f"  {race.name} failed: {series.failure}")
        result.add_failed(**key, reason=series.failure, **measured)
        return
    summary = summarise_targets(series.samples)
    median = summary.median if math.isfinite(summary.median) else None
    result.add(**key, seconds=median, reached=summary.reached, seeds=summary.seeds, **measured)
