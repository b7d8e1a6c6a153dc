"""``step``: milliseconds per training step and per evaluation step, and the memory they take.

Each implementation of a stack runs in a worker of its own; the workers take turns, a few batches each, all
of them on the same batches: different ones, drawn by the plain shuffle, with the padding they really have.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import checks, data, implementations, notebook
from benchmarks.options import Common, say
from benchmarks.protocol import Session, WorkerError
from benchmarks.results import Result
from benchmarks.settings import Settings
from benchmarks.statistics import mean_of_medians, paired_ratios, quartiles
from benchmarks.timer import interleave

SWEEPS: dict[str, tuple[str, tuple[int, ...]]] = {
    "batch": ("batch_size", (16, 32, 64, 128, 256)),
    "length": ("length", (125, 250, 500, 1000)),
    "hidden": ("hidden_size", (32, 64, 100, 128, 256)),
    "vocabulary": ("num_embeddings", (1000, 2500, 5000, 10000, 20000)),
    "segments": ("hidden_size", (128, 256, 512)),
}
"""By name, the setting that a sweep varies, and its values."""

SWEEP_SETTINGS: dict[str, dict[str, int]] = {"segments": {"batch_size": 256, "length": 50, "embedding_dim": 300}}
"""The other settings of a sweep, where they are not those of the command line."""

QUICK_IMPLEMENTATIONS = ("seqclass", "torch-naive", "keras-tensorflow")
TURN_SECONDS = 20.0
"""Nobody's turn takes much longer: a slow implementation gets fewer batches per turn, at least one."""

LAUNCHES = 3
"""How often each implementation is started anew."""
ROUNDS = 8
STEPS = 3
"""Turns of each process, and batches of a turn. Before each turn everyone builds the model anew, because a model may
be lucky or not for as long as it lives: TensorFlow decides by the times of its first executions, for good, which
operations are worth a thread. And many short turns, because a disturbance of the machine lasts for seconds: it reaches
all implementations of a round, or few of the rounds, of which the outer ones are left out."""

WARM_UP_STEPS = 3
CHECKED_REVIEWS = 16
BASELINE = "seqclass"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.add_argument("--launches", type=int, help=f"processes of each implementation (default {LAUNCHES}, quick 1)")
    parser.add_argument("--rounds", type=int, help=f"models and turns of a process (default {ROUNDS}, quick 3)")
    parser.add_argument("--steps", type=int, help=f"batches per turn (default {STEPS}, quick 2)")
    parser.add_argument("--batch-size", type=int, default=notebook.BATCH_SIZE)
    parser.add_argument("--length", type=int, default=notebook.LENGTH)
    parser.add_argument("--hidden-size", type=int, default=notebook.HIDDEN_SIZE)
    parser.add_argument("--num-embeddings", type=int, default=notebook.NUM_WORDS)
    parser.add_argument("--sweep", choices=SWEEPS, help="vary one setting, instead of the notebook's values alone")
    parser.add_argument(
        "--precision",
        choices=("float32", "bf16"),
        default="float32",
        help="bf16: measure seqclass and torch-naive under autocast to bfloat16 too",
    )
    parser.add_argument("--synthetic", action="store_true", help="made-up reviews, even if the real ones are there")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result."""
    launches = arguments.launches or (1 if common.quick else LAUNCHES)
    rounds = arguments.rounds or (3 if common.quick else ROUNDS)
    steps = arguments.steps or (2 if common.quick else STEPS)
    chosen = common.implementations or (QUICK_IMPLEMENTATIONS if common.quick else implementations.NETWORKS)
    if arguments.precision == "bf16":
        chosen = [each for name in chosen for each in (name, *_in_bf16(name))]
    source = data.source(arguments.synthetic)
    result = common.result("step", {"source": source})
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        sizes = {name: getattr(arguments, name) for name in ("batch_size", "length", "hidden_size", "num_embeddings")}
        for settings in _all_settings(Settings(**sizes), arguments.sweep):
            prepared = data.prepare(
                Path(folder, f"{settings.length}-{settings.num_embeddings}"),
                source=source,
                length=settings.length,
                num_words=settings.num_embeddings,
            )
            batches = data.write_batches(
                prepared,
                batches=launches * rounds * steps,
                batch_size=settings.batch_size,
                seed=common.seed,
                into=prepared.folder,
            )
            for stack in common.stacks:
                case = _Case(stack, settings, arguments.sweep, batches, prepared.folder, common)
                case.measure(result, chosen, launches=launches, rounds=rounds, steps=steps)
    return result


def _in_bf16(name: str) -> list[str]:
    """The same in bfloat16, where there is such an implementation."""
    return [f"{name}{implementations.BF16}"] if name in ("seqclass", "torch-naive") else []


def _all_settings(base: Settings, sweep: str | None) -> Iterable[Settings]:
    if sweep is None:
        return [base]
    base = replace(base, **SWEEP_SETTINGS.get(sweep, {}))
    name, values = SWEEPS[sweep]
    return [replace(base, **{name: value}) for value in values]


@dataclass(frozen=True)
class _Case:
    """One stack under one setting, for all implementations."""

    stack: str
    settings: Settings
    sweep: str | None
    batches: tuple[Path, Path]
    folder: Path
    common: Common

    def measure(self, result: Result, names: Iterable[str], *, launches: int, rounds: int, steps: int) -> None:
        """Start and check the workers, let them take turns, as often as there are launches, and add a row for each."""
        say(f"step: {self.stack}, {self.settings}")
        rows: dict[str, dict[str, Any]] = {name: _empty_row() for name in names}
        failures: dict[str, str] = {}
        for launch in range(launches):
            self._launch(rows, failures, rounds=rounds, steps=steps, first=launch * rounds)
        for row in rows.values():
            row.update(_summary(row["samples"]))
        _add_ratios(rows)
        settings = {**asdict(self.settings), "sweep": self.sweep}
        for name, row in rows.items():
            key: dict[str, Any] = {"stack": self.stack, "implementation": name, "settings": settings}
            if name in failures:
                say(f"  {name} failed: {failures[name]}")
                result.add_failed(**key, reason=failures[name], **_without_figures(row))
            else:
                say(f"  {name}: train {row['train_ms']:.1f} ms, eval {row['eval_ms']:.1f} ms")
                result.add(**key, **row, launches=launches)

    def _launch(
        self, rows: dict[str, dict[str, Any]], failures: dict[str, str], *, rounds: int, steps: int, first: int
    ) -> None:
        """One process of each implementation that has not failed takes its turns, on the batches from a round on."""
        with ExitStack() as stack:
            sessions = self._started(_alive(rows, failures), failures, stack)
            for number in range(rounds):
                if number > 0:
                    self._build_anew(sessions, failures)
                self._round(sessions, rows, failures, steps=steps, number=first + number)
                if number == 0:
                    # Later it may hold the models of earlier rounds too.
                    for name, session in _alive(sessions, failures).items():
                        rows[name]["memory"] = session.call("memory")

    def _build_anew(self, sessions: dict[str, Session], failures: dict[str, str]) -> None:
        for name, session in _alive(sessions, failures).items():
            try:
                self._build(name, session)
            except WorkerError as error:  # noqa: PERF203
                failures[name] = str(error)

    def _round(
        self,
        sessions: dict[str, Session],
        rows: dict[str, dict[str, Any]],
        failures: dict[str, str],
        *,
        steps: int,
        number: int,
    ) -> None:
        """Everyone warms up and takes one turn in training, then one in evaluation."""
        for method, key in (("train_steps", "train_ms"), ("eval_steps", "eval_ms")):
            alive = _alive(sessions, failures)
            turns = {name: _Turn(session, method, self.batches, steps, number) for name, session in alive.items()}
            for name, series in interleave(turns, rounds=1).items():
                rows[name]["samples"][key] += series.rounds
                if series.failure is not None:
                    failures[name] = series.failure

    def _started(
        self, rows: dict[str, dict[str, Any]], failures: dict[str, str], stack: ExitStack
    ) -> dict[str, Session]:
        """The workers that have built the right model; the others are noted among the failures."""
        paths = self._write_check()
        sessions = {}
        for name in rows:  # all at once: importing a framework takes seconds, and one CPU
            try:
                sessions[name] = stack.enter_context(self.common.start(name))
            except WorkerError as error:  # noqa: PERF203
                failures[name] = str(error)
        for name, session in sessions.items():
            try:
                self._build_and_check(name, session, rows[name], paths)
            except (WorkerError, checks.CheckError) as error:  # noqa: PERF203
                failures[name] = str(error)
        return _alive(sessions, failures)

    def _write_check(self) -> dict[str, str]:
        paths = {name: str(self.folder / f"check_{name}") for name in ("weights.npz", "ids.npy")}
        weights = checks.neutral_weights(self.stack, **self.settings.sizes)
        np.savez(paths["weights.npz"], **weights)
        np.save(paths["ids.npy"], np.load(self.batches[0], mmap_mode="r")[0][:CHECKED_REVIEWS])
        return {"weights": paths["weights.npz"], "ids": paths["ids.npy"]}

    def _build(self, name: str, session: Session) -> dict[str, Any]:
        return session.call("build", **self.common.build_parameters(name, self.stack, self.settings))

    def _build_and_check(self, name: str, session: Session, row: dict[str, Any], paths: dict[str, str]) -> None:
        row.update(self._build(name, session))
        checks.check_parameters(name, self.stack, row["parameters"], self.settings.sizes)
        probabilities = self.folder / "check_probabilities.npy"
        session.call("check", **paths, probabilities=str(probabilities))
        with np.load(paths["weights"]) as weights:
            expected = checks.predict(dict(weights), np.load(paths["ids"]))
        row["largest_difference"] = checks.check_predictions(name, np.load(probabilities), expected)


class _Turn:
    """One implementation's turn in a round: its warm-up decides how many batches fit into a turn's time.

    A turn begins with the batch before its own, which is not timed: it finds cold caches and threads asleep.
    """

    def __init__(self, session: Session, method: str, batches: tuple[Path, Path], steps: int, number: int) -> None:
        self._session, self._method, self._steps = session, method, steps
        self._files = {"ids": str(batches[0]), "labels": str(batches[1])}
        self._start = number * steps
        self._count = steps

    def __call__(self, number: int) -> list[float]:
        warming_up = number < 0
        count = min(WARM_UP_STEPS, self._steps) if warming_up else self._count
        samples = self._session.call(self._method, **self._files, start=self._start - 1, count=count + 1)[1:]
        if warming_up:
            self._count = batches_per_turn(samples[-1], self._steps)
        return samples


def _alive(by_name: dict[str, Any], failures: dict[str, str]) -> dict[str, Any]:
    """What belongs to the implementations that have not failed."""
    return {name: each for name, each in by_name.items() if name not in failures}


def batches_per_turn(milliseconds: float, steps: int) -> int:
    """How many batches of that many milliseconds fit into a turn, between one and ``steps``."""
    return max(1, min(steps, int(1e3 * TURN_SECONDS / milliseconds)))


def _empty_row() -> dict[str, Any]:
    return {"samples": {"train_ms": [], "eval_ms": []}}


def _summary(samples: dict[str, list[list[float]]]) -> dict[str, Any]:
    """The trimmed mean over the turns of the median of each, for each kind of step, and the quartiles of all."""
    figures: dict[str, Any] = {}
    for key, rounds in samples.items():
        found = _mean_and_quartiles(rounds) if rounds else None
        figures[key] = found and found["mean"]
        figures[key.replace("_ms", "_quartiles")] = found and [found["low"], found["high"]]
    return figures


def _add_ratios(rows: dict[str, dict[str, Any]]) -> None:
    """To each row, how many times longer it took than the baseline on the same batches of the same rounds."""
    if BASELINE not in rows:
        return
    ours = rows[BASELINE]["samples"]
    for row in rows.values():
        for part in ("train", "eval"):
            ratios = paired_ratios(row["samples"][f"{part}_ms"], ours[f"{part}_ms"])
            if ratios:
                row[f"{part}_ratio"] = _mean_and_quartiles(ratios)


def _mean_and_quartiles(rounds: list[list[float]]) -> dict[str, float]:
    found = quartiles([sample for samples in rounds for sample in samples])
    return {"low": found.low, "mean": mean_of_medians(rounds), "high": found.high}


def _without_figures(row: dict[str, Any]) -> dict[str, Any]:
    """A failed row keeps its samples, and has no medians that a program might take for a result."""
    kept = {key: value for key, value in row.items() if not key.endswith(("_quartiles", "_ratio"))}
    return {**kept, "train_ms": None, "eval_ms": None}
