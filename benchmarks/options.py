"""What all questions have in common: which stacks, which implementations, threads and device."""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import environment, implementations, notebook, results
from benchmarks.protocol import Session
from benchmarks.results import Result
from benchmarks.settings import Settings


@dataclass(frozen=True)
class Common:
    """The answers to the common options.

    Attributes:
        stacks: which stacks.
        implementations: which implementations; empty if none was named and the question has its own choice.
        threads: of every worker.
        device: "cpu" or "cuda".
        quick: a first answer, soon, from few samples.
        seed: of the batches, and the first of several where a question has more than one.
        json: where the result goes; None for the folder of results, which takes no quick ones.
    """

    stacks: tuple[str, ...]
    implementations: tuple[str, ...]
    threads: int
    device: str
    quick: bool
    seed: int
    json: Path | None

    def start(self, name: str) -> Session:
        """Start the named implementation's worker."""
        return implementations.start(implementations.named(name), threads=self.threads, device=self.device)

    def build_parameters(self, name: str, stack: str, settings: Settings, seed: int | None = None) -> dict[str, Any]:
        """What a worker's ``build`` is called with."""
        return {
            "stack": stack,
            "length": settings.length,
            "sizes": settings.sizes,
            "device": self.device,
            "seed": self.seed if seed is None else seed,
            "threads": self.threads,
            "options": implementations.named(name).options,
        }

    def result(self, question: str, data: dict[str, Any]) -> Result:
        """An empty result of this machine."""
        machine = environment.machine(self.device, self.threads)
        return Result(question=question, machine=machine, data=data)

    def check_keepable(self) -> None:
        """Check, before anything is measured, that a result that is to be kept will be one of a commit.

        Raises:
            SystemExit: tracked files differ from it.
        """
        if not self.quick and self.json is None and environment.commit().endswith(environment.CHANGED):
            raise SystemExit(
                "python -m benchmarks: there are uncommitted changes, and what is kept has to be of a commit: commit "
                "them first, or write the result elsewhere with --json FILE"
            )

    def keep(self, result: Result) -> Path | None:
        """Write the result to where it is kept; where that is, or None for a quick one that is not."""
        if self.quick and self.json is None:
            return None
        return results.write(result, self.json)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the common options to a question's."""
    parser.set_defaults(default_stacks=notebook.STACKS)
    parser.add_argument("--stack", action="append", choices=notebook.STACKS, help="may be repeated")
    parser.add_argument(
        "--implementation", action="append", type=implementation, metavar="NAME", help="may be repeated"
    )
    parser.add_argument("--threads", type=threads, default=len(environment.available_cpus()))
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: cuda where PyTorch finds it")
    parser.add_argument("--quick", action="store_true", help="a first answer from few samples, in a minute or two")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result here, not to benchmarks/results")


def parse(arguments: argparse.Namespace) -> Common:
    """The common options of parsed arguments."""
    return Common(
        stacks=tuple(dict.fromkeys(arguments.stack or arguments.default_stacks)),
        implementations=tuple(dict.fromkeys(arguments.implementation or ())),
        threads=arguments.threads,
        device=arguments.device or _default_device(),
        quick=arguments.quick,
        seed=arguments.seed,
        json=arguments.json,
    )


def say(message: str) -> None:
    """Progress, for the person who waits: standard output is left to results."""
    print(message, file=sys.stderr, flush=True)


def implementation(name: str) -> str:
    """The name that results show.

    Raises:
        ArgumentTypeError: if there is none such.
    """
    try:
        return implementations.named(name).name
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def threads(text: str) -> int:
    cpus = len(environment.available_cpus())
    if not text.isdecimal() or not 1 <= int(text) <= cpus:
        raise argparse.ArgumentTypeError(f"must be between 1 and the {cpus} available CPUs, got {text!r}")
    return int(text)


def _default_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
