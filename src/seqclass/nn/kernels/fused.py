r"""The LSTM as one pass over blocks of steps, with a hand-written gradient.

Autograd over a loop of steps keeps and visits thousands of small tensors. Here a step is one matrix product and a few
element-wise operations into existing memory, forward and backward, and the gradient of the weights is one product for a
whole block of steps. With E inputs, H units, n rows:

- Inputs, a one and the state are concatenated, `[x, 1, h]`, (n, E + 1 + H), and so are their weights: one product gives
  the four gates with their bias, one the gradient of inputs and state, one that of all weights. Gate dropout multiplies
  this row by a mask for each gate.
- tanh costs six times as much as the sigmoid here, so tanh(x) is computed as 2 s(2x) - 1, and the inner factor 2 is
  part of the weights. The cell is kept negated, which saves the operations that would change signs: with
  s = s(2 z_g), r = s(2 * -c),

      -c = f * -c_before + (i - 2 i s)        h = o - 2 o r

  Both forms differ from the definition only by rounding, at the scale of 1.
- Rows in their shared padding are computed once (`shared_padding`).

The backward pass, from the last step to the first, with dc and dh the gradients of c and h:

    dc += dh * o (1 - tanh(c)^2)
    dz_i = dc * g i (1 - i)         dz_f = dc * c_before f (1 - f)
    dz_g = dc * i (1 - g^2)         dz_o = dh * tanh(c) o (1 - o)
    dc *= f                         [dx, d1, dh] = dz [W, b, U]

The factors that multiply dc and dh are computed for a whole block at once.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from seqclass.nn.denormals import flush_denormals
from seqclass.nn.kernels.arguments import LSTMArguments
from seqclass.nn.kernels.buffers import Lease
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES
from seqclass.nn.shared_padding import TimeBlock, TimePlan, plan_time

# The forward pass keeps the gates in the order i, f, o, g, so that one call activates i, f and o; the backward pass
# keeps their gradients in PyTorch's order, i, f, g, o, so that one call multiplies the three that dc reaches.
_FORWARD_ORDER = [0, 1, 3, 2]

# The gates of 25 steps of 64 rows and 100 units take 2.5 MB, and stay in the cache from one operation to the next.
_BLOCK_STEPS = 25


def fused_lstm(arguments: LSTMArguments) -> torch.Tensor:
    """Run the layer, and keep what the gradient needs, if one is wanted.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs = arguments.inputs
    plan = plan_time(inputs.shape[0], inputs.shape[1], block_steps=_BLOCK_STEPS, padding=arguments.padding)
    weight = arguments.joint_weight()
    masks = arguments.joint_masks()
    if plan.order is not None:
        order = plan.order.to(inputs.device)
        inputs = inputs.index_select(0, order)
        masks = None if masks is None else masks.index_select(1, order)
    slope = HARD_SIGMOID_SLOPES.get(arguments.recurrent_activation)
    result = _FusedLSTM.apply(inputs, weight, masks, slope, plan, arguments.trains, arguments.return_sequences)
    return result if plan.order is None else result.index_select(0, order.argsort())


@dataclass(frozen=True)
class _Trace:
    """What the backward pass needs of one block's forward pass: S steps, n rows.

    Attributes:
        rows: (S + 1, n, E + 1 + H), [x, 1, h_before] of each step; the last one has only h.
        gates: (S, 4, n, H), i, f, o and s.
        cells: (S + 1, n, H), the negative cell before each step and after the last.
        squashed: (S, n, H), r.
    """

    rows: torch.Tensor
    gates: torch.Tensor
    cells: torch.Tensor
    squashed: torch.Tensor

    @staticmethod
    def shapes(block: TimeBlock, width: int, hidden_size: int) -> tuple[tuple[int, ...], ...]:
        steps, rows = block.steps, block.rows
        return (
            (steps + 1, rows, width),
            (steps, 4, rows, hidden_size),
            (steps + 1, rows, hidden_size),
            (steps, rows, hidden_size),
        )


class _FusedLSTM(torch.autograd.Function):
    """Rows sorted by their padding, joint weight and masks -> state after the last step, or all states."""

    @staticmethod
    def forward(
        ctx: Any,
        inputs: torch.Tensor,
        weight: torch.Tensor,
        masks: torch.Tensor | None,
        slope: float | None,
        plan: TimePlan,
        keep: bool,
        return_sequences: bool,
    ) -> torch.Tensor:
        if inputs.device.type == "cpu":
            flush_denormals()
        batch, steps, input_size = inputs.shape
        hidden_size = weight.shape[0] // 4
        width = weight.shape[1]
        shapes = [_Trace.shapes(block, width, hidden_size) for block in plan.blocks]
        sizes = [Lease.space(*block_shapes) for block_shapes in shapes]
        scratch = [_scratch_size(block, width, hidden_size, masks is not None) for block in plan.blocks]
        lease = Lease(sum(sizes) + max(scratch, default=0) if keep else max(sizes, default=0), inputs)
        forward_weight = _forward_weight(weight, slope)
        forward_masks = None if masks is None else masks[_FORWARD_ORDER]

        # Before the first step there is a single row, the shared one, with a state of zero.
        hidden, cell = inputs.new_zeros(1, hidden_size), inputs.new_zeros(1, hidden_size)
        before = TimeBlock(0, 0, 0, shared=True)
        traces = []
        # Masked rows are zero before they begin.
        sequences = inputs.new_zeros(batch, steps, hidden_size) if return_sequences else None
        for block, block_shapes in zip(plan.blocks, shapes, strict=True):
            if not keep:
                # The states to continue from are in the memory that is about to be reused.
                hidden, cell = hidden.clone(), cell.clone()
                lease.rewind()
            trace = _Trace(*(lease.cut(*shape) for shape in block_shapes))
            _fill(trace.rows, inputs, block)
            _spread(trace.rows[0, :, input_size + 1 :], hidden, before)
            _spread(trace.cells[0], cell, before)
            _run_forward(trace, forward_weight, _rows_of(forward_masks, block), input_size, slope)
            hidden, cell, before = trace.rows[-1, :, input_size + 1 :], trace.cells[-1], block
            traces.append(trace)
            if sequences is not None:
                _write_states(sequences, trace.rows[1:, :, input_size + 1 :], block)

        if keep:
            ctx.save_for_backward(weight, masks)
            ctx.slope, ctx.plan, ctx.traces, ctx.lease = slope, plan, traces, lease
            ctx.input_shape, ctx.return_sequences = inputs.shape, return_sequences
        if sequences is not None:
            return sequences
        last = inputs.new_empty(batch, hidden_size)
        _spread(last, hidden, before)
        return last

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = gradients
        if gradient.device.type == "cpu":
            flush_denormals()
        weight, masks = ctx.saved_tensors
        batch, steps, input_size = ctx.input_shape
        input_gradient = gradient.new_zeros(batch, steps, input_size)
        weight_gradient = torch.zeros_like(weight)
        scratch_start = ctx.lease.mark

        d_cell = gradient.new_zeros(batch, weight.shape[0] // 4)
        d_hidden = torch.zeros_like(d_cell) if ctx.return_sequences else gradient
        for block, trace in zip(reversed(ctx.plan.blocks), reversed(ctx.traces), strict=True):
            d_hidden, d_cell = _gather(d_hidden, block), _gather(d_cell, block)
            block_masks = _rows_of(masks, block)
            d_states = _gather_states(gradient, block) if ctx.return_sequences else None
            d_gates, d_rows = _run_backward(
                trace, weight, block_masks, input_size, ctx.slope, d_hidden, d_cell, d_states, ctx.lease
            )
            _add_weight_gradient(weight_gradient, trace.rows[:-1], d_gates, block_masks, ctx.lease)
            d_inputs = d_rows[:, :, :input_size].transpose(0, 1)
            input_gradient[: block.active, block.start : block.stop] = d_inputs[: block.active]
            if block.shared:
                # The rows are equal there, so it makes no difference which of them gets the gradient.
                input_gradient[-1, block.start : block.stop] += d_inputs[-1]
            d_hidden = d_rows[0, :, input_size + 1 :]
            ctx.lease.rewind(scratch_start)
        return input_gradient, weight_gradient, None, None, None, None, None


def _forward_weight(weight: torch.Tensor, slope: float | None) -> torch.Tensor:
    """Return the weights of the forward product, (4, E + 1 + H, H), scaled by the activations' inner factors."""
    width = weight.shape[1]
    scaled = weight.view(4, -1, width)[_FORWARD_ORDER]
    scaled[3] *= 2
    if slope is not None:
        scaled[:3] *= slope
        scaled[:3, :, width - scaled.shape[1] - 1] += 0.5
    return scaled.transpose(1, 2).contiguous()


def _rows_of(masks: torch.Tensor | None, block: TimeBlock) -> torch.Tensor | None:
    return None if masks is None else masks[:, : block.rows]


def _fill(rows: torch.Tensor, inputs: torch.Tensor, block: TimeBlock) -> None:
    """Write the inputs of a block's rows, each followed by a one."""
    input_size = inputs.shape[2]
    rows[:, :, input_size] = 1
    rows[:-1, : block.active, :input_size] = inputs[: block.active, block.start : block.stop].transpose(0, 1)
    if block.shared:
        rows[:-1, -1, :input_size] = inputs[-1, block.start : block.stop]


def _spread(state: torch.Tensor, before: torch.Tensor, block: TimeBlock) -> None:
    """Write the states with which rows begin, from those with which the rows of the previous block ended."""
    state[: block.active] = before[: block.active]
    state[block.active :] = before[block.active] if block.shared else 0


def _gather(gradient: torch.Tensor, block: TimeBlock) -> torch.Tensor:
    """Compute the gradient of `_spread`: each row of a block collects from the rows that began with its state."""
    gathered = gradient[: block.rows].clone()
    if block.shared:
        torch.sum(gradient[block.active :], dim=0, out=gathered[block.active])
    return gathered


def _write_states(sequences: torch.Tensor, states: torch.Tensor, block: TimeBlock) -> None:
    """Write the states of a block's steps, (S, n, H), to all rows that have them."""
    states = states.transpose(0, 1)
    sequences[: block.active, block.start : block.stop] = states[: block.active]
    if block.shared:
        sequences[block.active :, block.start : block.stop] = states[block.active]


def _gather_states(gradient: torch.Tensor, block: TimeBlock) -> torch.Tensor:
    """Compute the gradient of `_write_states`, (S, n, H)."""
    steps = gradient[:, block.start : block.stop].transpose(0, 1)
    if not block.shared:
        return steps[:, : block.active]
    return torch.cat([steps[:, : block.active], steps[:, block.active :].sum(dim=1, keepdim=True)], dim=1)


def _run_forward(
    trace: _Trace, weight: torch.Tensor, masks: torch.Tensor | None, input_size: int, slope: float | None
) -> None:
    """Run the steps of one block. Making the views of all steps at once takes a third of the time."""
    cells = trace.cells.unbind(0)
    views = zip(
        trace.rows[:-1].unsqueeze(1).expand(-1, 4, -1, -1).unbind(0),
        trace.gates.unbind(0),
        trace.gates[:, :3].unbind(0),
        *(gate.unbind(0) for gate in trace.gates.unbind(1)),
        cells[:-1],
        cells[1:],
        trace.squashed.unbind(0),
        trace.rows[1:, :, input_size + 1 :].unbind(0),
        strict=True,
    )
    masked = torch.empty_like(weight[:, :0] if masks is None else masks, memory_format=torch.contiguous_format)
    mul, bmm, addcmul, add = torch.mul, torch.bmm, torch.addcmul, torch.add
    for row, gates, i_f_o, i, f, o, s, cell_before, cell, r, hidden in views:
        if masks is not None:
            row = mul(row, masks, out=masked)
        bmm(row, weight, out=gates)
        if slope is None:
            gates.sigmoid_()
        else:
            i_f_o.clamp_(0, 1)
            s.sigmoid_()
        addcmul(i, i, s, value=-2, out=cell)
        cell.addcmul_(f, cell_before)
        add(cell, cell, out=r)
        r.sigmoid_()
        addcmul(o, o, r, value=-2, out=hidden)


def _scratch_size(block: TimeBlock, width: int, hidden_size: int, masked: bool) -> int:
    """Return how much the backward pass of a block cuts from its lease; masked rows take the most."""
    steps, rows = block.steps, block.rows
    each_gate, each_unit = (steps, rows, 4, hidden_size), (steps, rows, hidden_size)
    size = Lease.space(each_gate, each_gate, each_unit, each_unit, each_unit, (steps, rows, width))
    return size + (Lease.space((4, rows, width), (steps, rows, 4, width)) if masked else 0)


def _run_backward(
    trace: _Trace,
    weight: torch.Tensor,
    masks: torch.Tensor | None,
    input_size: int,
    slope: float | None,
    d_hidden: torch.Tensor,
    d_cell: torch.Tensor,
    d_states: torch.Tensor | None,
    lease: Lease,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the steps of one block backward; `d_cell` becomes the gradient of the cell before its first step.

    Args:
        trace: what the forward pass kept.
        weight: [W, b, U], (4H, E + 1 + H).
        masks: (4, n, E + 1 + H), or None.
        input_size: E.
        slope: of the hard sigmoid; None for the sigmoid.
        d_hidden: gradient of the state after the last step from the steps that follow, (n, H); written to.
        d_cell: gradient of the cell after the last step, (n, H); written to.
        d_states: gradient of the states after each step as results, (S, n, H); None if only the last one is a result.
        lease: where scratch memory is cut from.

    Returns:
        The gradients of the gates before activation, (S, n, 4, H) in the order i, f, g, o, and of the rows,
        (S, n, E + 1 + H).
    """
    steps, _, rows, hidden_size = trace.gates.shape
    width = weight.shape[1]
    factors = lease.cut(steps, rows, 4, hidden_size)
    to_cell = lease.cut(steps, rows, hidden_size)
    _fill_factors(trace, slope, factors, to_cell, lease)
    d_gates = lease.cut(steps, rows, 4, hidden_size)
    d_rows = lease.cut(steps, rows, width)

    views = zip(
        to_cell.unbind(0),
        factors[:, :, :3].unbind(0),
        d_gates[:, :, :3].unbind(0),
        factors[:, :, 3].unbind(0),
        d_gates[:, :, 3].unbind(0),
        trace.gates[:, 1].unbind(0),
        (d_gates.flatten(2) if masks is None else d_gates.transpose(1, 2)).unbind(0),
        d_rows.unbind(0),
        d_rows[:, :, input_size + 1 :].unbind(0),
        [None] * steps if d_states is None else d_states.unbind(0),
        strict=True,
    )
    gate_weights = weight.view(4, hidden_size, width)
    d_masked = lease.cut(4, rows, width) if masks is not None else gate_weights
    wide_cell = d_cell.unsqueeze(1)
    mul, mm, bmm, total = torch.mul, torch.mm, torch.bmm, torch.sum
    for dh_to_dc, from_cell, d_i_f_g, from_hidden, d_o, f, d_gate, d_row, d_before, d_state in reversed(list(views)):
        if d_state is not None:
            d_hidden.add_(d_state)
        d_cell.addcmul_(d_hidden, dh_to_dc)
        mul(wide_cell, from_cell, out=d_i_f_g)
        mul(d_hidden, from_hidden, out=d_o)
        d_cell.mul_(f)
        if masks is None:
            mm(d_gate, weight, out=d_row)
        else:
            bmm(d_gate, gate_weights, out=d_masked)
            d_masked.mul_(masks)
            total(d_masked, 0, out=d_row)
        d_hidden = d_before
    return d_gates, d_rows


def _fill_factors(
    trace: _Trace, slope: float | None, factors: torch.Tensor, to_cell: torch.Tensor, lease: Lease
) -> None:
    """Compute the factors of dc and dh at each step, for a whole block at once."""
    i, f, o, s = trace.gates.unbind(1)
    g = torch.mul(s, 2, out=lease.cut(*s.shape)).sub_(1)
    tanh_cell = torch.mul(trace.squashed, -2, out=lease.cut(*s.shape)).add_(1)
    _times_slope(g, i, slope, factors[:, :, 0])
    _times_slope(trace.cells[:-1], f, slope, factors[:, :, 1])
    factors[:, :, 1].neg_()
    torch.ops.aten.tanh_backward.grad_input(i, g, grad_input=factors[:, :, 2])
    _times_slope(tanh_cell, o, slope, factors[:, :, 3])
    torch.ops.aten.tanh_backward.grad_input(o, tanh_cell, grad_input=to_cell)


def _times_slope(value: torch.Tensor, gate: torch.Tensor, slope: float | None, out: torch.Tensor) -> None:
    """Multiply by the derivative of the recurrent activation, given its result."""
    if slope is None:
        torch.ops.aten.sigmoid_backward.grad_input(value, gate, grad_input=out)
    else:
        torch.ops.aten.hardtanh_backward.grad_input(value, gate, 0, 1, grad_input=out)
        out.mul_(slope)


def _add_weight_gradient(
    weight_gradient: torch.Tensor,
    rows: torch.Tensor,
    d_gates: torch.Tensor,
    masks: torch.Tensor | None,
    lease: Lease,
) -> None:
    """Add one block's contribution to the gradient of [W, b, U], (4H, E + 1 + H)."""
    steps, batch, width = rows.shape
    hidden_size = d_gates.shape[3]
    if masks is None:
        weight_gradient.addmm_(d_gates.view(-1, 4 * hidden_size).t(), rows.reshape(-1, width))
        return
    masked = torch.mul(rows.unsqueeze(2), masks.transpose(0, 1), out=lease.cut(steps, batch, 4, width))
    weight_gradient.view(4, hidden_size, width).baddbmm_(
        d_gates.view(-1, 4, hidden_size).permute(1, 2, 0), masked.view(-1, 4, width).transpose(0, 1)
    )
