"""``python -m benchmarks peers``: the environment that the peers run in, so that none is a dependency of ours."""

from __future__ import annotations

import subprocess
import sys
import venv

from benchmarks.environment import ROOT
from benchmarks.implementations import PEERS_ENVIRONMENT

REQUIREMENTS = {"cpu": ROOT / "benchmarks" / "peers.txt", "cuda": ROOT / "benchmarks" / "peers-gpu.txt"}
OPTIONAL = ("fasttext-wheel==0.9.2",)
"""Installed where they can be; where not, their rows fail and say so."""


def make(device: str) -> None:
    """Make the environment if there is none, and bring its packages to the pinned versions.

    Raises:
        SystemExit: if the packages that must be there cannot be installed.
    """
    if not PEERS_ENVIRONMENT.exists():
        print(f"making {PEERS_ENVIRONMENT.name} with Python {sys.version.split()[0]}", flush=True)
        venv.create(PEERS_ENVIRONMENT, with_pip=True)
    if _install("--requirement", str(REQUIREMENTS[device])) != 0:
        raise SystemExit("the peers could not be installed; pip says why above")
    for requirement in OPTIONAL:
        if _install(requirement) != 0:
            print(f"{requirement} could not be installed: its rows will fail with that reason", flush=True)
    subprocess.run([PEERS_ENVIRONMENT / "bin" / "pip", "list", "--format=freeze"], check=True)


def _install(*arguments: str) -> int:
    return subprocess.run([PEERS_ENVIRONMENT / "bin" / "pip", "install", "--quiet", *arguments]).returncode
