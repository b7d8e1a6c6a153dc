"""The sections of the report: whose results each shows, which of their rows, and what makes tables of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import tables
from benchmarks.data import REVIEWS
from benchmarks.implementations import RECIPE
from benchmarks.results import MergedRow
from benchmarks.step import BASELINE


def _of_the_notebook(row: dict[str, Any]) -> bool:
    return not row["settings"].get("sweep")


def _of_a_sweep(row: dict[str, Any]) -> bool:
    return not _of_the_notebook(row)


def _of_the_full_data(row: dict[str, Any]) -> bool:
    """Trials on a part of the reviews are no result."""
    return bool(row["settings"].get("reviews") == REVIEWS)


def _of_seqclass(row: dict[str, Any]) -> bool:
    return _of_the_full_data(row) and row["implementation"] == BASELINE and bool(row["samples"]["runs"])


def _of_the_headline(row: dict[str, Any]) -> bool:
    name = row["implementation"]
    better = row["settings"].get("data") == "imdb" and (name == "tfidf" or name.startswith(RECIPE))
    return _of_seqclass(row) or (better and bool(row["samples"]["runs"]))


def _of_a_text_set(row: dict[str, Any]) -> bool:
    return "data" in row["settings"]


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        question: whose results it shows.
        shows: which of their rows.
        render: the tables of these rows; there is at least one.
        joins_data: whether rows of several sources of data stand in one table.
    """

    question: str
    shows: Callable[[dict[str, Any]], bool]
    render: Callable[[list[MergedRow]], str]
    joins_data: bool = False


SECTIONS = {
    "headline": Section("accuracy", _of_the_headline, tables.headline, joins_data=True),
    "frontier": Section("frontier", _of_the_full_data, tables.frontier),
    "texts": Section("accuracy", _of_a_text_set, tables.texts),
    "target": Section("target", _of_the_full_data, tables.target),
    "epoch": Section("epoch", _of_the_full_data, tables.epoch),
    "step": Section("step", _of_the_notebook, tables.step),
    "sweep": Section("step", _of_a_sweep, tables.sweep),
    "accuracy": Section("accuracy", _of_the_full_data, tables.accuracy),
    "notebook": Section("accuracy", _of_seqclass, tables.beside_notebook),
    "scale": Section("scale", lambda row: True, tables.scale),
    "serve": Section("serve", lambda row: True, tables.serve),
    "use": Section("use", lambda row: True, tables.use),
}
"""By the name of the markers in the documents."""
