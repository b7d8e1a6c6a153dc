"""``target``: the time to the notebook's best result, 86.26% of the test reviews, from a cold start.

The clock starts before the process does. It includes the imports, making the model, reading the cached reviews
(encoded ones for the networks, texts for the others), training, and each evaluation on the test reviews, which
takes place between epochs or, with ``--every``, after that many reviews. A seed that does not reach the target
within ``--epochs`` counts as infinitely slow. ``--recipe configs/NAME.yaml`` races a recipe, which brings its own
epochs and batches, with the command ``seqclass fit`` (see `benchmarks.recipe`).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import data, implementations, notebook, recipe
from benchmarks.epoch import IMPLEMENTATIONS, QUICK_REVIEWS, TIMEOUT
from benchmarks.options import Common, say
from benchmarks.protocol import Session
from benchmarks.recipe import RecipeRace
from benchmarks.results import Result
from benchmarks.settings import Settings
from benchmarks.statistics import quartiles, summarise_targets, time_to_target
from benchmarks.timer import interleave

EVAL_BATCH_SIZE = 500
STACK = "cnn_lstm"
"""By default; the stack with which the notebook reached its best result."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.add_argument("--target", type=float, default=notebook.TARGET_ACCURACY)
    add_race_arguments(parser)


def add_race_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that a question has in which the accuracy over time is measured."""
    parser.add_argument("--seeds", type=int, help="how many, from --seed on (default 5, quick 1)")
    parser.add_argument("--epochs", type=int, help="after which a seed gives up (default 3, quick 1)")
    parser.add_argument("--every", type=int, help="evaluate after so many reviews, not after each epoch only")
    parser.add_argument("--eval-batch-size", type=int, default=EVAL_BATCH_SIZE)
    parser.add_argument("--reviews", type=int, help="of each part, for a trial (default all, quick 1024)")
    recipe.add_arguments(parser)
    parser.set_defaults(default_stacks=(STACK,))


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result."""
    names = common.implementations or IMPLEMENTATIONS
    return race("target", names, arguments, common, target=arguments.target, fresh=False)


def race(
    question: str,
    names: Sequence[str],
    arguments: argparse.Namespace,
    common: Common,
    *,
    target: float | None,
    fresh: bool,
) -> Result:
    """Let the named implementations train, seed by seed in turns, and note the accuracy over time.

    Args:
        question: of the result.
        names: who takes part.
        arguments: see `add_race_arguments`.
        common: the common options.
        target: the accuracy at which a seed's run may end; None for none.
        fresh: whether recipes begin with an empty cache.
    """
    reviews = arguments.reviews or (QUICK_REVIEWS if common.quick else data.REVIEWS)
    race = {
        "target": target,
        "epochs": arguments.epochs or (1 if common.quick else 3),
        "every": arguments.every,
        "eval_batch_size": arguments.eval_batch_size,
        "reviews": reviews,
    }
    settings = Settings()
    recipes = [name for name in names if name.startswith(implementations.RECIPE)]
    result = common.result(question, {"source": "imdb"})
    with data.real_reviews(settings, texts=implementations.need_texts(names), reviews=reviews) as folder:
        texts = data.TextSet.imdb(folder) if recipes else None
        for stack, chosen in implementations.by_stack(names, common.stacks).items():
            say(f"{question}: {stack}")
            races = {
                name: RecipeRace(name, common, texts, folder, fresh, curve=True, unlabelled=arguments.unlabelled)
                if name in recipes
                else Race(name, stack, settings, common, folder, _of_one(name, race))
                for name in chosen
            }
            series = interleave(races, rounds=arguments.seeds or (1 if common.quick else 5), warm_up=0)
            for name, racer in races.items():
                _add_row(result, racer, series[name].failure, {**asdict(settings), **_of_one(name, race)})
    return result


def _of_one(name: str, race: dict[str, Any]) -> dict[str, Any]:
    """The race's settings for one that takes part: a text classifier is trained once, whatever the networks' epochs."""
    return {**race, "epochs": 1} if name in implementations.TEXT_CLASSIFIERS else race


@dataclass
class Race:
    """One implementation's turn: one seed, from the start of its process to the target or the last epoch.

    What it leaves behind is what `RecipeRace` does.
    """

    name: str
    stack: str
    settings: Settings
    common: Common
    folder: Path
    race: dict[str, Any]
    runs: list[dict[str, Any]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> list[float]:
        seed = self.common.seed + number
        orders = self._orders(seed)
        curve: list[tuple[float, float]] = []
        began = time.perf_counter()
        with self.common.start(self.name) as session:
            build = self.common.build_parameters(self.name, self.stack, self.settings, seed)
            self.row |= session.call("build", **build)
            session.call("load", folder=str(self.folder), timeout=TIMEOUT)
            for order, start, stop in self._stretches(orders):
                accuracy = self._train_and_evaluate(session, order, start, stop)
                curve.append((round(time.perf_counter() - began, 2), round(accuracy, 5)))
                if self.race["target"] is not None and accuracy >= self.race["target"]:
                    break
        seconds, accuracy = curve[-1]
        self.runs.append({"seed": seed, "seconds": seconds, "acc": accuracy, "curve": curve})
        say(f"  {self.name}, seed {seed}: {seconds:.1f} s, accuracy {accuracy:.4f}")
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


def _add_row(result: Result, race: Race | RecipeRace, failure: str | None, settings: dict[str, Any]) -> None:
    if failure is not None:
        say(f"  {race.name} failed: {failure}")
    curves = [run.pop("curve") for run in race.runs]
    summary: dict[str, Any] = {}
    if settings["target"] is None and curves:
        summary = {"seconds": quartiles([run["seconds"] for run in race.runs]).median}
    elif curves:
        found = summarise_targets([time_to_target(curve, settings["target"]) for curve in curves])
        median = found.median if math.isfinite(found.median) else None
        summary = {"seconds": median, "reached": found.reached, "seeds": found.seeds}
    result.add_or_fail(
        failure,
        stack=race.stack,
        implementation=race.name,
        settings=settings,
        **summary,
        **race.row,
        samples={"curves": curves, "runs": race.runs},
    )
