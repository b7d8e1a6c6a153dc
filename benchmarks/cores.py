"""Whether the CPUs of a measurement are near each other.

A virtual machine's CPUs are threads of its host, which moves them about: two that shared a cache a second ago may now
lie on two chips. A word's way there and back then takes 320 ns, not 50, and whoever lets threads meet often is a third
slower until the host moves them again, some seconds later. On a machine of its own nothing changes, and all are near.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

FAR = 2.0
"""CPUs are far from each other if a word takes this many times as long as it has taken in this run."""

FIRST_LOOKS = 10
SECONDS_BETWEEN_LOOKS = 0.3

_SOURCE = Path(__file__).with_name("cores.c")


class UnknownDistanceError(RuntimeError):
    """Nobody can tell how far the CPUs are from each other; the message says why."""


class NearCores:
    """Tells whether the CPUs are about as near each other as they have ever been while this object looked.

    Args:
        round_trip: measures a word's way from one CPU to another and back, in ns.

    Attributes:
        nearest: the shortest way so far, in ns.
    """

    def __init__(self, round_trip: Callable[[], float]) -> None:
        self._round_trip = round_trip
        self.nearest = round_trip()
        for _ in range(FIRST_LOOKS - 1):
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self()

    def __call__(self) -> bool:
        """Look again."""
        found = self._round_trip()
        self.nearest = min(self.nearest, found)
        return found < FAR * self.nearest


def compile_round_trip(cpus: Sequence[int], folder: Path) -> Callable[[], float]:
    """Make the program that sends a word from the first of ``cpus`` to each other, and return how to run it.

    Args:
        cpus: the CPUs' numbers.
        folder: where the program goes; it must stay there.

    Returns:
        A function without arguments: the longest of these ways, there and back, in ns.

    Raises:
        UnknownDistanceError: if there is only one CPU, no C compiler (the environment variable CC, else ``cc``), or
            another system than Linux.
    """
    if len(cpus) < 2:
        raise UnknownDistanceError("one CPU has no neighbour")
    program = folder / _SOURCE.stem
    compiler = shlex.split(os.environ.get("CC") or "cc")
    _run([*compiler, "-O2", "-std=gnu11", "-pthread", str(_SOURCE), "-o", str(program)])
    command = [str(program), *map(str, cpus)]
    return lambda: float(_run(command))


def _run(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnknownDistanceError(f"{command[0]} does not run: {error}") from error
    if result.returncode != 0:
        reason = result.stderr.strip() or f"exit status {result.returncode}"
        raise UnknownDistanceError(f"{Path(command[0]).name} fails: {reason[:200]}")
    return result.stdout
