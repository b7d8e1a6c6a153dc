"""Part ``graphs``: a training step as it is, as a CUDA graph, and with `torch.compile` around the LSTM."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks import notebook
from benchmarks.gpu import clock, rows
from benchmarks.gpu.models import Step, batch, compiled_step, graphed_step, stack, training_step
from seqclass.models import Stack
from seqclass.nn import Kernel

Make = Callable[[Stack, torch.Tensor, torch.Tensor], Step]


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("graphs")
    device, tiny = arguments.device, arguments.tiny
    # Inductor takes half a minute on a CPU; the way there is the same with the other backend.
    backend = "eager" if tiny else "inductor"
    ways: dict[str, Make] = {
        "as it is": training_step,
        "CUDA graph": graphed_step,
        "torch.compile": lambda model, ids, labels: compiled_step(model, ids, labels, backend=backend),
    }
    ids, labels = batch(device, tiny=tiny)
    kernels: tuple[Kernel, ...] = ("auto", "triton")
    # The recorder's turn first: torch.compile takes the longest, and its last rows may be left out.
    for way, make in ways.items():
        for name in notebook.STACKS[:1] if tiny else notebook.STACKS:
            for kernel in kernels:
                part.measure(
                    f"{name}, {kernel}",
                    lambda n=name, k=kernel, m=make: clock.milliseconds(
                        m(stack(n, k, device, tiny=tiny), ids, labels), device, tiny=tiny
                    ),
                    way=way,
                )
    if device == "cpu":
        part.skip("recording", "torch.cuda.graph: no GPU; the rows above repeat the step instead", way="CUDA graph")
    part.ended()


if __name__ == "__main__":
    main()
