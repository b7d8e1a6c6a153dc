"""Several classifiers on the same texts, and whether their differences are significant."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from scipy.stats import binomtest

from seqclass.errors import InputError
from seqclass.evaluation.metrics import measure
from seqclass.evaluation.prediction import Predictions


@dataclass(frozen=True)
class PairedTest:
    """McNemar's exact test of two classifiers (McNemar, 1947): only texts that one of them gets right count.

    Attributes:
        first: name of one.
        second: name of the other.
        only_first: texts that only the first gets right.
        only_second: texts that only the second gets right.
        p_value: two-sided; how likely a difference this large would be if both were equally good.
    """

    first: str
    second: str
    only_first: int
    only_second: int
    p_value: float


@dataclass(frozen=True)
class Comparison:
    """The figures of each classifier, as `measure` gives them, and a paired test for each pair."""

    metrics: dict[str, dict[str, Any]]
    tests: list[PairedTest]


def compare(predictions: Mapping[str, Predictions]) -> Comparison:
    """Compare predictions of the same texts.

    Raises:
        InputError: they are not of the same texts and classes.
    """
    tests = []
    for (first, one), (second, other) in combinations(predictions.items(), 2):
        same = one.label_names == other.label_names and one.labels.tolist() == other.labels.tolist()
        if not same:
            raise InputError(f"{first} and {second} cannot be compared: their texts or classes are not the same")
        only_first, only_second = int((one.correct & ~other.correct).sum()), int((~one.correct & other.correct).sum())
        differ = only_first + only_second
        p_value = float(binomtest(only_first, differ).pvalue) if differ else 1.0
        tests.append(PairedTest(first, second, only_first, only_second, p_value))
    return Comparison({name: measure(one) for name, one in predictions.items()}, tests)
