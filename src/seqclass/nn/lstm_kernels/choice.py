"""Which kernel runs when nobody asks for one. The rule follows measurements: see docs/speed.md."""

from typing import Literal

from seqclass.nn.lstm_kernels.arguments import LSTMArguments
from seqclass.nn.lstm_kernels.builtin import refusal

KernelName = Literal["reference", "builtin", "fused"]

# On a CPU, oneDNN's layer is one call where the fused pass makes seven for each step; below this many rows the
# calls cost more than the arithmetic.
_FEW_ROWS = 4


def choose_kernel(arguments: LSTMArguments) -> KernelName:
    """Name the kernel that is expected to be the fastest for these arguments."""
    if refusal(arguments) is not None:
        return "fused"
    if arguments.inputs.is_cuda:
        return "builtin"
    return "builtin" if arguments.inputs.shape[0] <= _FEW_ROWS else "fused"
