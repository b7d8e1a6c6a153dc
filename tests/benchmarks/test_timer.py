"""The timer: laps of the host clock, and who has a turn when."""

import pytest

from benchmarks import timer
from benchmarks.timer import Laps, TurnError, interleave


def test_laps_are_from_start_to_lap_and_from_lap_to_lap(monkeypatch):
    clock = iter([1.0, 1.5, 1.75, 10.0, 10.001])
    monkeypatch.setattr(timer.time, "perf_counter", lambda: next(clock))
    laps = Laps()
    laps.start()
    laps.lap()
    laps.lap()
    assert laps.milliseconds() == [500.0, 250.0]
    laps.start()
    laps.lap()
    assert laps.milliseconds() == [pytest.approx(1.0)]


def test_a_lap_needs_a_start():
    with pytest.raises(RuntimeError, match="before start"):
        Laps().lap()
    with pytest.raises(ValueError, match="got 'tpu'"):
        Laps("tpu")


@pytest.mark.gpu
def test_device_events_time_the_device():
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    laps = Laps("cuda")
    laps.start()
    for _ in range(2):
        torch.cuda._sleep(10_000_000)
        laps.lap()
    first, second = laps.milliseconds()
    assert first > 1
    assert second > 1


def test_contestants_take_turns_after_a_warm_up_that_does_not_count():
    seen = []

    def contestant(name):
        def turn(number):
            seen.append((name, number))
            return [float(number)] * 2

        return turn

    series = interleave({name: contestant(name) for name in "AB"}, rounds=2, warm_up=1, settle=0)
    assert seen == [("A", -1), ("B", -1), ("A", 0), ("B", 0), ("A", 1), ("B", 1)]
    assert series["A"].rounds == [[0.0, 0.0], [1.0, 1.0]]
    assert series["B"].samples == [0.0, 0.0, 1.0, 1.0]
    assert series["A"].failure is None


def test_who_fails_drops_out_and_keeps_what_it_has():
    def failing(number):
        if number == 1:
            raise TurnError("out of memory")
        return [1.0]

    series = interleave({"bad": failing, "good": lambda number: [2.0]}, rounds=3, warm_up=0, settle=0)
    assert series["bad"].rounds == [[1.0]]
    assert series["bad"].failure == "out of memory"
    assert series["good"].samples == [2.0, 2.0, 2.0]


def test_a_mistake_of_the_host_is_not_a_failed_row():
    def broken(number):
        raise KeyError("typing error")

    with pytest.raises(KeyError):
        interleave({"any": broken}, rounds=1, warm_up=0, settle=0)
