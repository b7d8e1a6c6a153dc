"""The implementations of an LSTM layer: the same function, at different speeds and with different options.

| kernel | runs | for |
|---|---|---|
| `reference` | one step after the other, under autograd | every option; slow, a check of the others |
| `builtin` | PyTorch's own layer: cuDNN on a GPU, oneDNN on a CPU | the plain LSTM with the sigmoid |
| `fused` | our own pass, with a hand-written gradient | every option |
| `compiled` | the same in C | every option, in float32 or with products of bfloat16, on a CPU, with a C compiler |
| `triton` | the same in one launch each way | every option, in float32 on a CUDA device |

Each takes `LSTMArguments` and returns the state after the last step, (batch, hidden_size), or all states, (batch,
steps, hidden_size), if the arguments ask for sequences. `choice.py` alone decides which of them `auto` is.
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch

from seqclass.nn.kernels.arguments import LSTMArguments, check_gates
from seqclass.nn.kernels.builtin import builtin_lstm, builtin_refusal
from seqclass.nn.kernels.choice import KernelName, choose_kernel, kernel_refusal
from seqclass.nn.kernels.compiled import compiled_lstm
from seqclass.nn.kernels.fused import fused_lstm
from seqclass.nn.kernels.reference import reference_lstm
from seqclass.nn.kernels.triton_pass import triton_lstm

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
    """Run the layer with the kernel of this name, or with the one that was measured to be the fastest.

    Returns:
        The state after the last step, (batch, hidden_size), or all of them, (batch, steps, hidden_size).

    Raises:
        ValueError: the named kernel cannot run these arguments.
    """
    if kernel == "auto":
        return _RUN[choose_kernel(arguments)](arguments)
    if (reason := kernel_refusal(kernel, arguments)) is not None:
        raise ValueError(f"kernel={kernel!r} cannot run {reason}; use 'fused' or 'auto'")
    return _RUN[kernel](arguments)


__all__ = [
    "KERNELS",
    "Kernel",
    "LSTMArguments",
    "builtin_refusal",
    "check_gates",
    "run_lstm",
]
