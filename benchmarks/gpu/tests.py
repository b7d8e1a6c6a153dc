"""Part ``tests``: the tests marked ``gpu``, and those of the Triton pass, which run on the GPU where one is."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # of a file that pytest has just written

from benchmarks.environment import ROOT
from benchmarks.gpu import rows

SUITES = {"marked gpu": ["-m", "gpu", "tests"], "Triton pass": ["tests/nn/kernels/test_triton.py"]}
TINY = {"marked gpu": ["-m", "gpu", "tests/training/test_cuda_graphs.py"]}


def run_suite(arguments: list[str]) -> dict[str, Any]:
    """Run pytest; how many tests passed, and which failed or were skipped, by name.

    Raises:
        RuntimeError: a test failed, or pytest did not get to run any.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}", *arguments]
        completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if not report.exists():
            raise RuntimeError(f"pytest ended with status {completed.returncode}: {completed.stdout[-400:]}")
        cases = list(ElementTree.parse(report).iter("testcase"))
    kinds: dict[str, list[str]] = {"failure": [], "error": [], "skipped": []}
    for case in cases:
        for kind, names in kinds.items():
            if case.find(kind) is not None:
                names.append(f"{case.get('classname')}::{case.get('name')}")
    failed = kinds["failure"] + kinds["error"]
    if failed or not cases:
        raise RuntimeError(f"{len(failed)} of {len(cases)} tests failed: {', '.join(failed)[:300]}")
    return {"passed": len(cases) - len(kinds["skipped"]), "skipped": kinds["skipped"]}


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("tests")
    for name, suite in (TINY if arguments.tiny else SUITES).items():
        part.measure(name, lambda suite=suite: run_suite(suite))
    part.ended()


if __name__ == "__main__":
    main()
