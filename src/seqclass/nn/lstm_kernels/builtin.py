"""PyTorch's own layer: cuDNN on a GPU, oneDNN on a CPU.

What keeps cuDNN's persistent kernel for small hidden sizes: inputs that are not packed, not float64, hidden size up to
192 forward and 128 in training (PyTorch, `aten/src/ATen/native/cudnn/RNN.cpp`). So padding is never packed here; on a
CPU the shared padding is run once instead, and on a GPU, where each step waits for the one before and not for its
rows, all rows are run.
"""

import warnings
from typing import Any

import torch

from seqclass.nn.denormals import flush_denormals
from seqclass.nn.lstm_kernels.arguments import LSTMArguments, RecurrentActivation
from seqclass.nn.shared_padding import plan_time

# oneDNN's layer has a cost for each call; blocks this long keep it below a tenth.
_BLOCK_STEPS = 50

# cuDNN wants all weights in one piece of memory and copies ours, 200 KB, there on each call: a few microseconds.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


def builtin_refuses(
    recurrent_activation: RecurrentActivation, *, gate_dropout: bool, masked_padding: bool = False
) -> str | None:
    """Why this kernel cannot run such a layer; None if it can."""
    if recurrent_activation != "sigmoid":
        return f"recurrent_activation={recurrent_activation!r}: cuDNN and oneDNN have the sigmoid only"
    if gate_dropout:
        return "dropout within the gates: cuDNN and oneDNN have none"
    if masked_padding:
        return "masked padding: it would need packed inputs, which leave the fast kernels"
    return None


def refusal(arguments: LSTMArguments) -> str | None:
    """Why this kernel cannot run these arguments; None if it can."""
    return builtin_refuses(
        arguments.recurrent_activation,
        gate_dropout=arguments.has_gate_dropout,
        masked_padding=arguments.padding is not None and arguments.padding.masked,
    )


def builtin_lstm(arguments: LSTMArguments) -> torch.Tensor:
    """Run the layer block by block, the shared padding once.

    Returns:
        (batch, hidden_size), the state after the last step.

    Raises:
        ValueError: the arguments ask for what cuDNN and oneDNN do not have.
    """
    if (reason := refusal(arguments)) is not None:
        raise ValueError(f"kernel='builtin' cannot run {reason}; use 'fused' or 'auto'")
    inputs = arguments.inputs
    if inputs.device.type == "cpu":
        flush_denormals()
    batch, steps, _ = inputs.shape
    padding = None if inputs.is_cuda else arguments.padding
    plan = plan_time(batch, steps, block_steps=max(steps, 1) if padding is None else _BLOCK_STEPS, padding=padding)
    if plan.order is not None:
        inputs = inputs.index_select(0, plan.order)
    # The second bias vector of PyTorch's layer is zero and no parameter: see LSTM.
    weights = [arguments.weight_ih, arguments.weight_hh, arguments.bias, torch.zeros_like(arguments.bias)]
    training = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (inputs, *weights))
    hidden = cell = inputs.new_zeros(1, arguments.hidden_size)
    active, shared = 0, True
    for block in plan.blocks:
        hidden, cell = (_spread(state, active, shared, block.rows) for state in (hidden, cell))
        x = inputs[: block.active, block.start : block.stop]
        if block.shared:
            x = torch.cat([x, inputs[-1:, block.start : block.stop]])
        _, hidden, cell = torch.lstm(
            x, (hidden.unsqueeze(0), cell.unsqueeze(0)), weights, True, 1, 0.0, training, False, True
        )
        hidden, cell = hidden.squeeze(0), cell.squeeze(0)
        active, shared = block.active, block.shared
    hidden = _spread(hidden, active, shared, batch)
    if plan.order is not None:
        hidden = hidden.index_select(0, plan.order.argsort())
    return _FlushInBackward.apply(hidden)


def _spread(state: torch.Tensor, active: int, shared: bool, rows: int) -> torch.Tensor:
    """The state of `rows` rows, of which those behind the active ones begin where the shared row is."""
    if not shared:
        return state
    return torch.cat([state[:active], state[active:].expand(rows - active, -1)])


class _FlushInBackward(torch.autograd.Function):
    """The identity. Its backward pass runs first, on the thread that then runs the layer's own."""

    @staticmethod
    def forward(ctx: Any, hidden: torch.Tensor) -> torch.Tensor:
        return hidden.view_as(hidden)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:
        (gradient,) = gradients
        if gradient.device.type == "cpu":
            flush_denormals()
        return gradient
