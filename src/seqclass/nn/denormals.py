"""Denormal numbers are flushed to zero on every CPU thread that computes.

A gradient that vanishes over 500 steps passes through the denormal range (below 1.2e-38 in float32), where a CPU
needs 5 to 60 times longer for each operation. `torch.set_flush_denormal` sets the flag of the *calling* thread
only. Worker threads inherit it when they are created, so it has to be set before a thread's first parallel
operation; a matrix product on workers that are older than the flag still computes with denormals. This module sets
the flag, looks whether the workers obey, and renews them if they do not. The OpenMP runtime that came with PyTorch 2.3
cannot renew its workers; there those that are older than the flag go on as they were.
"""

import ctypes
import threading
from pathlib import Path
from typing import Any

import torch

# OpenMP 5.0, `omp_pause_hard`: the runtime gives up its worker threads; the next parallel region creates new ones.
_OMP_PAUSE_HARD = 2

_flushed = threading.local()


def flush_denormals() -> None:
    """Flush denormals on the calling thread and on the workers that compute for it.

    Cheap after the first call on a thread (a look at a thread-local), so each forward and each backward pass, and
    each step of the optimizer, can call it, whichever thread they run on. Does nothing where the processor has no
    such mode.
    """
    threads = torch.get_num_threads()
    # With more threads than before, older workers may have come back that nobody has looked at.
    if threads <= getattr(_flushed, "threads", 0):
        return
    if torch.set_flush_denormal(True) and not worker_threads_flush():
        _renew_worker_threads()
    _flushed.threads = threads


def flush_in_backward(result: torch.Tensor) -> torch.Tensor:
    """The identity, whose backward pass flushes denormals on the thread that then runs that of what made `result`."""
    flushed: torch.Tensor = _FlushInBackward.apply(result)
    return flushed


class _FlushInBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, result: torch.Tensor) -> torch.Tensor:
        return result.view_as(result)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (gradient,) = gradients
        if gradient.device.type == "cpu":
            flush_denormals()
        return gradient


def worker_threads_flush() -> bool:
    """Whether a matrix product that is spread over the worker threads gives no denormal numbers.

    Each element of the product would be 6.4e-39. MKL gives every thread a part from 8 such matrices a thread on; of
    4 a thread, half of the threads get none.
    """
    tiny = torch.full((16 * torch.get_num_threads(), 64, 64), 1e-20)
    return not torch.bmm(tiny, tiny).any().item()


def _renew_worker_threads() -> None:
    """Let the OpenMP runtime replace its workers by new ones, which inherit the calling thread's flag."""
    for path in openmp_libraries():
        runtime = ctypes.CDLL(path)
        if hasattr(runtime, "omp_pause_resource_all"):
            runtime.omp_pause_resource_all(_OMP_PAUSE_HARD)


def openmp_libraries() -> set[str]:
    """The files of the OpenMP runtimes that this process has loaded (Linux; elsewhere none are found)."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return set()
    files = {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if line.count("/")}
    return {file for file in files if Path(file).name.startswith(("libgomp", "libiomp", "libomp"))}
