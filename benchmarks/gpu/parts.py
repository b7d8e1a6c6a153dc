"""The parts of `gpu`, in their order, each with its command and the seconds that it may take."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import notebook
from benchmarks.environment import ROOT

OWN = {
    "machine": 15,
    "tests": 50,
    "equality": 50,
    "choices": 50,
    "layers": 55,
}
"""The parts before the questions, and their seconds; each but ``tests`` is a module of this package."""

STEP_SECONDS = 32
"""Of each stack: about 10 until every framework is imported, the rest for turns."""

RACES = {"race_8626": ("recipe:cnn_lstm_fast", notebook.TARGET_ACCURACY), "race_907": ("recipe:imdb_supervised", 0.907)}
"""The recipe and the accuracy of each race."""

LATER = {"epoch": 35, "race_8626": 35, "race_907": 70, "graphs": 30, "profile": 15}
"""A race fills its recipe's cache first, and tests each epoch's checkpoint after the clock has stopped."""
PARTS = (*OWN, *(f"step_{stack}" for stack in notebook.STACKS), *LATER)
"""The names of all parts."""

IMPLEMENTATIONS = (
    "seqclass",
    "seqclass:builtin",
    "seqclass:fused",
    "seqclass:triton",
    "torch-naive",
    "keras-jax",
    "keras-torch",
)
TINY_IMPLEMENTATIONS = ("seqclass", "seqclass:triton", "torch-naive")


@dataclass(frozen=True)
class Plan:
    """What all parts are told.

    Attributes:
        device: "cuda", or "cpu" for a test of the program.
        tiny: the smallest sizes.
        threads: of the workers.
        folder: of the result files.
    """

    device: str
    tiny: bool
    threads: int
    folder: Path


@dataclass(frozen=True)
class Part:
    """One part.

    Attributes:
        name: of the part, of its file and its log.
        seconds: its limit.
        command: what is run, from the repository root.
        variables: environment variables beside those of this process.
    """

    name: str
    seconds: float
    command: Sequence[str]
    variables: dict[str, str] = field(default_factory=dict)


def all_parts(plan: Plan) -> list[Part]:
    """The parts in their order."""
    commands = {name: _module(name, plan) for name in PARTS}
    for stack in notebook.STACKS:
        commands[f"step_{stack}"] = _question("step", f"step_{stack}", plan, ["--stack", stack, *_step_options(plan)])
    reviews = ["--reviews", "32"] if plan.tiny else []
    one_stack = ["--stack", "lstm"] if plan.tiny else []
    commands["epoch"] = _question("epoch", "epoch", plan, ["--implementation", "seqclass", *reviews, *one_stack])
    for name, (recipe, target) in RACES.items():
        race = ["--implementation", recipe, "--target", str(target), "--seeds", "1", *reviews]
        commands[name] = _question("target", name, plan, race)
    seconds = {**OWN, **{f"step_{stack}": STEP_SECONDS for stack in notebook.STACKS}, **LATER}
    # Of a CPU's test every part may take long: it shares its cores.
    scale = 10 if plan.device == "cpu" else 1
    variables = {"TRITON_INTERPRET": "1"} if plan.device == "cpu" else {}
    variables["PYTHONPATH"] = _with_own_sources()
    return [Part(name, scale * seconds[name], commands[name], variables) for name in PARTS]


def _module(name: str, plan: Plan) -> list[str]:
    tiny = ["--tiny"] if plan.tiny else []
    json = str(plan.folder / f"{name}.json")
    return [sys.executable, "-m", f"benchmarks.gpu.{name}", "--device", plan.device, "--json", json, *tiny]


def _question(question: str, name: str, plan: Plan, options: Sequence[str]) -> list[str]:
    common = ["--device", plan.device, "--threads", str(plan.threads), "--json", str(plan.folder / f"{name}.json")]
    return [sys.executable, "-m", "benchmarks", question, *common, *options]


def _step_options(plan: Plan) -> list[str]:
    names = TINY_IMPLEMENTATIONS if plan.tiny else IMPLEMENTATIONS
    chosen = [option for name in names for option in ("--implementation", name)]
    turns = ["--launches", "1", "--rounds", "1" if plan.tiny else "4", "--steps", "1" if plan.tiny else "5"]
    sizes = ["--batch-size", "2", "--length", "6", "--hidden-size", "5", "--num-embeddings", "50", "--synthetic"]
    return [*chosen, *turns, *(sizes if plan.tiny else [])]


def _with_own_sources() -> str:
    """The path on which an offline machine finds seqclass without installing it, and what was on it before."""

    before = os.environ.get("PYTHONPATH", "")
    return os.pathsep.join([str(ROOT / "src"), *([before] if before else [])])
