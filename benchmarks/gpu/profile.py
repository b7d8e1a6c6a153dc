"""Part ``profile``: the kernels of a training step of each stack, by time, and how long the device was busy."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks import notebook
from benchmarks.gpu import clock, rows
from benchmarks.gpu.models import batch, stack, training_step
from seqclass.nn import Kernel


def profiled(name: str, kernel: Kernel, ids: torch.Tensor, labels: torch.Tensor, *, tiny: bool) -> dict[str, Any]:
    """The kernels of a stack's training step, after some that libraries set themselves up in."""
    device = ids.device.type
    step = training_step(stack(name, kernel, device, tiny=tiny), ids, labels)
    for _ in range(1 if tiny else clock.WARM_UP):
        step()
    return clock.kernels(step, device)


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("profile")
    device, tiny = arguments.device, arguments.tiny
    ids, labels = batch(device, tiny=tiny)
    for name in notebook.STACKS[:1] if tiny else notebook.STACKS:
        for kernel in ("auto", "triton"):
            part.measure(f"{name}, {kernel}", lambda n=name, k=kernel: profiled(n, k, ids, labels, tiny=tiny))
    part.ended()


if __name__ == "__main__":
    main()
