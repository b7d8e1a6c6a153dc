"""Runs one of PyTorch's own layers block by block over a time plan, leaving out rows that are in their padding."""

from collections.abc import Callable

import torch

from seqclass.nn.shared_padding import LeadingPadding, TimeBlock, plan_time

# PyTorch's layers have a fixed cost per call; with blocks this long it stays below a tenth.
_BLOCK_STEPS = 50

# Inputs, (rows, steps, input_size), and the states before them -> the outputs, (rows, steps, hidden_size), and the
# states to continue from, each (rows, hidden_size); the first of these is the layer's output.
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
    """Run a layer from zero states, computing shared padding once.

    Args:
        inputs: (batch, steps, input_size).
        padding: masked or shared; None to compute every row at every step.
        run: runs the layer over some rows and steps.
        hidden_size: size of each state.
        num_states: how many states the layer has: two for an LSTM, one for a GRU.
        return_sequences: whether to return the states after all steps.

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
    """Expand a block's values to this many rows: rows that are not active yet get the shared row's, or zero."""
    if rows == values.shape[0] and not block.shared:
        return values
    beyond = values[block.active :] if block.shared else values.new_zeros(1, *values.shape[1:])
    return torch.cat([values[: block.active], beyond.expand(rows - block.active, *values.shape[1:])])
