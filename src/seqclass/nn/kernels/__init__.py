"""The implementations of an LSTM and of a GRU layer: the same function, at different speeds and with different options.

| kernel | runs | for |
|---|---|---|
| `reference` | one step after the other, under autograd | every option; slow, a check of the others |
| `builtin` | PyTorch's own layer: cuDNN on a GPU, oneDNN (LSTM) or ATen (GRU) on a CPU | sigmoid, no gate dropout |
| `fused` | our own pass, with a hand-written gradient | an LSTM with every option |
| `compiled` | the same in C | every option, in float32 or with products of bfloat16, on a CPU, with a C compiler |
| `triton` | the same in one launch each way | an LSTM with every option, in float32 on a CUDA device |

Each takes the arguments of its cell and returns the state after the last step, (batch, hidden_size), or all states,
(batch, steps, hidden_size), if the arguments ask for sequences. `choice.py` alone decides which of them `auto` is.
"""

from collections.abc import Callable
from typing import Literal, get_args

import torch

from seqclass.nn.kernels.arguments import GRUArguments, LSTMArguments
from seqclass.nn.kernels.builtin import builtin_gru, builtin_lstm, builtin_refusal
from seqclass.nn.kernels.choice import KernelName, choose_kernel, kernel_refusal
from seqclass.nn.kernels.compiled import compiled_gru, compiled_lstm
from seqclass.nn.kernels.fused import fused_lstm
from seqclass.nn.kernels.reference import reference_gru, reference_lstm
from seqclass.nn.kernels.triton_pass import triton_lstm

Kernel = Literal["auto", "reference", "builtin", "fused", "compiled", "triton"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

_RUN_LSTM: dict[KernelName, Callable[[LSTMArguments], torch.Tensor]] = {
    "reference": reference_lstm,
    "builtin": builtin_lstm,
    "fused": fused_lstm,
    "compiled": compiled_lstm,
    "triton": triton_lstm,
}
_RUN_GRU: dict[KernelName, Callable[[GRUArguments], torch.Tensor]] = {
    "reference": reference_gru,
    "builtin": builtin_gru,
    "compiled": compiled_gru,
}
GRU_KERNELS: tuple[Kernel, ...] = ("auto", *_RUN_GRU)


def check_gru_kernel(kernel: Kernel) -> None:
    """Check that a GRU has the kernel.

    Raises:
        ValueError: it is for the LSTM alone.
    """
    if kernel not in GRU_KERNELS:
        raise ValueError(f"kernel={kernel!r} is for the LSTM: for a GRU it must be one of {', '.join(GRU_KERNELS)}")


def run_lstm(arguments: LSTMArguments, kernel: Kernel = "auto") -> torch.Tensor:
    """Run the layer with the kernel of this name, or with the one that was measured to be the fastest.

    Returns:
        The state after the last step, (batch, hidden_size), or all of them, (batch, steps, hidden_size).

    Raises:
        ValueError: the named kernel cannot run these arguments.
    """
    if kernel == "auto":
        return _RUN_LSTM[choose_kernel(arguments)](arguments)
    if (reason := kernel_refusal(kernel, arguments)) is not None:
        raise ValueError(f"kernel={kernel!r} cannot run {reason}; use 'fused' or 'auto'")
    return _RUN_LSTM[kernel](arguments)


def run_gru(arguments: GRUArguments, kernel: Kernel = "auto") -> torch.Tensor:
    """Run the layer with the kernel of this name, one of `GRU_KERNELS`, or with the fastest.

    Returns:
        The state after the last step, (batch, hidden_size), or all of them, (batch, steps, hidden_size).

    Raises:
        ValueError: the named kernel is not for a GRU, or cannot run these arguments.
    """
    if kernel == "auto":
        return _RUN_GRU[choose_kernel(arguments)](arguments)
    check_gru_kernel(kernel)
    if (reason := kernel_refusal(kernel, arguments)) is not None:
        raise ValueError(f"kernel={kernel!r} cannot run {reason}; use 'reference' or 'auto'")
    return _RUN_GRU[kernel](arguments)


__all__ = [
    "KERNELS",
    "GRUArguments",
    "Kernel",
    "LSTMArguments",
    "builtin_refusal",
    "check_gru_kernel",
    "run_gru",
    "run_lstm",
]
