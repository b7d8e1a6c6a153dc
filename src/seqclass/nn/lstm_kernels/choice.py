"""Which kernel runs when nobody asks for one. The rule follows measurements: see docs/speed.md."""

from typing import Literal

import torch

from seqclass.nn.lstm_kernels.arguments import LSTMArguments
from seqclass.nn.lstm_kernels.builtin import builtin_refusal
from seqclass.nn.lstm_kernels.compiled import compiled_refusal

KernelName = Literal["reference", "builtin", "fused", "compiled", "triton"]

# Without a compiled kernel. Up to this many rows a step, oneDNN's layer is the faster one on a CPU: a training step
# takes 55 instead of 74 ms with 29 rows, but 181 instead of 126 ms with 64. Without a gradient its reach is longer.
_ROWS_IN_TRAINING = 40
_ROWS_IN_EVALUATION = 200


def choose_kernel(arguments: LSTMArguments) -> KernelName:
    """Name the kernel that is expected to be the fastest for these arguments."""
    return _choose_on_a_gpu(arguments) if arguments.inputs.is_cuda else _choose_on_a_cpu(arguments)


def _choose_on_a_gpu(arguments: LSTMArguments) -> KernelName:
    # Not `triton`, though it should be the faster one by far: no GPU has run it yet, so it is there by name alone.
    return "builtin" if builtin_refusal(arguments) is None else "fused"


def _choose_on_a_cpu(arguments: LSTMArguments) -> KernelName:
    if compiled_refusal(arguments) is None:
        return "compiled"
    # oneDNN has no layer in float64; PyTorch would run one step after the other.
    if builtin_refusal(arguments) is not None or arguments.inputs.dtype != torch.float32:
        return "fused"
    trains = torch.is_grad_enabled() and (arguments.inputs.requires_grad or arguments.weight_hh.requires_grad)
    return "builtin" if _rows_a_step(arguments) <= (_ROWS_IN_TRAINING if trains else _ROWS_IN_EVALUATION) else "fused"


def _rows_a_step(arguments: LSTMArguments) -> float:
    """How many rows are computed at a step in the mean, where rows in their shared padding count as none."""
    batch, steps, _ = arguments.inputs.shape
    if arguments.padding is None or steps == 0:
        return batch
    return batch - arguments.padding.counts.sum().item() / steps
