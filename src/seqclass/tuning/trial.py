"""One run of `fit` within a search."""

import csv
import math
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import yaml

from seqclass.errors import InputError
from seqclass.training.lightning_cli import run_lightning_cli


def run_trial(arguments: Sequence[str], folder: Path, name: str, *, monitor: str, mode: str) -> tuple[float, Path]:
    """Train, and measure on the validation texts; the test texts are left alone.

    Args:
        arguments: of `fit`.
        folder: of all trials; what this one prints goes to a file in it.
        name: of this one.
        monitor: the metric, such as "val_loss".
        mode: whether its "min" or its "max" is the best.

    Returns:
        The metric, and the run's folder.

    Raises:
        InputError: the values do not go together, or the metric is not there, or not finite.
    """
    own = ["--runs_dir", str(folder), "--run_name", name, "--test_after_fit", "false"]
    (folder / name).mkdir(parents=True, exist_ok=True)
    before = _folders_in(folder / name)
    output = (folder / name / "output.txt").open("a", encoding="utf-8")
    with output, redirect_stdout(output), redirect_stderr(output):
        run_lightning_cli(["fit", *arguments, *own])
    (run,) = _folders_in(folder / name) - before
    return _measured(run, monitor, mode), run


def _folders_in(folder: Path) -> set[Path]:
    return {path for path in folder.iterdir() if path.is_dir()}


def _measured(run: Path, monitor: str, mode: str) -> float:
    """Read the metric of the epoch that the run keeps: that of its best checkpoint, or the last."""
    with (run / "metrics.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    figures = [float(row[monitor]) for row in rows if row.get(monitor)]
    if not figures:
        known = ", ".join(name for name in (rows[0] if rows else {}) if name.startswith("val_"))
        raise InputError(f"the run has no {monitor!r}; it has {known or 'no figures of a validation'}")
    kept = resolved_config(run)["checkpoint"]["monitor"]
    found = figures[-1] if kept is None else {"min": min, "max": max}[mode](figures)
    if not math.isfinite(found):
        raise InputError(f"{monitor} is {found}")
    return found


def resolved_config(run: Path) -> dict[str, Any]:
    """Read all values that a run was made with."""
    config: dict[str, Any] = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    return config
