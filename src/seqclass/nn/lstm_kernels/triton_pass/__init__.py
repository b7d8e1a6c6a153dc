"""Our own pass for GPUs, in Triton: one launch forward and one backward, where operations by themselves take thousands.

For what cuDNN does not have: dropout in the gates, the hard sigmoids, masked padding. What the inputs give to the gates
is one product for all steps, before the launch and under autograd; the pass is the recurrence alone. All rows are run:
on a GPU a step waits for the one before it, not for its rows.

Triton comes with PyTorch's CUDA builds. With `TRITON_INTERPRET=1` in the environment its interpreter runs the same
programs on a CPU, slowly: that is how they are tested where no GPU is.
"""

import importlib.util
import os
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from seqclass.nn.lstm_kernels.arguments import LSTMArguments
from seqclass.nn.lstm_kernels.reference import reference_lstm
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES

# The smallest tile of a matrix product; a batch of 64 rows occupies four multiprocessors.
_ROWS = 16
_MAX_UNITS = 128
# Of 4, 8 and 16 warps, blocks of 16, 32 and 64 units and 1 to 3 stages, these are the ones with which sm_90's 255
# registers hold everything (0 and 24 bytes spilled, where others spill up to 5 KB).
_BLOCK = 16
_WARPS = 8
_STAGES = 1


def triton_refusal(arguments: LSTMArguments) -> str | None:
    """Why this kernel cannot run these arguments here; None if it can."""
    inputs = arguments.inputs
    if importlib.util.find_spec("triton") is None:
        return "anything here: the package triton is not installed"
    import triton

    if not hasattr(triton.language, "cast"):  # PyTorch 2.3 brings 2.3
        return f"anything here: triton {triton.__version__} is too old, 3.0 is needed"
    if not inputs.is_cuda and os.environ.get("TRITON_INTERPRET") != "1":
        return f"inputs on {inputs.device}: it is for CUDA devices"
    if inputs.dtype != torch.float32:
        return f"{inputs.dtype}: it is for float32"
    if arguments.hidden_size > _MAX_UNITS:
        return f"hidden_size={arguments.hidden_size}: it has registers for {_MAX_UNITS}"
    return None


def triton_lstm(arguments: LSTMArguments) -> torch.Tensor:
    """Run the layer with one launch.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs, hidden_size = arguments.inputs, arguments.hidden_size
    batch = inputs.shape[0]
    if batch == 0:
        return reference_lstm(arguments)
    if arguments.padding is not None and arguments.padding.masked:
        begins = arguments.padding.counts.to(inputs.device)
    else:
        begins = torch.zeros(batch, dtype=torch.int64, device=inputs.device)
    slope = HARD_SIGMOID_SLOPES.get(arguments.recurrent_activation)
    weight = arguments.weight_hh.view(4, hidden_size, hidden_size)
    return _TritonLSTM.apply(
        _project(arguments), weight, arguments.recurrent_masks, begins, slope, arguments.return_sequences
    )


def _project(arguments: LSTMArguments) -> torch.Tensor:
    """Return what the inputs and the bias give to each gate at each step, (4, batch, steps, hidden_size)."""
    inputs, hidden_size = arguments.inputs, arguments.hidden_size
    batch, steps, input_size = inputs.shape
    if arguments.input_masks is None:
        projected = torch.nn.functional.linear(inputs, arguments.weight_ih, arguments.bias)
        return projected.view(batch, steps, 4, hidden_size).permute(2, 0, 1, 3)
    masked = inputs * arguments.input_masks.unsqueeze(2)
    weight = arguments.weight_ih.view(4, hidden_size, input_size).transpose(1, 2)
    bias = arguments.bias.view(4, 1, hidden_size)
    return torch.baddbmm(bias, masked.flatten(1, 2), weight).view(4, batch, steps, hidden_size)


class _TritonLSTM(torch.autograd.Function):
    """Projected inputs, (4, batch, steps, H), recurrent weight, (4, H, H), and masks -> last state, or all states."""

    @staticmethod
    def forward(
        ctx: Any,
        projected: torch.Tensor,
        weight: torch.Tensor,
        masks: torch.Tensor | None,
        begins: torch.Tensor,
        slope: float | None,
        return_sequences: bool,
    ) -> torch.Tensor:
        from seqclass.nn.lstm_kernels.triton_pass import programs

        _, batch, steps, hidden_size = projected.shape
        weight = weight.contiguous()
        masks = None if masks is None else masks.contiguous()
        gates = projected.new_empty(4, batch, steps, hidden_size)
        cells = projected.new_zeros(batch, steps + 1, hidden_size)
        states = projected.new_zeros(batch, steps + 1, hidden_size)
        with torch.cuda.device_of(projected):
            programs.forward[_grid(batch)](
                projected,
                *projected.stride()[:3],
                weight,
                weight if masks is None else masks,
                begins,
                gates,
                cells,
                states,
                *(batch, steps, hidden_size, slope or 0.0),
                **_constants(slope, masks, hidden_size),
            )
        ctx.save_for_backward(weight, masks, begins, gates, cells, states)
        ctx.slope, ctx.return_sequences = slope, return_sequences
        return (states[:, 1:] if return_sequences else states[:, -1]).clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        from seqclass.nn.lstm_kernels.triton_pass import programs

        weight, masks, begins, gates, cells, states = ctx.saved_tensors
        _, batch, steps, hidden_size = gates.shape
        d_projected = torch.empty_like(gates)
        with torch.cuda.device_of(gates):
            programs.backward[_grid(batch)](
                gates,
                cells,
                weight,
                weight if masks is None else masks,
                begins,
                gradients[0].contiguous(),
                d_projected,
                *(batch, steps, hidden_size, ctx.slope or 0.0),
                SEQUENCES=ctx.return_sequences,
                **_constants(ctx.slope, masks, hidden_size),
            )
        before = states[:, :-1].unsqueeze(0)
        if masks is not None:
            before = before * masks.unsqueeze(2)
        before = before.expand(4, -1, -1, -1).reshape(4, -1, hidden_size)
        d_weight = torch.bmm(d_projected.view(4, -1, hidden_size).transpose(1, 2), before)
        return d_projected, d_weight, None, None, None, None


def _grid(batch: int) -> tuple[int]:
    return (-(-batch // _ROWS),)


def _constants(slope: float | None, masks: torch.Tensor | None, hidden_size: int) -> dict[str, Any]:
    """Return what the programs are compiled for. A product of fewer than 16 units does not exist."""
    units = max(16, 1 << (hidden_size - 1).bit_length())
    return {
        "HARD": slope is not None,
        "MASKED": masks is not None,
        "ROWS": _ROWS,
        "UNITS": units,
        "BLOCK": _BLOCK,
        "num_warps": _WARPS,
        "num_stages": _STAGES,
    }
