"""Our own pass for GPUs, in Triton: one launch forward and one backward, where operations by themselves take thousands.

For what cuDNN does not have: dropout in the gates, the hard sigmoids, masked padding. What the inputs give to the gates
is one product for all steps, before the launch and under autograd; the pass is the recurrence alone. All rows are run:
on a GPU a step waits for the one before it, not for its rows.

Under autocast to bfloat16 the numbers of a product are rounded to it; sums, states, cells and gradients stay float32.
Under any other autocast everything is float32.

Triton comes with PyTorch's CUDA builds. With `TRITON_INTERPRET=1` in the environment its interpreter runs the same
programs on a CPU, slowly: that is how they are tested where no GPU is.
"""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from seqclass.nn.autocast import casts_to_bfloat16
from seqclass.nn.kernels.arguments import CellArguments, LSTMArguments
from seqclass.nn.kernels.reference import run_reference
from seqclass.nn.kernels.triton_pass.choices import Choice, Precision, padded_units
from seqclass.nn.kernels.triton_pass.tuning import choose
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES

_MAX_UNITS = 128


def triton_refusal(arguments: CellArguments) -> str | None:
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


def triton_lstm(arguments: LSTMArguments, choice: Choice | None = None) -> torch.Tensor:
    """Run the layer with one launch.

    Args:
        arguments: of the layer.
        choice: how the programs are launched; None for what was measured on this card, or is expected to be fast.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs, hidden_size = arguments.inputs, arguments.hidden_size
    batch = inputs.shape[0]
    if batch == 0:
        return run_reference(arguments)
    precision = _precision(inputs.device.type)
    if choice is None:
        choice = choose(batch, hidden_size, precision, inputs.device)
    if arguments.padding is not None and arguments.padding.masked:
        begins = arguments.padding.counts.to(inputs.device)
    else:
        begins = torch.zeros(batch, dtype=torch.int64, device=inputs.device)
    launch = _Launch(
        choice, precision, HARD_SIGMOID_SLOPES.get(arguments.recurrent_activation), arguments.return_sequences
    )
    weight = arguments.weight_hh.view(4, hidden_size, hidden_size)
    states: torch.Tensor = _TritonLSTM.apply(_project(arguments), weight, arguments.recurrent_masks, begins, launch)
    return states


def _precision(device_type: str) -> Precision:
    return "bfloat16" if casts_to_bfloat16(device_type) else "float32"


@dataclass(frozen=True)
class _Launch:
    """How a pass is launched.

    Attributes:
        choice: rows, warps and weights of a program instance.
        precision: of the products.
        slope: of the hard sigmoid; None for the sigmoid.
        return_sequences: whether the result is all states.
    """

    choice: Choice
    precision: Precision
    slope: float | None
    return_sequences: bool

    def constants(self, masks: torch.Tensor | None, hidden_size: int) -> dict[str, Any]:
        """Return what the programs are compiled for."""
        return {
            "HARD": self.slope is not None,
            "MASKED": masks is not None,
            "HIDDEN": hidden_size,
            "ROWS": self.choice.rows,
            "UNITS": padded_units(hidden_size),
            "DOT": self.choice.dot,
            "KEEP": self.choice.keep,
            "num_warps": self.choice.warps,
            "num_stages": 1,
        }

    def rounded(self, weight: torch.Tensor) -> torch.Tensor:
        """Round the weights as the products take them, in one piece."""
        return weight.to(torch.bfloat16 if self.precision == "bfloat16" else torch.float32).contiguous()


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
        launch: _Launch,
    ) -> torch.Tensor:
        from seqclass.nn.kernels.triton_pass import programs

        _, batch, steps, hidden_size = projected.shape
        masks = None if masks is None else masks.contiguous()
        # Under autocast the projected inputs are half precision; what the steps leave behind is not.
        gates = weight.new_empty(4, batch, steps, hidden_size)
        cells = weight.new_zeros(batch, steps + 1, hidden_size)
        states = weight.new_zeros(batch, steps + 1, hidden_size)
        if projected.stride(3) != 1:
            projected = projected.contiguous()
        summed_first = launch.rounded(weight.transpose(1, 2))
        with torch.cuda.device_of(projected):
            programs.forward[(launch.choice.instances(batch),)](
                projected,
                *projected.stride()[:3],
                summed_first,
                summed_first if masks is None else masks,
                begins,
                gates,
                cells,
                states,
                *(batch, steps, launch.slope or 0.0),
                **launch.constants(masks, hidden_size),
            )
        ctx.save_for_backward(weight, masks, begins, gates, cells, states)
        ctx.launch = launch
        return (states[:, 1:] if launch.return_sequences else states[:, -1]).clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        from seqclass.nn.kernels.triton_pass import programs

        weight, masks, begins, gates, cells, states = ctx.saved_tensors
        launch: _Launch = ctx.launch
        _, batch, steps, hidden_size = gates.shape
        d_projected = torch.empty_like(gates)
        rounded = launch.rounded(weight)
        with torch.cuda.device_of(gates):
            programs.backward[(launch.choice.instances(batch),)](
                gates,
                cells,
                rounded,
                rounded if masks is None else masks,
                begins,
                gradients[0].contiguous(),
                d_projected,
                *(batch, steps, launch.slope or 0.0),
                SEQUENCES=launch.return_sequences,
                **launch.constants(masks, hidden_size),
            )
        before = states[:, :-1].unsqueeze(0)
        if masks is not None:
            before = before * masks.unsqueeze(2)
        before = before.expand(4, -1, -1, -1).reshape(4, -1, hidden_size)
        d_weight = torch.bmm(d_projected.view(4, -1, hidden_size).transpose(1, 2), before)
        return d_projected, d_weight, None, None, None
