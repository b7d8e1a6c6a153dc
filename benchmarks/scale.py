"""``scale``: rows a second and peak memory of reading, encoding and training on files of many rows.

The file is made up: Zipf's law gives the words, and one word of each row tells its label, rightly in 95 rows of 100. So
much accuracy can be reached, and no more. What runs is the command line, a process a measurement:

- ``inspect``: one pass, and nothing is kept;
- ``encode``: ``fit`` of one step and a short validation, with an empty cache;
- ``open``: the same again, which finds the encoded rows;
- ``train``: the same with many steps.

What encoding and the steps alone take is the difference to ``open``. Memory is read from ``/proc``: this needs Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import environment
from benchmarks.options import Common, say
from benchmarks.recipe import last_figures
from benchmarks.results import Result

ROWS = 10_000_000
QUICK_ROWS = 100_000
FORMS = ("csv", "jsonl")
WORDS = 100_000
"""Distinct ones, beside those that tell the label."""
TELLING = 50
"""Words for each label that tell it."""
TRUE_SHARE = 0.95
LENGTHS = (10, 30)
"""Fewest and most words of a row."""
LABELS = ("negative", "positive")
NUM_WORDS = 20_000
MAXLEN = 32
BATCH_SIZE = 128
EVAL_BATCHES = 40
VERSIONS = ("seqclass", "torch", "lightning", "numpy")
PIECE = 100_000
POLL_SECONDS = 0.05


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.set_defaults(default_stacks=("cnn_lstm",))
    parser.add_argument("--rows", type=int, help=f"of the file (default {ROWS:,}, quick {QUICK_ROWS:,})")
    parser.add_argument("--form", choices=FORMS, default="csv")
    parser.add_argument("--steps", type=int, default=500, help="of the training")
    parser.add_argument("--folder", type=Path, help="for the file and the cache: 400 bytes a row")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Make the file, measure, and return the result."""
    rows = arguments.rows or (QUICK_ROWS if common.quick else ROWS)
    result = common.result("scale", {"source": "zipf"})
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name)
        file = folder / f"rows.{arguments.form}"
        say(f"scale: making {rows:,} rows")
        write_rows(file, rows, seed=common.seed)
        for stack in common.stacks:
            settings = {"rows": rows, "form": arguments.form, "steps": arguments.steps, "batch_size": BATCH_SIZE}
            measured = _measure(file, folder / stack, stack, arguments.steps, common)
            result.add(
                stack=stack,
                implementation="seqclass",
                settings=settings,
                versions=environment.versions(VERSIONS),
                file_mib=round(file.stat().st_size / 2**20, 1),
                **measured,
            )
    return result


def _measure(file: Path, folder: Path, stack: str, steps: int, common: Common) -> dict[str, Any]:
    folder.mkdir()
    fit = [
        *("fit", "--seed_everything", str(common.seed), "--model.stack", stack, "--trainer.max_epochs", "1"),
        *("--data", "seqclass.data.TextDataModule", "--data.train", str(file), "--data.cache_dir", str(folder)),
        *("--data.num_words", str(NUM_WORDS), "--data.maxlen", str(MAXLEN), "--data.batch_size", str(BATCH_SIZE)),
        *("--trainer.accelerator", "cpu" if common.device == "cpu" else "gpu"),
        *("--trainer.limit_val_batches", str(EVAL_BATCHES), "--runs_dir", str(folder / "runs")),
    ]
    one = (*fit, "--trainer.limit_train_batches", "1", "--run_name", "one")
    many = (*fit, "--trainer.limit_train_batches", str(steps), "--run_name", "many")
    commands = {"inspect": ("inspect", str(file)), "encode": one, "open": one, "train": many}
    costs = {}
    for name, command in commands.items():
        say(f"scale: {name}")
        costs[name] = run_command(command, folder, common.threads)
    encoded = sum(path.stat().st_size for path in (folder / "encoded").rglob("*") if path.is_file())
    return {
        **{name: asdict(cost) for name, cost in costs.items()},
        "encoded_mib": round(encoded / 2**20, 1),
        "val_accuracy": last_figures(folder / "runs" / "many", "val")["acc"],
    }


@dataclass(frozen=True)
class Cost:
    """What a command took.

    Attributes:
        seconds: from the start of the process to its end.
        cpu_seconds: what it had of the processors in them; on a busy machine the better measure.
        peak_mib: the most memory it held, pages of mapped files included, which the system takes back when it needs
            them.
        private_mib: the most of its own, without those, looked at twenty times a second.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    private_mib: float


def run_command(command: Sequence[str], folder: Path, threads: int) -> Cost:
    """Run ``seqclass`` with a command line in a folder.

    Raises:
        RuntimeError: if it fails; the message has the end of what it printed.
    """
    with tempfile.TemporaryFile() as output:
        began, before = time.monotonic(), _children_seconds()
        process = subprocess.Popen(
            [sys.executable, "-m", "seqclass", *command],
            cwd=folder,
            env={**os.environ, "OMP_NUM_THREADS": str(threads)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        peak = private = 0.0
        while process.poll() is None:
            # Not the `ru_maxrss` of the process: it begins with the memory of this one, from which it was forked.
            memory = _memory_mib(process.pid)
            peak, private = max(peak, memory.get("VmHWM", 0.0)), max(private, memory.get("RssAnon", 0.0))
            time.sleep(POLL_SECONDS)
        seconds = time.monotonic() - began
        if process.returncode:
            output.seek(0)
            raise RuntimeError(f"seqclass {command[0]} failed: {output.read().decode()[-2000:]}")
    return Cost(
        seconds=round(seconds, 2),
        cpu_seconds=round(_children_seconds() - before, 2),
        peak_mib=round(peak, 1),
        private_mib=round(private, 1),
    )


def _children_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _memory_mib(pid: int) -> dict[str, float]:
    """The lines of Linux's `status` file that are in kB; none if the process has just ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}


def write_rows(path: Path, rows: int, *, seed: int) -> None:
    """Write made-up labelled texts as ``.csv`` or ``.jsonl``, the same for a seed on every machine."""
    random = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8") as file:
        if path.suffix == ".csv":
            file.write("text,label\n")
        for start in range(0, rows, PIECE):
            for text, label in _texts(random, min(PIECE, rows - start)):
                # Neither the words nor the labels need quotes.
                line = f"{text},{label}" if path.suffix == ".csv" else json.dumps({"text": text, "label": label})
                file.write(f"{line}\n")


def _texts(random: np.random.Generator, rows: int) -> Iterator[tuple[str, str]]:
    shares = np.cumsum(1 / np.arange(1, WORDS + 1))
    lengths = random.integers(LENGTHS[0], LENGTHS[1] + 1, rows)
    ends = np.cumsum(lengths)
    words = np.searchsorted(shares, random.random(ends[-1]) * shares[-1])
    labels = random.integers(len(LABELS), size=rows)
    told = np.where(random.random(rows) < TRUE_SHARE, labels, 1 - labels)
    # Numbers from WORDS on are the telling ones, those of a label side by side.
    words[ends - 1 - random.integers(lengths)] = WORDS + told * TELLING + random.integers(TELLING, size=rows)
    names = [f"w{number}" for number in range(WORDS + len(LABELS) * TELLING)]
    start = 0
    for end, label in zip(ends.tolist(), labels.tolist(), strict=True):
        yield " ".join([names[word] for word in words[start:end].tolist()]), LABELS[label]
        start = end
