"""How far the CPUs are from each other: the judgement with made-up ways, and the program itself."""

import shutil
import sys

import pytest

from benchmarks import cores
from benchmarks.cores import NearCores, UnknownDistanceError, compile_round_trip
from benchmarks.environment import available_cpus


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(cores.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(cores, "FIRST_LOOKS", 2)


def test_near_is_what_takes_less_than_twice_the_shortest_way_so_far():
    ways = iter([320.0, 310.0, 330.0, 60.0, 50.0, 99.0, 100.0, 320.0, 51.0])
    near = NearCores(lambda: next(ways))
    assert near.nearest == 310.0
    assert near()  # 330: nothing nearer has been seen yet
    assert near()
    assert near()
    assert near.nearest == 50.0
    assert [near() for _ in range(4)] == [True, False, False, True]
    assert near.nearest == 50.0


@pytest.mark.skipif(sys.platform != "linux", reason="threads can be kept on their CPUs on Linux only")
@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(len(available_cpus()) < 2, reason="one CPU")
def test_a_word_goes_from_one_cpu_to_another_and_back(tmp_path):
    round_trip = compile_round_trip(available_cpus()[:2], tmp_path)
    shortest = min(round_trip() for _ in range(3))
    assert 2 < shortest < 100_000  # ns: more than a read of the own cache, less than a turn of the scheduler


def test_why_nobody_can_tell(monkeypatch, tmp_path):
    with pytest.raises(UnknownDistanceError, match="one CPU has no neighbour"):
        compile_round_trip([3], tmp_path)
    monkeypatch.setenv("CC", "no-such-compiler")
    with pytest.raises(UnknownDistanceError, match="no-such-compiler does not run"):
        compile_round_trip([0, 1], tmp_path)
    monkeypatch.setenv("CC", "false")
    with pytest.raises(UnknownDistanceError, match="false fails: exit status 1"):
        compile_round_trip([0, 1], tmp_path)
