"""A recipe's turn in the `target` race: the command ``seqclass fit`` itself, as its users type it.

The clock runs from the start of the process to the end of the validation that reaches the target; what the command
does after that (a last checkpoint, say) is not waited for by anyone who has the accuracy.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import implementations
from benchmarks.environment import ROOT, versions
from benchmarks.options import Common, say
from benchmarks.protocol import LOG_TAIL, WorkerError
from benchmarks.statistics import time_to_target
from benchmarks.target_reached import read_curve


@dataclass
class RecipeRace:
    """One recipe of ``configs/``, seed by seed. It validates on the test reviews, and trains on all the others."""

    name: str
    stack: str
    common: Common
    target: float
    curves: list[list[tuple[float, float]]] = field(default_factory=list)
    row: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> list[float]:
        seed = self.common.seed + number
        self.row["versions"] = versions(("seqclass", "torch", "lightning", "numpy"))
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
            folder = Path(name)
            began = time.monotonic()
            self._fit(seed, folder)
            curve = read_curve(folder / "curve.jsonl", began)
        self.curves.append(curve)
        if not curve:
            raise WorkerError(f"the recipe ended without a validation of seed {seed}")
        seconds = time_to_target(curve, self.target)
        say(f"  {self.name}, seed {seed}: {seconds:.1f} s, accuracy {curve[-1][1]:.4f}")
        return [seconds]

    def _fit(self, seed: int, folder: Path) -> None:
        implementation = implementations.named(self.name)
        command = [
            *implementations.on_cpus(self.common.threads),
            str(implementations.python_of(implementation)),
            *("-m", "seqclass", "fit", "--config", implementation.options["config"]),
            *("--seed_everything", str(seed), "--runs_dir", str(folder), "--data.validation", "test"),
            "--trainer.callbacks+=benchmarks.target_reached.TargetReached",
            f"--trainer.callbacks.target={self.target}",
            f"--trainer.callbacks.file={folder / 'curve.jsonl'}",
        ]
        device = self.common.device
        variables = implementations.worker_environment(implementation, threads=self.common.threads, device=device)
        completed = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        if completed.returncode != 0:
            words = " ".join((completed.stderr or completed.stdout).split())
            raise WorkerError(f"seqclass fit ended with status {completed.returncode}: {words[-LOG_TAIL:]}")
