"""The two programs of the Triton pass. Each program instance takes ROWS rows of the batch through all steps by itself.

The products of a step, (ROWS, H) by (H, H) for each gate, go over blocks of BLOCK units, read from memory: what an
instance wrote a moment before, behind a barrier, and weights that every instance reads all the time. Both are small
enough to stay in the caches of the multiprocessor.

Tensors are contiguous, but for `projected`, whose strides are given. Sizes in comments: G = 4 gates in PyTorch's order
i, f, g, o; B rows; T steps; H units.
"""

import triton
import triton.language as tl


@triton.jit
def _activate(x, slope, HARD: tl.constexpr):
    if HARD:
        y = tl.minimum(tl.maximum(x * slope + 0.5, 0.0), 1.0)
    else:
        y = tl.sigmoid(x)
    return y


@triton.jit
def _slope_at(y, slope, HARD: tl.constexpr):
    """Return the derivative of `_activate`, from what it returned."""
    if HARD:
        d = tl.where((y > 0.0) & (y < 1.0), slope, 0.0)
    else:
        d = y * (1.0 - y)
    return d


@triton.jit
def _tanh(x):
    return 2.0 * tl.sigmoid(2.0 * x) - 1.0


@triton.jit
def _product(
    left,  # (ROWS) pointers to rows of H numbers
    weight,  # pointer to (H, H)
    weight_in,  # stride of the axis that is summed over
    weight_out,
    mask,  # (ROWS) pointers to rows of H numbers, read if MASKED
    row_ok,
    hidden,
    MASKED: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    """(left * mask) weight, (ROWS, UNITS)."""
    out = tl.arange(0, UNITS)
    total = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    for start in range(0, hidden, BLOCK):
        unit = start + tl.arange(0, BLOCK)
        inside = row_ok[:, None] & (unit < hidden)[None, :]
        x = tl.load(left[:, None] + unit[None, :], mask=inside, other=0.0)
        if MASKED:
            x *= tl.load(mask[:, None] + unit[None, :], mask=inside, other=0.0)
        w = tl.load(
            weight + unit[:, None] * weight_in + out[None, :] * weight_out,
            mask=(unit < hidden)[:, None] & (out < hidden)[None, :],
            other=0.0,
        )
        total = tl.dot(x, w, total, input_precision="ieee")
    return total


@triton.jit
def forward(
    projected,  # (G, B, T, H): what the inputs and the bias give to each gate
    gate_stride,
    row_stride,
    step_stride,
    weight,  # (G, H, H)
    masks,  # (G, B, H), read if MASKED
    begins,  # (B): rows keep their state before this step
    gates,  # (G, B, T, H), written: after activation
    cells,  # (B, T + 1, H), written: the first of each row is there
    states,  # (B, T + 1, H), likewise
    batch,
    steps,
    hidden,
    slope,
    HARD: tl.constexpr,
    MASKED: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    unit = tl.arange(0, UNITS)
    row_ok = row < batch
    ok = row_ok[:, None] & (unit < hidden)[None, :]
    begin = tl.load(begins + row, mask=row_ok, other=0)
    saved_gate = tl.cast(batch, tl.int64) * steps * hidden
    cell = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    state = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    for step in range(0, steps):
        left = states + (row * (steps + 1) + step) * hidden
        into = projected + row * row_stride + step * step_stride
        saved = gates + (row * steps + step) * hidden
        for gate in tl.static_range(4):
            mask = masks + (gate * batch + row) * hidden
            z = tl.load(into[:, None] + gate * gate_stride + unit[None, :], mask=ok, other=0.0)
            z += _product(
                left, weight + gate * hidden * hidden, 1, hidden, mask, row_ok, hidden, MASKED, ROWS, UNITS, BLOCK
            )
            if gate == 2:
                y = _tanh(z)
            else:
                y = _activate(z, slope, HARD)
            tl.store(saved[:, None] + gate * saved_gate + unit[None, :], y, mask=ok)
            if gate == 0:
                i = y
            elif gate == 1:
                f = y
            elif gate == 2:
                g = y
            else:
                o = y
        begun = (step >= begin)[:, None]
        cell = tl.where(begun, f * cell + i * g, cell)
        state = tl.where(begun, o * _tanh(cell), state)
        after = (row * (steps + 1) + step + 1) * hidden
        tl.store(cells + after[:, None] + unit[None, :], cell, mask=ok)
        tl.store(states + after[:, None] + unit[None, :], state, mask=ok)
        # The next step reads what other threads of this instance have just written.
        tl.debug_barrier()


@triton.jit
def backward(
    gates,  # (G, B, T, H)
    cells,  # (B, T + 1, H)
    weight,  # (G, H, H)
    masks,  # (G, B, H), read if MASKED
    begins,  # (B)
    d_states,  # (B, T, H) if SEQUENCES, else (B, H): of the last step
    d_projected,  # (G, B, T, H), written
    batch,
    steps,
    hidden,
    slope,
    SEQUENCES: tl.constexpr,
    HARD: tl.constexpr,
    MASKED: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    unit = tl.arange(0, UNITS)
    row_ok = row < batch
    ok = row_ok[:, None] & (unit < hidden)[None, :]
    begin = tl.load(begins + row, mask=row_ok, other=0)
    saved_gate = tl.cast(batch, tl.int64) * steps * hidden
    if SEQUENCES:
        d_state = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    else:
        d_state = tl.load(d_states + row[:, None] * hidden + unit[None, :], mask=ok, other=0.0)
    d_cell = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    for back in range(0, steps):
        step = steps - 1 - back
        saved = ((row * steps + step) * hidden)[:, None] + unit[None, :]
        i = tl.load(gates + saved, mask=ok, other=0.0)
        f = tl.load(gates + saved_gate + saved, mask=ok, other=0.0)
        g = tl.load(gates + 2 * saved_gate + saved, mask=ok, other=0.0)
        o = tl.load(gates + 3 * saved_gate + saved, mask=ok, other=0.0)
        if SEQUENCES:
            d_state += tl.load(d_states + saved, mask=ok, other=0.0)
        before = ((row * (steps + 1) + step) * hidden)[:, None] + unit[None, :]
        cell_before = tl.load(cells + before, mask=ok, other=0.0)
        tanh_cell = _tanh(tl.load(cells + before + hidden, mask=ok, other=0.0))
        begun = (step >= begin)[:, None]
        dc = d_cell + d_state * o * (1.0 - tanh_cell * tanh_cell)
        d_i = tl.where(begun, dc * g * _slope_at(i, slope, HARD), 0.0)
        d_f = tl.where(begun, dc * cell_before * _slope_at(f, slope, HARD), 0.0)
        d_g = tl.where(begun, dc * i * (1.0 - g * g), 0.0)
        d_o = tl.where(begun, d_state * tanh_cell * _slope_at(o, slope, HARD), 0.0)
        tl.store(d_projected + saved, d_i, mask=ok)
        tl.store(d_projected + saved_gate + saved, d_f, mask=ok)
        tl.store(d_projected + 2 * saved_gate + saved, d_g, mask=ok)
        tl.store(d_projected + 3 * saved_gate + saved, d_o, mask=ok)
        # The products read what other threads of this instance have just written.
        tl.debug_barrier()
        d_before = tl.zeros((ROWS, UNITS), dtype=tl.float32)
        for gate in tl.static_range(4):
            left = d_projected + gate * saved_gate + (row * steps + step) * hidden
            d_masked = _product(
                left, weight + gate * hidden * hidden, hidden, 1, left, row_ok, hidden, False, ROWS, UNITS, BLOCK
            )
            if MASKED:
                mask = masks + ((gate * batch + row) * hidden)[:, None] + unit[None, :]
                d_masked *= tl.load(mask, mask=ok, other=0.0)
            d_before += d_masked
        d_cell = tl.where(begun, dc * f, d_cell)
        d_state = tl.where(begun, d_before, d_state)
