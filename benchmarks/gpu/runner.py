"""Runs one part of `gpu`: a process under a time limit, all of whose children end with it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT
from benchmarks.gpu.parts import Part

LOG_TAIL = 500
"""Characters of a part's output that its failure quotes."""


def run_part(part: Part, folder: Path, *, limit: float) -> dict[str, Any]:
    """Run a part, and say how it ended.

    Args:
        part: its command writes its own rows into the folder as it goes, so that an end in between loses none.
        folder: of the result files, and of the part's log.
        limit: seconds; where there are none, the part is not begun.

    Returns:
        ``status`` ("ok" or "failed"), ``reason``, ``seconds``, and the ``facts`` that its file has.
    """
    began = time.monotonic()
    if limit <= 0:
        return {"status": "failed", "reason": "no time was left for it", "seconds": 0.0, "facts": {}}
    with (folder / f"{part.name}.log").open("wb") as log:
        process = subprocess.Popen(
            part.command,
            cwd=ROOT,
            env={**os.environ, **part.variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status: int | None = process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            _end_group(process)
    reason = None
    if status is None:
        reason = f"took more than {limit:.0f} s, and was ended"
    elif status != 0:
        reason = f"exit status {status}: {_tail(folder / f'{part.name}.log')}"
    ended = "ok" if reason is None else "failed"
    return {"status": ended, "reason": reason, "seconds": time.monotonic() - began, "facts": _facts(folder, part)}


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End whatever the part has started and not ended."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _tail(log: Path) -> str:
    words = " ".join(log.read_text(encoding="utf-8", errors="replace").split())
    return words[-LOG_TAIL:] or "it printed nothing"


def _facts(folder: Path, part: Part) -> dict[str, Any]:
    file = folder / f"{part.name}.json"
    if not file.exists():
        return {}
    return json.loads(file.read_text(encoding="utf-8")).get("facts", {})
