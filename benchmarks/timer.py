"""The one timer of all benchmarks.

A worker times its steps with a `Laps`: a host clock on the CPU, device events on CUDA, so that a step's time
is the device's and not the queue's. The host lets the workers take turns with `interleave`: A B C A B C, so
that whatever disturbs the machine (heat, a neighbour) disturbs all of them alike. This file needs nothing but
the standard library, because it also runs in the peers' environment.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

SETTLE_SECONDS = 0.2
"""Pause before each turn: the thread pool of the worker before spins for a while until it sleeps."""


class TurnError(Exception):
    """A contestant could not take its turn; the message is the reason that the result keeps."""


class Laps:
    """Times consecutive steps, from `start` to the first `lap`, then from lap to lap.

    Args:
        device: ``"cpu"``: `time.perf_counter`; the caller must have waited for the step's result. ``"cuda"``:
            PyTorch's device events on the current stream; nothing waits until `milliseconds` is called.
    """

    def __init__(self, device: str = "cpu") -> None:
        if device not in ("cpu", "cuda"):
            raise ValueError(f"device must be 'cpu' or 'cuda', got {device!r}")
        self._device = device
        self._marks: list[Any] = []

    def start(self) -> None:
        """Forget earlier laps; the first step begins now."""
        self._marks = [self._mark()]

    def lap(self) -> None:
        """A step ends now, and the next begins."""
        if not self._marks:
            raise RuntimeError("lap() before start(): there is no beginning to measure from")
        self._marks.append(self._mark())

    def milliseconds(self) -> list[float]:
        """The time of each step so far."""
        pairs = zip(self._marks, self._marks[1:], strict=False)
        if self._device == "cpu":
            return [1e3 * (end - begin) for begin, end in pairs]
        self._marks[-1].synchronize()
        return [begin.elapsed_time(end) for begin, end in pairs]

    def _mark(self) -> Any:
        if self._device == "cpu":
            return time.perf_counter()
        import torch

        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


@dataclass
class Series:
    """What one contestant's turns gave.

    Attributes:
        rounds: its samples, round by round.
        failure: why it dropped out, if it did.
    """

    rounds: list[list[float]] = field(default_factory=list)
    failure: str | None = None

    @property
    def samples(self) -> list[float]:
        """All samples in one list."""
        return [sample for samples in self.rounds for sample in samples]


def interleave(
    contestants: Mapping[str, Callable[[int], list[float]]],
    *,
    rounds: int,
    warm_up: int = 1,
    settle: float = SETTLE_SECONDS,
) -> dict[str, Series]:
    """Let the contestants take turns, one round after the other.

    Args:
        contestants: by name, a function from the round's number to the samples of one turn.
        rounds: the number of rounds that count.
        warm_up: rounds before them whose samples are thrown away; they have the numbers -warm_up to -1.
        settle: seconds to wait before each turn.

    Returns:
        By name, in the order given, the samples of each round. A contestant whose turn raises `TurnError`
        keeps what it has, takes part no more, and has the reason noted: the others go on.
    """
    series = {name: Series() for name in contestants}
    for number in range(-warm_up, rounds):
        for name, turn in contestants.items():
            if series[name].failure is not None:
                continue
            try:
                time.sleep(settle)
                samples = list(turn(number))
                if number >= 0:
                    series[name].rounds.append(samples)
            except TurnError as error:
                series[name].failure = str(error)
    return series
