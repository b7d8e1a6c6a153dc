"""The arithmetic behind every printed number: quartiles, ratios, intervals and times to a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Quartiles:
    """The median of a sample, and the quartiles around it (linear between neighbours, as NumPy has them)."""

    low: float
    median: float
    high: float


def quartiles(values: Sequence[float]) -> Quartiles:
    """The 25, 50 and 75% points of ``values``.

    Raises:
        ValueError: if ``values`` is empty.
    """
    if not values:
        raise ValueError("quartiles need at least one value, got none")
    low, median, high = np.percentile(np.asarray(values, dtype=float), [25, 50, 75])
    return Quartiles(float(low), float(median), float(high))


TRIMMED = 1 / 8
"""The part of the rounds that a mean leaves out at each end."""


def mean_of_medians(rounds: Sequence[Sequence[float]]) -> float:
    """The geometric mean of the rounds' medians, without the largest and the smallest eighth of them.

    The median drops what disturbed a sample, the trimming what disturbed a round. A median over the rounds would jump
    where they are of two kinds, half of them each; a mean hardly does.

    Raises:
        ValueError: if there is no round, or an empty one.
    """
    if not rounds:
        raise ValueError("a mean needs at least one round, got none")
    medians = sorted(quartiles(samples).median for samples in rounds)
    dropped = int(TRIMMED * len(medians))
    kept = medians[dropped : len(medians) - dropped]
    return math.exp(math.fsum(map(math.log, kept)) / len(kept))


def paired_ratios(theirs: Sequence[Sequence[float]], ours: Sequence[Sequence[float]]) -> list[list[float]]:
    """How many times longer theirs took than ours, batch by batch, round by round.

    Both are rounds of samples as the interleaved timer returns them: sample ``j`` of round ``i`` is the same
    batch for everyone, at nearly the same moment. A slow implementation runs fewer batches per round, so the
    pairs are those that both have.
    """
    return [
        [their_time / our_time for their_time, our_time in zip(their_round, our_round, strict=False)]
        for their_round, our_round in zip(theirs, ours, strict=False)
    ]


@dataclass(frozen=True)
class Interval:
    """An estimate with the interval that covers the truth with probability ``confidence``."""

    estimate: float
    low: float
    high: float
    confidence: float


def difference_interval(ours: Sequence[float], theirs: Sequence[float], confidence: float = 0.95) -> Interval:
    """Our mean minus theirs with Welch's interval, which lets the two spreads differ.

    A bootstrap over a handful of seeds would be too narrow (it cannot draw a seed worse than the worst seen);
    Student's t charges for the small number.
    """
    a, b = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    difference = float(a.mean() - b.mean())
    if len(a) < 2 or len(b) < 2:
        return Interval(difference, -math.inf, math.inf, confidence)
    if a.var() == b.var() == 0:
        return Interval(difference, difference, difference, confidence)
    found = stats.ttest_ind(a, b, equal_var=False).confidence_interval(confidence)
    return Interval(difference, float(found.low), float(found.high), confidence)


def time_to_target(curve: Sequence[tuple[float, float]], target: float) -> float:
    """The first time at which a curve of (seconds, accuracy) is at the target or above; infinite if never."""
    return next((seconds for seconds, accuracy in curve if accuracy >= target), math.inf)


@dataclass(frozen=True)
class TargetSummary:
    """Times to a target over seeds: the median counts a seed that never got there as infinitely slow."""

    median: float
    reached: int
    seeds: int


def summarise_targets(times: Sequence[float]) -> TargetSummary:
    """The median time and how many seeds reached the target; the median of an even number is their mean.

    Raises:
        ValueError: if ``times`` is empty.
    """
    if not times:
        raise ValueError("a target summary needs at least one seed, got none")
    ordered = sorted(times)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return TargetSummary(median, sum(math.isfinite(time) for time in times), len(times))
