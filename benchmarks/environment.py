"""What a result must say about where it was measured: hardware, threads, system, versions, commit, date."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
"""The repository."""

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
    return head + ("+" if changed else "")


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
    """The command that is running, as one would type it from the repository root."""
    return " ".join(["python -m benchmarks", *sys.argv[1:]])


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


def _git(*arguments: str) -> str:
    completed = subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True)
    return completed.stdout.strip()
