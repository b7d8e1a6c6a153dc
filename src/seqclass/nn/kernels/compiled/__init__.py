"""Our own pass in C, for CPUs: threads take rows through all steps without waiting for each other.

Called step by step from Python, a layer of this size spends half of its time on the calls and on threads that wait for
each other after each product. The pass in C has neither cost: see `recurrent.h`. It needs a C compiler, once
(`library.py`); without one `auto` uses the other kernels.

Under autocast to bfloat16 (Lightning's `bf16-mixed`) the factors of each product are rounded to it, forward and
backward; sums, states, cells and gradients stay float32. That takes a processor with AVX512_BF16 or AMX: elsewhere
everything is float32, which is logged once.
"""

import ctypes
import functools
import logging
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from seqclass.nn.autocast import casts_to_bfloat16
from seqclass.nn.kernels.arguments import CellArguments, GRUArguments, LSTMArguments
from seqclass.nn.kernels.buffers import Lease
from seqclass.nn.kernels.compiled.library import CompilerError, load_library
from seqclass.nn.kernels.reference import run_reference
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES
from seqclass.nn.tensor_checks import is_fake

_log = logging.getLogger(__name__)

# The codes of `recurrent.h` for arguments that lead outside their memory, which `CellArguments` should have found.
_REFUSED = {2: "of another layout", 3: "of wrong sizes", 4: "of wrong rows", 5: "without memory", 6: "of bfloat16"}

# The values of `cell` there.
_CELLS: dict[type[CellArguments], int] = {LSTMArguments: 0, GRUArguments: 1}


class _Pass(ctypes.Structure):
    """The struct `Pass` of `recurrent.h`, field by field."""

    _fields_ = (
        ("cell", ctypes.c_int64),
        *((name, ctypes.c_int64) for name in ("batch", "steps", "input_size", "hidden_size")),
        ("threads", ctypes.c_int64),
        ("shared_steps", ctypes.c_int64),
        ("bfloat16", ctypes.c_int64),
        ("slope", ctypes.c_float),
        *((name, ctypes.c_void_p) for name in ("order", "begins", "inputs", "weight", "masks", "trace")),
        *((name, ctypes.c_void_p) for name in ("last", "sequences", "d_last", "d_sequences")),
        *((name, ctypes.c_void_p) for name in ("d_inputs", "d_weight")),
    )


def compiled_refusal(arguments: CellArguments) -> str | None:
    """Why this kernel cannot run these arguments here; None if it can."""
    inputs = arguments.inputs
    if inputs.device.type != "cpu":
        return f"inputs on {inputs.device}: it is for CPUs"
    if is_fake(inputs):
        return "fake tensors: they have no memory"
    if inputs.dtype != torch.float32:
        return f"{inputs.dtype}: it is for float32"
    try:
        limit = load_library().seqclass_max_columns()
    except CompilerError as error:
        return f"anything here: {error}"
    if max(4 * arguments.hidden_size, arguments.weight_ih.shape[1] + 1 + arguments.hidden_size) > limit:
        sizes = f"hidden_size={arguments.hidden_size}, input_size={arguments.weight_ih.shape[1]}"
        return f"{sizes}: more than its scratch memory holds"
    return None


def run_compiled(arguments: CellArguments) -> torch.Tensor:
    """Run the layer in C, computing shared padding once.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    if 0 in arguments.inputs.shape[:2]:
        return run_reference(arguments)
    inputs = arguments.inputs
    batch, steps, _ = inputs.shape
    if arguments.padding is None:
        begins, order = torch.zeros(batch, dtype=torch.int64), torch.arange(batch)
    else:
        begins, order = arguments.padding.sorted_counts(steps)
    shared_steps = int(begins[-1]) if arguments.padding is not None and not arguments.has_masked_padding else 0
    weight = arguments.joint_weight()
    slope = HARD_SIGMOID_SLOPES.get(arguments.recurrent_activation, 0.0)
    plan = _Pass(
        cell=_CELLS[type(arguments)],
        batch=batch,
        steps=steps,
        input_size=inputs.shape[2],
        hidden_size=arguments.hidden_size,
        threads=min(torch.get_num_threads(), batch),
        shared_steps=shared_steps,
        bfloat16=_rounds_to_bfloat16(),
        slope=slope,
    )
    masks = arguments.joint_masks()
    return _CompiledPass.apply(
        inputs.contiguous(), weight, masks, order, begins, plan, arguments.trains, arguments.return_sequences
    )


def _rounds_to_bfloat16() -> bool:
    """Whether products are to be of bfloat16, and this processor has them."""
    if not casts_to_bfloat16("cpu"):
        return False
    if load_library().seqclass_has_bfloat16():
        return True
    _report_float32()
    return False


@functools.cache
def _report_float32() -> None:
    """Log once a process that autocast to bfloat16 is of no use to LSTM and GRU."""
    _log.warning(
        "LSTM and GRU run in float32 despite autocast to bfloat16: this processor, or the C compiler, has neither "
        "AVX512_BF16 nor AMX"
    )


class _CompiledPass(torch.autograd.Function):
    """Inputs, joint weight and masks, and the step at which each row begins -> last state, or all states."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        weight: torch.Tensor,
        masks: torch.Tensor | None,
        order: torch.Tensor,
        begins: torch.Tensor,
        plan: _Pass,
        keep: bool,
        return_sequences: bool,
    ) -> torch.Tensor:
        library = load_library()
        batch, steps, _ = inputs.shape
        hidden_size = weight.shape[0] // 4
        result = inputs.new_empty((batch, steps, hidden_size) if return_sequences else (batch, hidden_size))
        name = "sequences" if return_sequences else "last"
        tensors = {"order": order, "begins": begins, "inputs": inputs, "weight": weight, name: result}
        if masks is not None:
            tensors["masks"] = masks
        _point(plan, tensors)
        if keep:
            size = library.seqclass_trace_size(ctypes.byref(plan), ctypes.sizeof(plan))
            _check(min(size, 0))
            ctx.lease = Lease(size, inputs)
            ctx.trace = ctx.lease.cut(size)
            _point(plan, {"trace": ctx.trace})
            ctx.save_for_backward(inputs, weight, masks, order, begins)
            ctx.plan, ctx.gradient_name = plan, f"d_{name}"
        _check(library.seqclass_forward(ctypes.byref(plan), ctypes.sizeof(plan)))
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        inputs, weight, masks, order, begins = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        d_inputs, d_weight = torch.empty_like(inputs), torch.empty_like(weight)
        tensors = {"order": order, "begins": begins, "inputs": inputs, "weight": weight, "trace": ctx.trace}
        tensors |= {ctx.gradient_name: gradient, "d_inputs": d_inputs, "d_weight": d_weight}
        if masks is not None:
            tensors["masks"] = masks
        _point(ctx.plan, tensors)
        _check(load_library().seqclass_backward(ctypes.byref(ctx.plan), ctypes.sizeof(ctx.plan)))
        return d_inputs, d_weight, None, None, None, None, None, None


def _point(plan: _Pass, tensors: dict[str, torch.Tensor]) -> None:
    """Point fields of the pass at the memory of these tensors, which the caller has to keep alive."""
    for name, tensor in tensors.items():
        setattr(plan, name, tensor.data_ptr())


def _check(status: int) -> None:
    """Raise what a status of `recurrent.h` means; a trace's size gives it with a minus."""
    status = abs(status)
    if status == 1:
        raise MemoryError("the compiled kernel got no memory for its scratch")
    if status != 0:
        raise RuntimeError(f"the compiled kernel refuses its arguments as {_REFUSED[status]}: a bug of seqclass")
