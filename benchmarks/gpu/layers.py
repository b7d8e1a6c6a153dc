"""Part ``layers``: one LSTM layer, forward and backward, and what the profiler says that it ran.

`nn.LSTM` is measured as people call it, with a padded batch and with a packed one: packing leaves cuDNN's persistent
kernel for small layers. The widths around its limits are there because it is known to be slow near them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from benchmarks.gpu import clock, rows
from benchmarks.gpu.problems import NAMES, Problem, autocast, tf32
from seqclass.nn import Kernel
from seqclass.nn.kernels import LSTMArguments, run_kernel

NOTEBOOK = Problem(64, 500)
SEGMENTS = Problem(640, 50, return_sequences=True)
TINY = Problem(2, 2, 3, 6)
WIDTHS = (96, 100, 112, 128, 129, 144, 152, 160, 168, 176, 192, 193)
"""cuDNN's persistent kernel for small layers: up to 192 units forward and 128 backward (PyTorch's RNN.cpp); 152 to 168
units with 44 rows or more were 2.9 to 5.2 times slower forward in 2021 (PyTorch, pull request 62143)."""


def ours(problem: Problem, kernel: Kernel, device: str, *, backward: bool = True) -> Callable[[], object]:
    """A pass of one of this project's kernels."""
    given = problem.tensors(device)
    arguments = LSTMArguments(**given)
    sources = [given[name] for name in NAMES[1:]]

    def run() -> None:
        with torch.set_grad_enabled(backward):
            state = run_kernel(arguments, kernel)
        if backward:
            torch.autograd.grad(state.sum(), sources)

    return run


def torchs(problem: Problem, device: str, *, packed: bool) -> Callable[[], object]:
    """A pass of `nn.LSTM`, over the padded batch or over rows packed to a half of their steps in the mean."""
    torch.manual_seed(0)
    layer = nn.LSTM(problem.input_size, problem.hidden_size, batch_first=True).to(device)
    inputs = problem.tensors(device)["inputs"]
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, problem.steps + 1, (problem.batch,), generator=generator)

    def run() -> None:
        x = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False) if packed else inputs
        _, (state, _) = layer(x)
        torch.autograd.grad(state.sum(), [inputs, *layer.parameters()])

    return run


def measured(run: Callable[[], object], device: str, *, tiny: bool) -> dict[str, Any]:
    """The time of a pass, and its kernels."""
    return {**clock.milliseconds(run, device, tiny=tiny), **clock.kernels(run, device)}


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("layers")
    device, tiny = arguments.device, arguments.tiny

    def add(name: str, make: Callable[[], Callable[[], object]], precision: str = "float32") -> None:
        def in_precision() -> dict[str, Any]:
            half = precision if precision == "bfloat16" else "float32"
            with tf32(precision == "tf32"), autocast(device, half):
                return measured(make(), device, tiny=tiny)

        part.measure(name, in_precision, precision=precision)

    for size, problem in (("tiny", TINY),) if tiny else (("notebook", NOTEBOOK), ("segments", SEGMENTS)):
        add(f"{size}, nn.LSTM, padded", lambda p=problem: torchs(p, device, packed=False))
        add(f"{size}, nn.LSTM, packed", lambda p=problem: torchs(p, device, packed=True))
        for precision in ("float32", "tf32", "bfloat16"):
            add(f"{size}, builtin", lambda p=problem: ours(p, "builtin", device), precision)
            add(f"{size}, triton", lambda p=problem: ours(p, "triton", device), precision)
        add(f"{size}, builtin, evaluation", lambda p=problem: ours(p, "builtin", device, backward=False))
        add(f"{size}, triton, evaluation", lambda p=problem: ours(p, "triton", device, backward=False))
        masked = replace(problem, gate_dropout=True)
        add(f"{size}, triton, gate masks", lambda p=masked: ours(p, "triton", device))
        add(f"{size}, fused, gate masks", lambda p=masked: ours(p, "fused", device))
    for width in WIDTHS[:1] if tiny else WIDTHS:
        problem = replace(TINY if tiny else NOTEBOOK, hidden_size=width)
        add(f"{width} units, builtin", lambda p=problem: ours(p, "builtin", device))
        add(f"{width} units, builtin, evaluation", lambda p=problem: ours(p, "builtin", device, backward=False))
    if device == "cpu":
        part.skip("kernel names", "the profiler's CUDA activity: no GPU; the rows above name operators")
    part.ended()


if __name__ == "__main__":
    main()
