"""The ways to run an LSTM layer; they compute the same function, and differ in speed and in what they can do.

| kernel | runs | for |
|---|---|---|
| `reference` | one step after the other, under autograd | a check of the others; every option; slow |
| `builtin` | PyTorch's own layer: cuDNN on a GPU, oneDNN on a CPU | the plain LSTM with the sigmoid |
| `fused` | our own pass, its gradient written by hand | every option |
| `compiled` | the same in C | every option in float32 on a CPU that has a C compiler |
| `triton` | the same in one launch each way | every option in float32 on a CUDA device |

Each takes `LSTMArguments` and returns the state after the last step, (batch, hidden_size). `choice.py` alone knows
which of them is taken when nobody asks for one.
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch

from seqclass.nn.lstm_kernels.arguments import (
    RECURRENT_ACTIVATIONS,
    LSTMArguments,
    RecurrentActivation,
)
from seqclass.nn.lstm_kernels.builtin import builtin_lstm, builtin_refuses
from seqclass.nn.lstm_kernels.choice import KernelName, choose_kernel
from seqclass.nn.lstm_kernels.compiled import compiled_lstm
from seqclass.nn.lstm_kernels.fused import fused_lstm
from seqclass.nn.lstm_kernels.reference import reference_lstm
from seqclass.nn.lstm_kernels.triton_pass import triton_lstm

Kernel = Literal["auto", "reference", "builtin", "fused", "compiled", "triton"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

_RUN: dict[KernelName, Callable[[LSTMArguments], torch.Tensor]] = {
    "reference": reference_lstm,
    "builtin": builtin_lstm,
    "fused": fused_lstm,
    "compiled": compiled_lstm,
    "triton": triton_lstm,
}


def run_lstm(arguments: LSTMArguments, kernel: Kernel = "auto") -> torch.Tensor:
    """Run the layer by the kernel of that name, or by the one that was measured to be the fastest.

    Returns:
        (batch, hidden_size), the state after the last step.

    Raises:
        ValueError: the named kernel cannot do what the arguments ask for.
    """
    return _RUN[choose_kernel(arguments) if kernel == "auto" else kernel](arguments)


__all__ = [
    "KERNELS",
    "RECURRENT_ACTIVATIONS",
    "Kernel",
    "LSTMArguments",
    "RecurrentActivation",
    "builtin_refuses",
    "run_lstm",
]
