"""``frontier``: the accuracy on the IMDB test reviews over the seconds from a cold start, for everybody, as a picture.

As `target`, without one: everybody trains to the end. Recipes begin with an empty cache, so that reading the texts
counts for them as it does for the text classifiers; the stacks of other frameworks are given encoded reviews.
"""

from __future__ import annotations

import argparse

from benchmarks import plots, results, target
from benchmarks.implementations import TEXT_CLASSIFIERS
from benchmarks.options import Common, say
from benchmarks.results import Result

RECIPES = ("recipe:text", "recipe:imdb_fast", "recipe:imdb_supervised", "recipe:cnn_lstm_fast")
IMPLEMENTATIONS = (*RECIPES, *TEXT_CLASSIFIERS, "keras-tensorflow")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    target.add_race_arguments(parser)


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, draw all results that are kept, or with ``--json`` this one beside it, and return the result."""
    names = common.implementations or IMPLEMENTATIONS
    result = target.race("frontier", names, arguments, common, target=None, fresh=True)
    path = common.keep(result)
    if path is not None:
        found, folder = ([result], path.parent) if common.json else (results.read_folder(), plots.FOLDER)
        drawn = plots.draw([each for each in found if each.question == "frontier"], folder)
        for picture in drawn.get("frontier", []):
            say(f"drawn to {picture}")
    return result
