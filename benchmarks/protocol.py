"""How the host and a worker talk: one JSON object per line, over the worker's standard input and output.

A request is ``{"method": "train_steps", "parameters": {...}}``; the answer ``{"result": ...}`` or
``{"error": "ValueError: ...", "trace": "..."}``. Arrays are handed over as the paths of ``.npy`` files, read
without pickle. A worker answers each request before it reads the next, and ends when its input ends.

Frameworks print whatever they like, from Python and from C. So a worker keeps the real standard output for
the protocol alone and points file descriptor 1 at standard error, which the host collects in a log.

This file needs nothing but the standard library, because it also runs in the peers' environment.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.timer import TurnError

LOG_TAIL = 800
"""Characters of a dead worker's log that its failure quotes."""


class WorkerError(TurnError):
    """A worker answered with an error, died, or took too long; results keep the message as reason."""


def serve(worker: object, methods: Sequence[str]) -> None:
    """Answer requests with the named methods of ``worker`` until the input ends. Called in the worker."""
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    for line in sys.stdin:
        channel.write(json.dumps(_answer(worker, methods, json.loads(line))) + "\n")
        channel.flush()


def _answer(worker: object, methods: Sequence[str], request: Mapping[str, Any]) -> dict[str, Any]:
    method = request["method"]
    if method not in methods or not hasattr(worker, method):
        return {"error": f"NotImplementedError: this worker cannot {method}", "trace": ""}
    try:
        return {"result": getattr(worker, method)(**request["parameters"])}
    except Exception as error:  # Whatever goes wrong is the answer: the host decides what it means.
        return {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}


class Session:
    """A running worker, seen from the host. A context manager: the process ends with the block.

    Args:
        command: the worker's command line.
        environment: its environment variables, all of them.
        cwd: the folder it starts in.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], cwd: str | None = None) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (closed with the session)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=dict(environment),
            cwd=cwd,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def call(self, method: str, *, timeout: float = 600.0, **parameters: Any) -> Any:
        """Have the worker run a method, and wait for its result.

        Raises:
            WorkerError: if the worker answers with an error, with something that is not an answer, dies, or
                takes longer than ``timeout`` seconds (it is ended then).
        """
        request = json.dumps({"method": method, "parameters": parameters}) + "\n"
        timed_out = threading.Event()

        def give_up() -> None:
            timed_out.set()
            self._process.kill()

        timer = threading.Timer(timeout, give_up)
        timer.daemon = True
        timer.start()
        try:
            self._process.stdin.write(request)
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if timed_out.is_set():
            raise WorkerError(f"{method} took more than {timeout:g} s, and was ended")
        if not line:
            raise WorkerError(f"the worker died in {method} (exit status {self._process.wait()}): {self._tail()}")
        try:
            answer = json.loads(line)
        except json.JSONDecodeError:
            raise WorkerError(f"{method} was answered by something other than JSON: {line[:200]!r}") from None
        if "error" in answer:
            self._log.write(answer["trace"].encode())
            raise WorkerError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        """End the worker: its input ends; if it does not leave within ten seconds it is killed."""
        try:
            self._process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
        self._log.close()

    def log(self) -> str:
        """What the worker has printed so far, and the traces of the errors it answered with."""
        self._log.flush()
        descriptor = self._log.fileno()
        return os.pread(descriptor, os.fstat(descriptor).st_size, 0).decode(errors="replace")

    def _tail(self) -> str:
        text = " ".join(self.log().split())
        return text[-LOG_TAIL:] if text else "it printed nothing"
