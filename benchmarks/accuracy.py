"""``accuracy``: how good models become: the stacks over seeds and epochs, recipes and text classifiers on data sets.

With ``--data``, or recipes or text classifiers alone, see `benchmarks.text_sets`. Else the stacks learn from the IMDB
reviews, and every epoch has its four figures.

A seed gives the initial values and the order of the reviews; the order is the same for all implementations. The
validation is on the test reviews, as in the notebook, and nothing is chosen by it here.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import data, implementations, notebook, recipe, text_sets
from benchmarks.epoch import QUICK_REVIEWS, TIMEOUT
from benchmarks.options import Common, say
from benchmarks.protocol import Session, WorkerError
from benchmarks.results import Result
from benchmarks.settings import Settings

IMPLEMENTATIONS = ("seqclass", "keras-tensorflow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.add_argument("--seeds", type=int, help="how many, from --seed on (default 5, quick 2)")
    parser.add_argument(
        "--data",
        action="append",
        metavar="PATH",
        help="NAME-train.csv with a NAME-test.csv beside it (columns text and label), or imdb; may be repeated",
    )
    recipe.add_arguments(parser)
    parser.add_argument("--epochs", type=int, help="of the stacks: default 3, quick 1")
    parser.add_argument("--eval-batch-size", type=int, default=notebook.BATCH_SIZE)
    parser.add_argument("--reviews", type=int, help="of each part, for a trial (default all, quick 1024)")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result; it is also written after each row, because a full run takes hours.

    Raises:
        SystemExit: if stacks are to be measured together with recipes, or on other data.
    """
    stacks = [name for name in common.implementations if implementations.has_stack(name)]
    if arguments.data or len(stacks) < len(common.implementations):
        if stacks:
            raise SystemExit(f"{', '.join(stacks)}: stacks learn from IMDB's ids alone, in a command of their own")
        return text_sets.run(arguments, common)
    reviews = arguments.reviews or (QUICK_REVIEWS if common.quick else data.REVIEWS)
    epochs = arguments.epochs or (1 if common.quick else 3)
    seeds = range(common.seed, common.seed + (arguments.seeds or (2 if common.quick else 5)))
    settings = Settings()
    names = common.implementations or IMPLEMENTATIONS
    result = common.result("accuracy", {"source": "imdb"})
    row_settings = {**asdict(settings), "reviews": reviews, "epochs": epochs}
    with data.real_reviews(settings, texts=False, reviews=reviews) as folder:
        orders = {
            seed: [data.write_order(reviews, seed=seed, epoch=epoch, into=folder) for epoch in range(epochs)]
            for seed in seeds
        }
        for stack, chosen in implementations.by_stack(names, common.stacks).items():
            for implementation in chosen:
                say(f"accuracy: {stack}, {implementation}")
                key: dict[str, Any] = {"stack": stack, "implementation": implementation, "settings": row_settings}
                runs: list[dict[str, Any]] = []
                row: dict[str, Any] = {"samples": {"runs": runs}}
                try:
                    with common.start(implementation) as session:
                        session.call("load", folder=str(folder), timeout=TIMEOUT)
                        for seed in seeds:
                            build = common.build_parameters(implementation, stack, settings, seed)
                            row |= session.call("build", **build)
                            curve = _curve(session, orders[seed], reviews, settings, arguments.eval_batch_size)
                            runs.append({"seed": seed, "epochs": curve})
                            say(f"  seed {seed}: " + " ".join(f"{e['val_accuracy']:.4f}" for e in curve))
                    result.add(**key, **row)
                except WorkerError as error:
                    say(f"  failed: {error}")
                    result.add_failed(**key, reason=str(error), **row)
                common.keep(result)
    return result


def _curve(
    session: Session, orders: list[Path], reviews: int, settings: Settings, eval_batch_size: int
) -> list[dict[str, float]]:
    curve = []
    for order in orders:
        began = time.perf_counter()
        trained = session.call(
            "epoch", order=str(order), start=0, stop=reviews, batch_size=settings.batch_size, timeout=TIMEOUT
        )
        evaluated = session.call("evaluate", batch_size=eval_batch_size, timeout=TIMEOUT)
        figures = {**trained, **{f"val_{name}": value for name, value in evaluated.items()}}
        curve.append({**figures, "seconds": time.perf_counter() - began})
    return curve
