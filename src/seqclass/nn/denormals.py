"""Flushes denormal numbers to zero on every CPU thread that computes.

A gradient that vanishes over 500 steps passes through the denormal range (below 1.2e-38 in float32), where a CPU
needs 5 to 60 times longer for each operation. `torch.set_flush_denormal` sets the flag of the *calling* thread
only. Worker threads inherit it when they are created, so it must be set before a thread's first parallel operation; a
matrix product on workers older than the flag still computes with denormals. This module sets the flag, checks whether
the workers have it, and replaces them if they do not. The OpenMP runtime of PyTorch 2.3 cannot replace its workers;
there, older workers keep computing with denormals.
"""

import ctypes
import threading
from pathlib import Path
from typing import Any

import torch

# OpenMP 5.0, `omp_pause_hard`: the runtime ends its worker threads; the next parallel region starts new ones.
_OMP_PAUSE_HARD = 2

_flushed = threading.local()


def flush_denormals() -> None:
    """Flush denormals on the calling thread and on the workers that compute for it.

    Cheap after the first call on a thread (it reads a thread-local), so every forward and backward pass and every
    optimizer step can call it, on whichever thread they run. Does nothing if the processor has no such mode.
    """
    threads = torch.get_num_threads()
    # With more threads than before, older workers may be in use that were never checked.
    if threads <= getattr(_flushed, "threads", 0):
        return
    if torch.set_flush_denormal(True) and not worker_threads_flush():
        _renew_worker_threads()
    _flushed.threads = threads


def flush_in_backward(result: torch.Tensor) -> torch.Tensor:
    """Return `result`; its backward pass first flushes denormals on the thread that runs it."""
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

    Each element of the product would be 6.4e-39. With 8 such matrices per thread or more, MKL gives every thread some;
    with 4, half of the threads get none.
    """
    tiny = torch.full((16 * torch.get_num_threads(), 64, 64), 1e-20)
    return not torch.bmm(tiny, tiny).any().item()


def _renew_worker_threads() -> None:
    """Make the OpenMP runtime replace its workers with new ones, which inherit the calling thread's flag."""
    for path in openmp_libraries():
        runtime = ctypes.CDLL(path)
        if hasattr(runtime, "omp_pause_resource_all"):
            runtime.omp_pause_resource_all(_OMP_PAUSE_HARD)


def openmp_libraries() -> set[str]:
    """List the OpenMP runtimes that this process has loaded (on Linux; elsewhere none are found)."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return set()
    files = {line.split(maxsplit=5)[5] for line in maps.read_text().splitlines() if line.count("/")}
    return {file for file in files if Path(file).name.startswith(("libgomp", "libiomp", "libomp"))}
