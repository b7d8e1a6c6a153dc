"""``gpu``: everything that only a GPU can show, part by part, in less than nine minutes and without a network.

Each part is a process of its own with a time limit of its own. The result file is written after each of them, and a
part that fails is a row with its reason; the others go on. ``python -m benchmarks gpu-report FOLDER`` makes tables of
the files. With ``--device cpu --tiny`` every line of it runs on a CPU, Triton in its interpreter: that is a test of
this program, and what it prints are no measurements.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks import environment, options, results
from benchmarks.gpu.parts import PARTS, Plan, all_parts
from benchmarks.gpu.runner import run_part

MINUTES = 9.0
RESERVE = 5.0
"""Seconds at the end that no part gets."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--minutes", type=float, default=MINUTES, help=f"for all parts (default {MINUTES:g})")
    parser.add_argument("--part", action="append", choices=PARTS, help="may be repeated (default: all)")
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: a test of this program")
    parser.add_argument("--threads", type=options.threads, default=len(environment.available_cpus()))
    parser.add_argument(
        "--into", type=Path, metavar="FOLDER", help="where result files go (default: a new one in benchmarks/results)"
    )


def run(arguments: argparse.Namespace) -> Path:
    """Run the parts in their order; the folder of the result files."""
    began = time.monotonic()
    folder = arguments.into or results.FOLDER / f"gpu-{environment.now().replace(':', '')}"
    folder.mkdir(parents=True, exist_ok=True)
    plan = Plan(arguments.device, arguments.tiny, arguments.threads, folder)
    result = results.Result(question="gpu", machine=environment.machine("cpu", arguments.threads), data={})
    result.machine["device"] = arguments.device
    chosen = [part for part in all_parts(plan) if not arguments.part or part.name in arguments.part]
    for part in chosen:
        left = 60 * arguments.minutes - RESERVE - (time.monotonic() - began)
        row = run_part(part, folder, limit=min(part.seconds, left))
        if row["facts"].get("device"):
            result.machine["name"] = row["facts"]["device"]
        options.say(f"gpu: {part.name}: {row['status']}, {row['seconds']:.0f} s {row['reason'] or ''}".rstrip())
        settings = {"limit_s": part.seconds, "tiny": arguments.tiny}
        add = {"stack": "any", "implementation": part.name, "settings": settings}
        if row["status"] == "ok":
            result.add(**add, seconds=row["seconds"])
        else:
            result.add_failed(**add, reason=row["reason"], seconds=row["seconds"])
        results.write(result, folder / "gpu.json")
    return folder
