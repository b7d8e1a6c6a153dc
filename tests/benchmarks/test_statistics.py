"""The arithmetic of the benchmarks, against values worked out by hand."""

import math

import pytest

from benchmarks import statistics
from benchmarks.statistics import Interval, Quartiles, TargetSummary


def test_quartiles_are_linear_between_neighbours():
    assert statistics.quartiles([4.0, 1.0, 3.0, 2.0]) == Quartiles(low=1.75, median=2.5, high=3.25)
    assert statistics.quartiles([5.0]) == Quartiles(5.0, 5.0, 5.0)
    with pytest.raises(ValueError, match="at least one value"):
        statistics.quartiles([])


def test_the_mean_of_medians_is_geometric_over_rounds_of_any_length():
    assert statistics.mean_of_medians([[4.0, 1.0, 100.0], [9.0]]) == pytest.approx(6.0)
    assert statistics.mean_of_medians([[2.0, 4.0]]) == pytest.approx(3.0)
    with pytest.raises(ValueError, match="at least one round"):
        statistics.mean_of_medians([])
    with pytest.raises(ValueError, match="at least one value"):
        statistics.mean_of_medians([[1.0], []])


def test_the_mean_leaves_out_the_outer_eighths_of_the_rounds():
    rounds = [[9.0]] + [[4.0]] * 3 + [[1000.0]] + [[9.0]] * 2 + [[0.001]]
    assert statistics.mean_of_medians(rounds) == pytest.approx(6.0)
    assert statistics.mean_of_medians([[1.0], *[[8.0]] * 2]) == pytest.approx(4.0)


def test_rounds_of_two_kinds_do_not_make_the_mean_jump():
    few, many = ([[72.0]] * fast + [[90.0]] * (18 - fast) for fast in (8, 10))
    assert statistics.mean_of_medians(few) / statistics.mean_of_medians(many) == pytest.approx(1.25 ** (2 / 14))


def test_ratios_pair_the_same_batch_of_the_same_round():
    theirs = [[20.0, 30.0], [50.0]]
    ours = [[10.0, 10.0, 99.0], [10.0, 99.0], [99.0]]
    assert statistics.paired_ratios(theirs, ours) == [[2.0, 3.0], [5.0]]
    assert statistics.paired_ratios([], ours) == []


def test_a_difference_has_welchs_interval():
    ours, theirs = [0.86, 0.88, 0.87], [0.84, 0.86, 0.85]
    # Two variances of 1e-4 over 3: standard error sqrt(2e-4 / 3), four degrees of freedom.
    half = 2.7764 * math.sqrt(2e-4 / 3)
    found = statistics.difference_interval(ours, theirs)
    assert found.estimate == pytest.approx(0.02)
    assert found.confidence == 0.95
    assert (found.low, found.high) == (pytest.approx(0.02 - half, abs=1e-5), pytest.approx(0.02 + half, abs=1e-5))


def test_one_seed_says_nothing_of_the_difference():
    assert statistics.difference_interval([0.9], [0.8, 0.8]) == Interval(pytest.approx(0.1), -math.inf, math.inf, 0.95)


def test_no_spread_is_no_width():
    assert statistics.difference_interval([2.0, 2.0], [1.0, 1.0]) == Interval(1.0, 1.0, 1.0, 0.95)


def test_the_time_to_a_target_is_the_first_at_or_above_it():
    curve = [(3.0, 0.80), (6.0, 0.8626), (9.0, 0.85), (12.0, 0.90)]
    assert statistics.time_to_target(curve, 0.8626) == 6.0
    assert statistics.time_to_target(curve, 0.95) == math.inf
    assert statistics.time_to_target([], 0.5) == math.inf


@pytest.mark.parametrize(
    ("times", "summary"),
    [
        ([9.0, 7.0, 8.0], TargetSummary(8.0, 3, 3)),
        ([9.0, 7.0, 8.0, 10.0], TargetSummary(8.5, 4, 4)),
        ([9.0, math.inf, 8.0], TargetSummary(9.0, 2, 3)),
        ([9.0, math.inf, math.inf], TargetSummary(math.inf, 1, 3)),
        ([9.0, math.inf], TargetSummary(math.inf, 1, 2)),
    ],
)
def test_a_seed_that_fails_counts_as_infinitely_slow(times, summary):
    assert statistics.summarise_targets(times) == summary


def test_a_target_summary_needs_a_seed():
    with pytest.raises(ValueError, match="at least one seed"):
        statistics.summarise_targets([])
