"""The part of `accuracy` that is about texts: recipes and text classifiers on whole data sets, each over the seeds.

A run is a process of its own, from its start to its predictions for the test texts. A recipe's has an empty cache.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import implementations, target
from benchmarks.data import TextSet
from benchmarks.options import Common, say
from benchmarks.recipe import RecipeRace
from benchmarks.results import Result
from benchmarks.settings import Settings
from benchmarks.timer import interleave

IMDB = "imdb"
IMPLEMENTATIONS = ("recipe:text", *implementations.TEXT_CLASSIFIERS)
SOURCE = "texts"


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure every data set; the result is also written after each.

    Raises:
        DataMissingError: if one of the data sets is not there.
    """
    names = common.implementations or IMPLEMENTATIONS
    result = common.result("accuracy", {"source": SOURCE})
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as temporary:
        chosen = arguments.data or [IMDB]
        sets = [
            TextSet.imdb(Path(temporary)) if name == IMDB else TextSet.beside(Path(name))
            for name in dict.fromkeys(chosen)
        ]
        for texts in sets:
            say(f"accuracy: {texts.name}")
            folder = Path(temporary, texts.name)
            folder.mkdir()
            _measure(result, texts, folder, names, arguments, common)
            common.keep(result)
    return result


def _measure(
    result: Result,
    texts: TextSet,
    folder: Path,
    names: tuple[str, ...],
    arguments: argparse.Namespace,
    common: Common,
) -> None:
    count = texts.prepare(folder)
    race = {"target": None, "epochs": 1, "every": None, "eval_batch_size": target.EVAL_BATCH_SIZE, "reviews": count}
    races: dict[str, RecipeRace | target.Race] = {
        name: RecipeRace(name, common, texts, folder, fresh=True, curve=False, unlabelled=arguments.unlabelled)
        if name.startswith(implementations.RECIPE)
        else target.Race(name, implementations.NO_STACK, Settings(), common, folder, race)
        for name in names
    }
    series = interleave(races, rounds=arguments.seeds or (2 if common.quick else 5), warm_up=0)
    for name, racer in races.items():
        if series[name].failure is not None:
            say(f"  {name} failed: {series[name].failure}")
        runs = [{key: value for key, value in run.items() if key != "curve"} for run in racer.runs]
        result.add_or_fail(
            series[name].failure,
            stack=racer.stack,
            implementation=name,
            settings={"data": texts.name, "texts": count},
            **racer.row,
            samples={"runs": runs},
        )
