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

from seqclass.nn.kernels.arguments import CellArguments, GRUArguments, LSTMArguments
from seqclass.nn.kernels.builtin import builtin_refusal, run_builtin
from seqclass.nn.kernels.choice import KernelName, choose_kernel, kernel_of_every_option, kernel_refusal
from seqclass.nn.kernels.compiled import run_compiled
from seqclass.nn.kernels.fused import fused_lstm
from seqclass.nn.kernels.reference import run_reference
from seqclass.nn.kernels.triton_pass import triton_lstm
from seqclass.nn.recurrent_activations import RecurrentActivation

Kernel = Literal["auto", "reference", "builtin", "fused", "compiled", "triton"]
KERNELS: tuple[Kernel, ...] = get_args(Kernel)

_OF_EVERY_CELL: dict[KernelName, Callable[[CellArguments], torch.Tensor]] = {
    "reference": run_reference,
    "builtin": run_builtin,
    "compiled": run_compiled,
}
_OF_THE_LSTM: dict[KernelName, Callable[[LSTMArguments], torch.Tensor]] = {"fused": fused_lstm, "triton": triton_lstm}


def kernels_of(cell: type[CellArguments]) -> tuple[Kernel, ...]:
    """Name the kernels that a cell has, `auto` among them."""
    return tuple(name for name in KERNELS if cell is LSTMArguments or name not in _OF_THE_LSTM)


def check_kernel(
    cell: type[CellArguments], kernel: Kernel, recurrent_activation: RecurrentActivation, *, gate_dropout: bool
) -> None:
    """Check that a kernel is one of this cell, and has these options.

    Raises:
        ValueError: it is not, or has them not.
    """
    _check_has(cell, kernel)
    if kernel == "builtin":
        _raise_refusal(kernel, cell, builtin_refusal(recurrent_activation, gate_dropout=gate_dropout))


def run_kernel(arguments: CellArguments, kernel: Kernel = "auto") -> torch.Tensor:
    """Run the layer with the kernel of this name, or with the one that was measured to be the fastest.

    Returns:
        The state after the last step, (batch, hidden_size), or all of them, (batch, steps, hidden_size).

    Raises:
        ValueError: the named kernel is not for this cell, or cannot run these arguments.
    """
    if kernel == "auto":
        kernel = choose_kernel(arguments)
    else:
        _check_has(type(arguments), kernel)
        _raise_refusal(kernel, type(arguments), kernel_refusal(kernel, arguments))
    if isinstance(arguments, LSTMArguments) and kernel in _OF_THE_LSTM:
        return _OF_THE_LSTM[kernel](arguments)
    return _OF_EVERY_CELL[kernel](arguments)


def _check_has(cell: type[CellArguments], kernel: Kernel) -> None:
    if kernel not in kernels_of(cell):
        raise ValueError(
            f"kernel={kernel!r} is for the LSTM: for a {cell.name} it must be one of {', '.join(kernels_of(cell))}"
        )


def _raise_refusal(kernel: Kernel, cell: type[CellArguments], reason: str | None) -> None:
    if reason is not None:
        raise ValueError(f"kernel={kernel!r} cannot run {reason}; use {kernel_of_every_option(cell)!r} or 'auto'")


__all__ = [
    "KERNELS",
    "CellArguments",
    "GRUArguments",
    "Kernel",
    "LSTMArguments",
    "builtin_refusal",
    "check_kernel",
    "kernels_of",
    "run_kernel",
]
