"""Times a function on a device, and names the kernels that it launches."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.statistics import quartiles
from benchmarks.timer import Laps

WARM_UP = 3
SAMPLES = 20
SECONDS = 2.0
"""A slow function gets fewer samples, at least three."""
SHOWN_KERNELS = 12
LONGEST_NAME = 120


def milliseconds(run: Callable[[], object], device: str, *, tiny: bool = False) -> dict[str, float]:
    """The median and the quartiles of a function's time, by device events; the most memory it holds, in MiB."""
    for _ in range(0 if tiny else WARM_UP):
        run()
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    samples: list[float] = []
    while len(samples) < (1 if tiny else SAMPLES):
        laps = Laps(device)
        laps.start()
        run()
        laps.lap()
        samples += laps.milliseconds()
        if len(samples) >= 3 and time.perf_counter() - began > SECONDS:
            break
    found = quartiles(samples)
    figures = {"ms": found.median, "low_ms": found.low, "high_ms": found.high}
    if device == "cuda":
        figures["peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
    return figures


def kernels(run: Callable[[], object], device: str) -> dict[str, Any]:
    """What a function launches that has run before: names, which say which of cuDNN's ways ran, counts and times."""
    cuda = device == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]
    with profile(activities=activities) as profiled:
        began = time.perf_counter()
        run()
        if cuda:
            torch.cuda.synchronize()
        wall = 1e3 * (time.perf_counter() - began)
    milliseconds_of: Counter[str] = Counter()
    launches: Counter[str] = Counter()
    wanted = torch.autograd.DeviceType.CUDA if cuda else torch.autograd.DeviceType.CPU
    for event in profiled.events():
        # An optimizer's step is marked as a whole, beside the kernels in it.
        if event.device_type == wanted and "#" not in event.name:
            name = event.name[:LONGEST_NAME]
            launches[name] += 1
            milliseconds_of[name] += (event.time_range.elapsed_us() if cuda else event.self_cpu_time_total) / 1e3
    return {
        "wall_ms": wall,
        "busy_ms": sum(milliseconds_of.values()),
        "launches": sum(launches.values()),
        "kernels": [
            {"name": name, "ms": spent, "launches": launches[name]}
            for name, spent in milliseconds_of.most_common(SHOWN_KERNELS)
        ],
    }
