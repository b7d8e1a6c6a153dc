"""The implementations one can ask for by name, and how each one's worker is started.

All are started alike: a process of its own, on the same CPUs, with the same number of threads set in every
way that any of the frameworks listens to.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT, available_cpus
from benchmarks.notebook import STACKS
from benchmarks.protocol import Session, WorkerError

PEERS_ENVIRONMENT = ROOT / ".venv-peers"
NETWORKS = ("seqclass", "torch-naive", "keras-tensorflow", "keras-jax", "keras-torch")
TEXT_CLASSIFIERS = {"tfidf": ("sklearn",), "nbsvm": ("sklearn",), "fasttext": ()}
"""With the packages that those import which may run outside the peers' environment."""
RECIPE = "recipe:"
NO_STACK = "any"
"""The stack of an implementation that has none."""

AS_KERAS3 = "seqclass:as-keras3"
"""Keras 3's model and settings: what its accuracy is compared with like with like."""

BF16 = ":bf16"
"""Behind the name of an implementation: its steps under autocast to bfloat16."""

KERNELS = ("reference", "builtin", "fused", "compiled", "triton")

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
    "NPROC",  # the size of XLA's thread pool, and so of JAX's
)


@dataclass(frozen=True)
class Implementation:
    """Something that can be measured.

    Attributes:
        name: as one asks for it and as results show it.
        module: of `benchmarks.workers`; none for a recipe, which is the command ``seqclass fit``.
        is_peer: whether it runs in the peers' environment.
        variables: environment variables of its own.
        options: handed to its worker's `build`.
        stacks: what it can build; a text classifier has no stack, and does its job once for all.
        packages: that a peer imports; empty for one that runs in the peers' environment alone.
    """

    name: str
    module: str
    is_peer: bool
    variables: dict[str, str] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)
    stacks: tuple[str, ...] = STACKS
    packages: tuple[str, ...] = ()


_ALL = {
    implementation.name: implementation
    for implementation in (
        Implementation("seqclass", "seqclass", is_peer=False),
        *(
            Implementation(f"seqclass:{kernel}", "seqclass", is_peer=False, options={"kernel": kernel})
            for kernel in KERNELS
        ),
        Implementation("seqclass:shares", "shares", is_peer=False, stacks=()),
        Implementation(AS_KERAS3, "seqclass", is_peer=False, options={"as_keras3": True}),
        Implementation("torch-naive", "torch_naive", is_peer=False),
        *(
            Implementation(f"{name}{BF16}", module, is_peer=False, options={"precision": "bf16"})
            for name, module in (("seqclass", "seqclass"), ("torch-naive", "torch_naive"))
        ),
        *(
            Implementation(
                f"keras-{backend}",
                "keras3",
                is_peer=True,
                variables={"KERAS_BACKEND": backend},
                packages=("keras", backend),
            )
            for backend in ("tensorflow", "jax", "torch")
        ),
        *(
            Implementation(name, name, is_peer=True, stacks=(NO_STACK,), packages=packages)
            for name, packages in TEXT_CLASSIFIERS.items()
        ),
    )
}


def named(name: str) -> Implementation:
    """The implementation of that name.

    ``recipe:NAME`` is ``configs/NAME.yaml``, ``recipe:FILE.yaml`` another file, and ``recipe:FIRST+SECOND`` the second
    of two after a pretraining by the first.

    Raises:
        ValueError: if there is none; the message lists the names.
    """
    if name.startswith(RECIPE):
        configs = [_config(part) for part in name.removeprefix(RECIPE).split("+", 1)]
        short = "+".join(path.stem if path.parent == Path("configs") else str(path) for path in configs)
        options = dict(zip(("config", "pretraining"), map(str, reversed(configs)), strict=False))
        return Implementation(f"{RECIPE}{short}", "", is_peer=False, options=options, stacks=(NO_STACK,))
    if name not in _ALL:
        raise ValueError(f"no implementation is named {name!r}; there are {', '.join(_ALL)}")
    return _ALL[name]


def _config(name: str) -> Path:
    """The file of a recipe, from the repository's root.

    Raises:
        ValueError: if it is not there.
    """
    path = Path(name) if name.endswith(".yaml") else Path("configs", f"{name}.yaml")
    if not (ROOT / path).is_file():
        raise ValueError(f"there is no recipe {path}")
    return path


def has_stack(name: str) -> bool:
    """Whether the named implementation is one of the stacks as its framework builds them."""
    return named(name).stacks != (NO_STACK,)


def by_stack(names: Iterable[str], stacks: Iterable[str]) -> dict[str, list[str]]:
    """The named implementations under each stack; those that have no stack come last, under ``any``."""
    names = list(names)
    grouped = {stack: [name for name in names if stack in named(name).stacks] for stack in (*stacks, NO_STACK)}
    return {stack: chosen for stack, chosen in grouped.items() if chosen}


def need_texts(names: Iterable[str]) -> bool:
    """Whether one of the named implementations reads texts, not ids."""
    return not set(TEXT_CLASSIFIERS).isdisjoint(names)


def python_of(implementation: Implementation) -> Path:
    """The interpreter its worker runs with.

    That of this process also for a peer, where the peers' environment has not been made and all packages are here: on
    a machine without a network, to which wheels were carried.

    Raises:
        WorkerError: if it is a peer, and neither is the case.
    """
    if not implementation.is_peer:
        return Path(sys.executable)
    python = PEERS_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        if implementation.packages and all(map(importlib.util.find_spec, implementation.packages)):
            return Path(sys.executable)
        raise WorkerError("the peers' environment is missing: python -m benchmarks peers makes it")
    return python


def worker_environment(implementation: Implementation, *, threads: int, device: str) -> dict[str, str]:
    """The environment variables of a worker: this process' own, and what fixes threads and device."""
    variables = dict(os.environ)
    variables.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    variables.update(implementation.variables)
    # JAX would take three quarters of the card's memory, of which each worker needs a little.
    variables["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    if device == "cpu":
        variables["CUDA_VISIBLE_DEVICES"] = ""
        variables["JAX_PLATFORMS"] = "cpu"
    return variables


def on_cpus(threads: int) -> list[str]:
    """What to put before a command so that it runs on the first ``threads`` of the available CPUs alone.

    Nothing where there is no ``taskset``; the frameworks' own settings hold there too.

    Raises:
        ValueError: if there are fewer CPUs than threads.
    """
    cpus = available_cpus()
    if not 1 <= threads <= len(cpus):
        raise ValueError(f"threads must be between 1 and the {len(cpus)} available CPUs, got {threads}")
    taskset = shutil.which("taskset")
    return [taskset, "--cpu-list", ",".join(map(str, cpus[:threads]))] if taskset else []


def start(implementation: Implementation, *, threads: int, device: str) -> Session:
    """Start a worker on the first ``threads`` of the available CPUs.

    Raises:
        WorkerError: if its environment has not been made.
        ValueError: if there are fewer CPUs than threads.
    """
    python = str(python_of(implementation))
    command = [*on_cpus(threads), python, "-m", f"benchmarks.workers.{implementation.module}"]
    variables = worker_environment(implementation, threads=threads, device=device)
    return Session(command, variables, cwd=str(ROOT))
