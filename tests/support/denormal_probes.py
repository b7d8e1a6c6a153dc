"""Run as a script, in a process of its own: `python denormal_probes.py KERNEL THREADS`.

Whether denormals are flushed is a flag of each thread, set for good, so each run needs fresh threads. Prints, as JSON,
what share of the results of large operations is denormal at each moment; or what this machine lacks.
"""

import ctypes
import json
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

import torch

from seqclass.nn import LSTM, Kernel, LeadingPadding
from seqclass.nn.denormals import openmp_libraries

Result = TypeVar("Result")


def share_of_denormals() -> dict[str, float]:
    """Operations large enough for every thread to get a part; each element of a result would be 6.4e-39 or less."""
    tiny = torch.full((1024, 64), 1e-20)
    elements = torch.full((1 << 20,), 1e-20)
    results = {
        "matrix product": tiny @ tiny.t(),
        "batch of products": torch.bmm(tiny.view(16, 64, 64), tiny.view(16, 64, 64)),
        "elements": elements * elements,
    }
    return {name: result.ne(0).float().mean().item() for name, result in results.items()}


def start_workers() -> None:
    share_of_denormals()


def on_new_thread(work: Callable[[], Result], threads: int) -> Result:
    """Run `work` on a thread that does not flush, nor do its workers, and return what it returns."""
    results: list[Result] = []

    def run() -> None:
        torch.set_flush_denormal(False)  # a thread begins with the flag of the one that started it
        torch.set_num_threads(threads)
        results.append(work())

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def main(kernel: Kernel, threads: int) -> dict[str, dict[str, float]] | str:
    if not torch.set_flush_denormal(True):
        return "a processor that can flush denormals"
    if not any(hasattr(ctypes.CDLL(path), "omp_pause_resource_all") for path in openmp_libraries()):
        return "an OpenMP runtime that can renew its threads, as PyTorch 2.3 does"
    torch.set_flush_denormal(False)
    torch.set_num_threads(threads)
    layer = LSTM(3, 4, kernel=kernel)
    padding = LeadingPadding(torch.arange(8))
    inputs = torch.randn(8, 30, 3)
    moments = {}

    start_workers()
    moments["before"] = share_of_denormals()
    torch.set_flush_denormal(True)
    moments["flag of the main thread only"] = share_of_denormals()
    torch.set_flush_denormal(False)

    layer(inputs, padding)
    moments["main thread, after forward"] = share_of_denormals()

    def backward_only() -> dict[str, dict[str, float]]:
        before = share_of_denormals()
        loss.backward()
        return {"thread, before backward": before, "thread, after backward": share_of_denormals()}

    def forward_only() -> dict[str, dict[str, float]]:
        before = share_of_denormals()
        with torch.no_grad():
            layer(inputs, padding)
        return {"thread, before forward": before, "thread, after forward": share_of_denormals()}

    def old_workers() -> dict[str, dict[str, float]]:
        # They stay, idle and without the flag, while there is one thread.
        start_workers()
        torch.set_num_threads(1)
        layer(inputs, padding)
        torch.set_num_threads(threads)
        layer(inputs, padding)
        return {"thread, with old workers": share_of_denormals()}

    loss = layer(inputs, padding).sum()
    moments |= on_new_thread(backward_only, threads)
    moments |= on_new_thread(forward_only, threads)
    moments |= on_new_thread(old_workers, threads)
    moments["main thread, at the end"] = share_of_denormals()
    torch.set_num_threads(2 * threads)
    moments["main thread, with new workers"] = share_of_denormals()
    return moments


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))  # type: ignore[arg-type]
