"""Which kernel runs when nobody asks for one. The rule follows measurements: see docs/speed.md."""

from typing import Literal

import torch

from seqclass.nn.lstm_kernels.arguments import LSTMArguments
from seqclass.nn.lstm_kernels.builtin import refusal
from seqclass.nn.lstm_kernels.compiled import compiled_refusal

KernelName = Literal["reference", "builtin", "fused", "compiled"]

# Without a compiled kernel. Up to this many rows a step, oneDNN's layer is the faster one on a CPU: a training step
# takes 55 instead of 74 ms with 29 rows, but 181 instead of 126 ms with 64. Without a gradient its reach is longer.
_ROWS_IN_TRAINING = 40
_ROWS_IN_EVALUATION = 200


def choose_kernel(arguments: LSTMArguments) -> KernelName:
    """Name the kernel that is expected to be the fastest for these arguments."""
    inputs = arguments.inputs
    if compiled_refusal(arguments) is None:
        return "compiled"
    if refusal(arguments) is not None:
        return "fused"
    if inputs.is_cuda:
        return "builtin"
    if inputs.dtype != torch.float32:
        # oneDNN has no such layer; PyTorch would run one step after the other.
        return "fused"
    trains = torch.is_grad_enabled() and (inputs.requires_grad or arguments.weight_hh.requires_grad)
    return "builtin" if _rows_a_step(arguments) <= (_ROWS_IN_TRAINING if trains else _ROWS_IN_EVALUATION) else "fused"


def _rows_a_step(arguments: LSTMArguments) -> float:
    """How many rows are computed at a step in the mean, where rows in their shared padding count as none."""
    batch, steps, _ = arguments.inputs.shape
    if arguments.padding is None or steps == 0:
        return batch
    return batch - arguments.padding.counts.sum().item() / steps
