"""A recipe's turn: the command ``seqclass fit`` itself, as its users type it.

The clock runs from the start of the process to its end, the test of the best epoch included. The curve has a point for
each validation: the accuracy on the test texts of the checkpoint saved then, measured when the clock has stopped, and
the seconds of a run that would have ended there, with what this one did after its last checkpoint. Nothing is chosen by
the test texts: epochs, and the weights of a blend, are chosen by what the recipe holds out.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from benchmarks import implementations
from benchmarks.data import TextSet
from benchmarks.environment import ROOT, versions
from benchmarks.options import Common, implementation, say
from benchmarks.protocol import LOG_TAIL, WorkerError
from seqclass.models import PRESETS

_SHORT = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"),
    *("--test_after_fit", "false"),
]
"""A run that does little but fill the cache."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the questions in which recipes take part."""
    parser.add_argument(
        "--recipe",
        action="append",
        dest="implementation",
        type=lambda config: implementation(implementations.RECIPE + config),
        metavar="CONFIG",
        help="likewise, by its file; PRETRAINING+CONFIG for one that starts from what `seqclass pretrain` learns first",
    )
    parser.add_argument(
        "--unlabelled",
        action="append",
        default=[],
        type=lambda path: Path(path).resolve(),
        metavar="PATH",
        help="texts for it",
    )


@dataclass
class RecipeRace:
    """One recipe, seed by seed.

    Attributes:
        name: ``recipe:NAME``.
        common: the common options.
        texts: what it is trained and tested on.
        folder: where what the seeds share is kept, as long as the caller keeps it.
        fresh: whether each run begins with an empty cache, so that the encoding of the texts counts.
        curve: whether the checkpoints are tested too, or the run's own figures are enough.
        unlabelled: what the pretraining reads; by default what its config names.
        runs: one for each seed: its seconds, its figures (``acc``, ``acc_recurrent``, ...), its curve.
        row: what a result says beside them.
    """

    name: str
    common: Common
    texts: TextSet
    folder: Path
    fresh: bool
    curve: bool
    unlabelled: Sequence[Path] = ()
    stack: str = implementations.NO_STACK
    runs: list[dict[str, Any]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._config: str = implementations.named(self.name).options["config"]
        self._pretraining: str | None = implementations.named(self.name).options.get("pretraining")
        config = yaml.safe_load((ROOT / self._config).read_text(encoding="utf-8"))
        data = config["data"]
        self._own_texts = data["class_path"].endswith("TextDataModule")
        default = 0.1 if self._own_texts else "test"
        self._holds_out = data.get("init_args", {}).get("validation", default) != "test"
        self._has_branches = _has_ngrams(config.get("model", {}))
        self._kept = Path(tempfile.mkdtemp(dir=self.folder))

    def check(self) -> None:
        """Check that the recipe can take part with these texts, before any second is spent on it.

        Raises:
            WorkerError: it cannot.
        """
        if not self._own_texts and self.texts.archive is None:
            raise WorkerError("this recipe reads the IMDB reviews, not own texts")
        if self._has_branches and not self._holds_out:
            raise WorkerError(
                "the blend of its branches would be chosen by the test texts: hold out texts to validate on"
            )

    def __call__(self, number: int) -> list[float]:
        self.check()
        seed = self.common.seed + number
        self.row["versions"] = versions(("seqclass", "torch", "lightning", "numpy"))
        given = ["--config", self._config, *self._data_options()]
        if self._pretraining:
            given += ["--model.pretrained", str(self._pretrain())]
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
            folder = Path(name)
            cache = ["--data.cache_dir", str(folder if self.fresh else self._kept)]
            if not self.fresh and not self.runs:
                self._seqclass("fit", *given, *cache, *_SHORT, "--runs_dir", str(folder / "short"))
            run = self._fit(folder, seed, [*given, *cache])
        run["seconds"] = round(run["seconds"] + self.row.get("pretraining_seconds", 0.0), 2)
        self.runs.append(run)
        say(f"  {self.name}, seed {seed}: {run['seconds']:.1f} s, accuracy {run['acc']:.4f}")
        return [run["seconds"]]

    def _data_options(self) -> list[str]:
        if self._own_texts:
            return ["--data.train", str(self.texts.train), "--data.test", str(self.texts.test)]
        return ["--data.path", str(self.texts.archive)]

    def _pretrain(self) -> Path:
        """Learn what the recipe starts from, once: that it takes, every seed's run has in its seconds."""
        file = self._kept / "pretrained.safetensors"
        if not file.exists():
            texts = ["--data.train", json.dumps(list(map(str, self.unlabelled)))] if self.unlabelled else []
            began = time.time()
            self._seqclass("pretrain", "--config", self._pretraining, *texts, "--out", str(file))
            self.row["pretraining_seconds"] = round(time.time() - began, 2)
        return file

    def _fit(self, folder: Path, seed: int, given: list[str]) -> dict[str, Any]:
        runs = folder / "fit"
        end = ["--test_after_fit", str(self._holds_out).lower()]
        every = ["--checkpoint.save_top_k", "-1"] if self.curve else []
        began = time.time()
        self._seqclass("fit", *given, *end, *every, "--seed_everything", str(seed), "--runs_dir", str(runs))
        seconds = time.time() - began
        figures = last_figures(runs, "test" if self._holds_out else "val")
        run = {"seed": seed, "seconds": seconds, **figures}
        if self.curve:
            run["curve"] = self._test_checkpoints(runs, began, seconds, given)
        return run

    def _test_checkpoints(
        self, runs: Path, began: float, seconds: float, given: list[str]
    ) -> list[tuple[float, float]]:
        """The curve: a run that had ended with a checkpoint would have taken as long after it as this run did."""
        saved = [path for path in runs.rglob("*.ckpt") if path.name != "last.ckpt"]
        moments = {path: path.stat().st_mtime - began for path in saved}
        rest = seconds - max(moments.values()) + self.row.get("pretraining_seconds", 0.0)
        curve = []
        for path in sorted(saved, key=moments.__getitem__):
            tests = path.with_suffix("")
            self._seqclass("test", *given, "--ckpt_path", str(path), "--runs_dir", str(tests))
            curve.append((round(moments[path] + rest, 2), last_figures(tests, "test")["acc"]))
        return curve

    def _seqclass(self, *command: str) -> None:
        """Run ``seqclass`` with the threads that everyone has.

        Raises:
            WorkerError: if it fails; the message has the end of what it printed.
        """
        us = implementations.named(self.name)
        variables = implementations.worker_environment(us, threads=self.common.threads, device=self.common.device)
        python = [*implementations.on_cpus(self.common.threads), str(implementations.python_of(us))]
        completed = subprocess.run(
            [*python, "-m", "seqclass", *command], cwd=ROOT, env=variables, capture_output=True, text=True
        )
        if completed.returncode != 0:
            words = " ".join((completed.stderr or completed.stdout).split())
            raise WorkerError(f"seqclass {command[0]} ended with status {completed.returncode}: {words[-LOG_TAIL:]}")


def _has_ngrams(model: dict[str, Any]) -> bool:
    """Whether a recipe's stack has n-grams beside its recurrent layers."""
    preset = PRESETS[model.get("stack", "lstm")].values
    return bool(model.get("ngrams", preset.get("ngrams")))


def last_figures(folder: Path, stage: str) -> dict[str, float]:
    """The last accuracies of a stage, "val" or "test", by name, in the ``metrics.csv`` of the one run in a folder.

    Raises:
        WorkerError: if there are none.
    """
    for path in folder.rglob("metrics.csv"):
        with path.open(newline="") as file:
            rows = [row for row in csv.DictReader(file) if row.get(f"{stage}_acc")]
        if rows:
            names = (name for name in rows[-1] if name.startswith(f"{stage}_acc"))
            return {name.removeprefix(f"{stage}_"): round(float(rows[-1][name]), 5) for name in names}
    raise WorkerError(f"the run has left no {stage}_acc")
