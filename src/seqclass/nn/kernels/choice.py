"""Which kernel `auto` is, and what each kernel cannot run. The choice follows measurements: see docs/speed.md."""

import functools
import logging
from typing import Literal

import torch

from seqclass.nn.kernels.arguments import CellArguments, LSTMArguments
from seqclass.nn.kernels.builtin import builtin_refusal
from seqclass.nn.kernels.compiled import compiled_refusal
from seqclass.nn.kernels.triton_pass import triton_refusal
from seqclass.nn.tensor_checks import is_fake

_log = logging.getLogger(__name__)

KernelName = Literal["reference", "builtin", "fused", "compiled", "triton"]

# Without the compiled kernel, oneDNN's layer is the faster one on a CPU up to this many rows per step: a training step
# takes 55 instead of 74 ms with 29 rows, but 181 instead of 126 ms with 64. Without a gradient the limit is higher.
_ROWS_IN_TRAINING = 40
_ROWS_IN_EVALUATION = 200


def choose_kernel(arguments: CellArguments) -> KernelName:
    """Return the name of the kernel that should be the fastest for these arguments.

    On a device where none has been tested (Apple's MPS, AMD's and Intel's GPUs, others) it is the plainest one: there
    PyTorch's own LSTM has been wrong before (pytorch#180744). Others have to be asked for by name.
    """
    inputs = arguments.inputs
    if inputs.is_cuda and torch.version.hip is None:
        return _choose_on_a_gpu(arguments)
    if inputs.device.type in ("cpu", "meta"):
        return _choose_on_a_cpu(arguments)
    faster = "fused" if isinstance(arguments, LSTMArguments) else "builtin"
    _report_untested(arguments.name, "rocm" if inputs.is_cuda else inputs.device.type, faster)
    return "reference"


def kernel_refusal(kernel: KernelName, arguments: CellArguments) -> str | None:
    """Why a kernel cannot run these arguments here; None if it can."""
    if kernel == "builtin":
        return builtin_refusal(
            arguments.recurrent_activation,
            gate_dropout=arguments.has_gate_dropout,
            masked_padding=arguments.has_masked_padding and isinstance(arguments, LSTMArguments),
        )
    if kernel == "compiled":
        return compiled_refusal(arguments)
    return triton_refusal(arguments) if kernel == "triton" else None


@functools.cache
def _report_fallback(cell: str, kernel: KernelName, reason: str) -> None:
    """Log once a process, for each reason, why a slower kernel runs than the one that is made for the hardware."""
    _log.warning("a slower %s kernel runs, since %r cannot run %s", cell, kernel, reason)


@functools.cache
def _report_untested(cell: str, device: str, faster: KernelName) -> None:
    """Log once a process and kind of device that no kernel is known to be right there."""
    _log.warning(
        "no %s kernel has been tested on %s: the plain, slow 'reference' runs; kernel=%r is faster, but compare its "
        "results first",
        cell,
        device,
        faster,
    )


def kernel_of_every_option(cell: type[CellArguments]) -> KernelName:
    """Name the fastest kernel of a cell that has every option on every device."""
    return "fused" if cell is LSTMArguments else "reference"


def _choose_on_a_gpu(arguments: CellArguments) -> KernelName:
    # Not `triton`, though it should be much faster: no GPU has run it yet, so it has to be asked for by name.
    return "builtin" if kernel_refusal("builtin", arguments) is None else kernel_of_every_option(type(arguments))


def _choose_on_a_cpu(arguments: CellArguments) -> KernelName:
    inputs = arguments.inputs
    if is_fake(inputs) or inputs.is_meta:
        return "reference"  # the others look at numbers: where denormals are flushed, and to plan their blocks
    reason = kernel_refusal("compiled", arguments)
    if reason is None:
        return "compiled"
    if inputs.device.type == "cpu" and inputs.dtype == torch.float32:
        _report_fallback(arguments.name, "compiled", reason)
    if kernel_refusal("builtin", arguments) is not None:
        return kernel_of_every_option(type(arguments))
    if isinstance(arguments, LSTMArguments) and not _suits_onednn(arguments):
        return "fused"
    return "builtin"


def _suits_onednn(arguments: LSTMArguments) -> bool:
    """Whether oneDNN's layer is faster than the fused pass, or has these numbers at all.

    It has none in float64: PyTorch would run single steps.
    """
    rows = _ROWS_IN_TRAINING if arguments.trains else _ROWS_IN_EVALUATION
    return arguments.inputs.dtype == torch.float32 and _rows_a_step(arguments) <= rows


def _rows_a_step(arguments: LSTMArguments) -> float:
    """Average the number of rows computed per step, not counting rows in their shared padding."""
    batch, steps, _ = arguments.inputs.shape
    if arguments.padding is None or steps == 0:
        return batch
    return batch - arguments.padding.counts.sum().item() / steps
