"""What a result must say about where it was measured: hardware, threads, system, versions, commit, date."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The repository."""

CHANGED = "+"
"""What follows a commit from which tracked files differ."""

INSTRUCTION_SETS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")


def device_name(device: str) -> str:
    """The processor's name, or the GPU's for ``"cuda"``."""
    if device == "cuda":
        import torch

        return torch.cuda.get_device_name()
    return _cpu_field("model name") or platform.processor() or platform.machine()


def machine(device: str, threads: int) -> dict[str, Any]:
    """Hardware and system of this machine, without anything that names its owner."""
    flags = (_cpu_field("flags") or "").split()
    return {
        "device": device,
        "name": device_name(device),
        "processor": device_name("cpu"),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
        "cores": len(available_cpus()),
        "threads": threads,
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_at_start": round(os.getloadavg()[0], 2),
    }


class OtherLoad:
    """How many CPUs the rest of the machine keeps busy, from making this object to asking it.

    Work on the same machine ruins a measurement (two threads that wait for each other at every step suffer far
    more than its share), so a result says how much there was. Known on Linux only.
    """

    def __init__(self) -> None:
        self._began, self._busy, self._ours = time.monotonic(), _busy_seconds(), _own_seconds()

    def cpus(self) -> float | None:
        """The average so far. Workers count as ours once they have ended."""
        busy = _busy_seconds()
        if busy is None or self._busy is None:
            return None
        others = (busy - self._busy) - (_own_seconds() - self._ours)
        return round(max(others, 0.0) / max(time.monotonic() - self._began, 0.01), 2)


def available_cpus() -> list[int]:
    """The numbers of the CPUs this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def commit() -> str:
    """The repository's commit, with a ``+`` if tracked files differ from it, or ``unknown`` outside git."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return head + (CHANGED if changed else "")


def now() -> str:
    """The date and time in UTC, to the second, in ISO 8601."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def versions(distributions: tuple[str, ...]) -> dict[str, str]:
    """The installed versions of those of ``distributions`` that are installed, and of Python."""
    installed = {name: _version(name) for name in distributions}
    return {
        "python": platform.python_version(),
        **{name: version for name, version in installed.items() if version is not None},
    }


def command_line() -> str:
    """The command that is running, as one would type it from the repository root to repeat the measurement."""
    command = " ".join(["python -m benchmarks", *sys.argv[1:]])
    return without_folders(re.sub(r" --json[ =]\S+", "", command))


def without_folders(text: str) -> str:
    """A text that names files, not where they are outside the repository: results are published."""
    return re.sub(r"(?<![\w./])(?:(?:\.\.)?(?:/[\w.+@-]+)+|\.\.)/(?=[\w.+@-])", "", text)


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _cpu_field(field: str) -> str | None:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(field)), None)


def _busy_seconds() -> float | None:
    """Seconds that all CPUs together have worked since the machine started."""
    path = Path("/proc/stat")
    if not path.exists():
        return None
    user, nice, system, _idle, _wait, interrupts, soft_interrupts = map(int, path.read_text().split()[1:8])
    return (user + nice + system + interrupts + soft_interrupts) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    """Seconds of CPU time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _git(*arguments: str) -> str:
    completed = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return completed.stdout.strip()
