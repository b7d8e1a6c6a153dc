"""A layer of PyTorch's own, run block by block over a plan of time: rows in their padding are left out."""

from collections.abc import Callable

import torch

from seqclass.nn.shared_padding import LeadingPadding, TimeBlock, plan_time

# PyTorch's layers have a cost for each call; blocks this long keep it below a tenth.
_BLOCK_STEPS = 50

# Inputs, (rows, steps, input_size), and states before them -> states after each step, (rows, steps, hidden_size), and
# the states to go on from, each (rows, hidden_size); the first of these is the one that is the layer's output.
RunBlock = Callable[[torch.Tensor, tuple[torch.Tensor, ...]], tuple[torch.Tensor, tuple[torch.Tensor, ...]]]


def run_blockwise(
    inputs: torch.Tensor,
    padding: LeadingPadding | None,
    run: RunBlock,
    *,
    hidden_size: int,
    num_states: int,
    return_sequences: bool,
) -> torch.Tensor:
    """Run a layer from states of zero, the shared padding once.

    Args:
        inputs: (batch, steps, input_size).
        padding: masked or shared; None to compute every row at every step.
        run: the layer over some rows and steps.
        hidden_size: of each state.
        num_states: that the layer has: an LSTM two, a GRU one.
        return_sequences: whether all states are wanted.

    Returns:
        The state after the last step, (batch, hidden_size), or all of them, (batch, steps, hidden_size).
    """
    batch, steps, _ = inputs.shape
    plan = plan_time(batch, steps, block_steps=max(steps, 1) if padding is None else _BLOCK_STEPS, padding=padding)
    order = None if plan.order is None else plan.order.to(inputs.device)
    if order is not None:
        inputs = inputs.index_select(0, order)
    # Before the first step there is one row, the shared one, and its state is zero.
    states = (inputs.new_zeros(1, hidden_size),) * num_states
    before = TimeBlock(0, 0, 0, shared=True)
    sequences: list[torch.Tensor] = []
    for block in plan.blocks:
        if return_sequences and not sequences and block.start > 0:
            sequences.append(inputs.new_zeros(batch, block.start, hidden_size))
        x = inputs[: block.active, block.start : block.stop]
        if block.shared:
            x = torch.cat([x, inputs[-1:, block.start : block.stop]])
        sequence, states = run(x, tuple(_spread(state, before, block.rows) for state in states))
        before = block
        if return_sequences:
            sequences.append(_spread(sequence, block, batch))
    if not return_sequences:
        result = _spread(states[0], before, batch)
    elif sequences:
        result = torch.cat(sequences, dim=1)
    else:
        result = inputs.new_zeros(batch, steps, hidden_size)
    return result if order is None else result.index_select(0, order.argsort())


def _spread(values: torch.Tensor, block: TimeBlock, rows: int) -> torch.Tensor:
    """What a block's rows have, for so many rows: those behind the active ones are where the shared row is, or at 0."""
    if rows == values.shape[0] and not block.shared:
        return values
    beyond = values[block.active :] if block.shared else values.new_zeros(1, *values.shape[1:])
    return torch.cat([values[: block.active], beyond.expand(rows - block.active, *values.shape[1:])])
