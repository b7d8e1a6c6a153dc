"""The two programs of the Triton pass. Each program instance takes ROWS rows of the batch through all steps by itself.

What a step needs of the step before, the state and the cell, or their gradients, stays in registers: no program reads
memory that it writes. Where a product needs a number in another thread, Triton moves it through shared memory, and puts
the barriers there. Weights are read again at each step, from the caches, or with KEEP once, into registers. What else a
step reads is asked for a step ahead, while the step before is being computed.

Sizes in comments: G = 4 gates in PyTorch's order i, f, g, o; B rows; T steps; H = HIDDEN units, padded to UNITS, a
power of two. Tensors are contiguous, but for `projected`, whose strides are given. HIDDEN is a constant because the
compiler then sees how addresses are aligned, and reads four numbers at a time.
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
def _tile(weight, gate: tl.constexpr, HIDDEN: tl.constexpr, UNITS: tl.constexpr, DOT: tl.constexpr):
    """One gate's (H, H) of (G, H, H), padded with zeros: (UNITS, UNITS), or (1, UNITS, UNITS) where rows are broadcast.

    Read in the shape in which it is used: a change of shape would go through shared memory at each step.
    """
    if DOT:
        summed = tl.arange(0, UNITS)[:, None]
        result = tl.arange(0, UNITS)[None, :]
    else:
        summed = tl.arange(0, UNITS)[None, :, None]
        result = tl.arange(0, UNITS)[None, None, :]
    inside = (summed < HIDDEN) & (result < HIDDEN)
    return tl.load(weight + gate * HIDDEN * HIDDEN + summed * HIDDEN + result, mask=inside, other=0.0)


@triton.jit
def _kept(weight, gate: tl.constexpr, HIDDEN: tl.constexpr, UNITS: tl.constexpr, DOT: tl.constexpr, KEEP: tl.constexpr):
    """Return what `_product` is given of a gate's weights: the tile itself with KEEP, else where it lies."""
    if KEEP:
        w = _tile(weight, gate, HIDDEN, UNITS, DOT)
    else:
        w = weight
    return w


@triton.jit
def _product(
    x,
    weight,  # from `_kept`
    gate: tl.constexpr,
    HIDDEN: tl.constexpr,
    UNITS: tl.constexpr,
    DOT: tl.constexpr,
    KEEP: tl.constexpr,
):
    """(ROWS, UNITS) by a tile, (ROWS, UNITS): products of numbers rounded to the tile's precision, sums in float32."""
    if KEEP:
        w = weight
    else:
        w = _tile(weight, gate, HIDDEN, UNITS, DOT)
    if DOT:
        y = tl.dot(x.to(w.dtype), w, input_precision="ieee")
    else:
        y = tl.sum(x.to(w.dtype).to(tl.float32)[:, :, None] * w.to(tl.float32), axis=1)
    return y


@triton.jit
def forward(
    projected,  # (G, B, T, H): what the inputs and the bias give to each gate
    gate_stride,
    row_stride,
    step_stride,
    weight,  # (G, H, H): gate, unit that is summed over, unit that results
    masks,  # (G, B, H), read if MASKED
    begins,  # (B): rows keep their state before this step
    gates,  # (G, B, T, H), written: after activation
    cells,  # (B, T + 1, H), written: the first of each row is there
    states,  # (B, T + 1, H), likewise
    batch,
    steps,
    slope,
    HARD: tl.constexpr,
    MASKED: tl.constexpr,
    HIDDEN: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DOT: tl.constexpr,
    KEEP: tl.constexpr,
):
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    unit = tl.arange(0, UNITS)
    row_ok = row < batch
    ok = row_ok[:, None] & (unit < HIDDEN)[None, :]
    begin = tl.load(begins + row, mask=row_ok, other=0)
    saved_gate = tl.cast(batch, tl.int64) * steps * HIDDEN
    into = projected + (row * row_stride)[:, None] + unit[None, :]
    saved = gates + (row * steps * HIDDEN)[:, None] + unit[None, :]
    after = (row * (steps + 1) * HIDDEN)[:, None] + unit[None, :] + HIDDEN
    if MASKED:
        mask = masks + (row * HIDDEN)[:, None] + unit[None, :]
        mask_i = tl.load(mask, mask=ok, other=0.0)
        mask_f = tl.load(mask + batch * HIDDEN, mask=ok, other=0.0)
        mask_g = tl.load(mask + 2 * batch * HIDDEN, mask=ok, other=0.0)
        mask_o = tl.load(mask + 3 * batch * HIDDEN, mask=ok, other=0.0)
    w_i = _kept(weight, 0, HIDDEN, UNITS, DOT, KEEP)
    w_f = _kept(weight, 1, HIDDEN, UNITS, DOT, KEEP)
    w_g = _kept(weight, 2, HIDDEN, UNITS, DOT, KEEP)
    w_o = _kept(weight, 3, HIDDEN, UNITS, DOT, KEEP)
    first = ok & (steps > 0)
    next_i = tl.load(into, mask=first, other=0.0)
    next_f = tl.load(into + gate_stride, mask=first, other=0.0)
    next_g = tl.load(into + 2 * gate_stride, mask=first, other=0.0)
    next_o = tl.load(into + 3 * gate_stride, mask=first, other=0.0)
    cell = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    state = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    for step in range(0, steps):
        z_i, z_f, z_g, z_o = next_i, next_f, next_g, next_o
        ahead = into + (step + 1) * step_stride
        more = ok & (step + 1 < steps)
        next_i = tl.load(ahead, mask=more, other=0.0)
        next_f = tl.load(ahead + gate_stride, mask=more, other=0.0)
        next_g = tl.load(ahead + 2 * gate_stride, mask=more, other=0.0)
        next_o = tl.load(ahead + 3 * gate_stride, mask=more, other=0.0)
        if MASKED:
            i = _activate(z_i + _product(state * mask_i, w_i, 0, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
            f = _activate(z_f + _product(state * mask_f, w_f, 1, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
            g = _tanh(z_g + _product(state * mask_g, w_g, 2, HIDDEN, UNITS, DOT, KEEP))
            o = _activate(z_o + _product(state * mask_o, w_o, 3, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
        else:
            i = _activate(z_i + _product(state, w_i, 0, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
            f = _activate(z_f + _product(state, w_f, 1, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
            g = _tanh(z_g + _product(state, w_g, 2, HIDDEN, UNITS, DOT, KEEP))
            o = _activate(z_o + _product(state, w_o, 3, HIDDEN, UNITS, DOT, KEEP), slope, HARD)
        begun = (step >= begin)[:, None]
        cell = tl.where(begun, f * cell + i * g, cell)
        state = tl.where(begun, o * _tanh(cell), state)
        at = step * HIDDEN
        tl.store(saved + at, i, mask=ok)
        tl.store(saved + at + saved_gate, f, mask=ok)
        tl.store(saved + at + 2 * saved_gate, g, mask=ok)
        tl.store(saved + at + 3 * saved_gate, o, mask=ok)
        tl.store(cells + after + at, cell, mask=ok)
        tl.store(states + after + at, state, mask=ok)


@triton.jit
def backward(
    gates,  # (G, B, T, H)
    cells,  # (B, T + 1, H)
    weight,  # (G, H, H): gate, unit that is summed over, unit that results
    masks,  # (G, B, H), read if MASKED
    begins,  # (B)
    d_states,  # (B, T, H) if SEQUENCES, else (B, H): of the last step
    d_projected,  # (G, B, T, H), written
    batch,
    steps,
    slope,
    SEQUENCES: tl.constexpr,
    HARD: tl.constexpr,
    MASKED: tl.constexpr,
    HIDDEN: tl.constexpr,
    ROWS: tl.constexpr,
    UNITS: tl.constexpr,
    DOT: tl.constexpr,
    KEEP: tl.constexpr,
):
    row = (tl.program_id(0) * ROWS + tl.arange(0, ROWS)).to(tl.int64)
    unit = tl.arange(0, UNITS)
    row_ok = row < batch
    ok = row_ok[:, None] & (unit < HIDDEN)[None, :]
    begin = tl.load(begins + row, mask=row_ok, other=0)
    saved_gate = tl.cast(batch, tl.int64) * steps * HIDDEN
    if MASKED:
        mask = masks + (row * HIDDEN)[:, None] + unit[None, :]
        mask_i = tl.load(mask, mask=ok, other=0.0)
        mask_f = tl.load(mask + batch * HIDDEN, mask=ok, other=0.0)
        mask_g = tl.load(mask + 2 * batch * HIDDEN, mask=ok, other=0.0)
        mask_o = tl.load(mask + 3 * batch * HIDDEN, mask=ok, other=0.0)
    w_i = _kept(weight, 0, HIDDEN, UNITS, DOT, KEEP)
    w_f = _kept(weight, 1, HIDDEN, UNITS, DOT, KEEP)
    w_g = _kept(weight, 2, HIDDEN, UNITS, DOT, KEEP)
    w_o = _kept(weight, 3, HIDDEN, UNITS, DOT, KEEP)
    saved = gates + (row * steps * HIDDEN)[:, None] + unit[None, :]
    before = cells + (row * (steps + 1) * HIDDEN)[:, None] + unit[None, :]
    wanted = d_projected + (row * steps * HIDDEN)[:, None] + unit[None, :]
    last = ok & (steps > 0)
    at = (steps - 1) * HIDDEN
    next_i = tl.load(saved + at, mask=last, other=0.0)
    next_f = tl.load(saved + at + saved_gate, mask=last, other=0.0)
    next_g = tl.load(saved + at + 2 * saved_gate, mask=last, other=0.0)
    next_o = tl.load(saved + at + 3 * saved_gate, mask=last, other=0.0)
    cell = tl.load(before + at + HIDDEN, mask=last, other=0.0)
    next_cell = tl.load(before + at, mask=last, other=0.0)
    if SEQUENCES:
        d_state = tl.zeros((ROWS, UNITS), dtype=tl.float32)
        given = d_states + (row * steps * HIDDEN)[:, None] + unit[None, :]
        next_d = tl.load(given + at, mask=last, other=0.0)
    else:
        d_state = tl.load(d_states + (row * HIDDEN)[:, None] + unit[None, :], mask=ok, other=0.0)
    d_cell = tl.zeros((ROWS, UNITS), dtype=tl.float32)
    for back in range(0, steps):
        step = steps - 1 - back
        i, f, g, o, cell_before = next_i, next_f, next_g, next_o, next_cell
        if SEQUENCES:
            d_state += next_d
        more = ok & (step > 0)
        ahead = (step - 1) * HIDDEN
        next_i = tl.load(saved + ahead, mask=more, other=0.0)
        next_f = tl.load(saved + ahead + saved_gate, mask=more, other=0.0)
        next_g = tl.load(saved + ahead + 2 * saved_gate, mask=more, other=0.0)
        next_o = tl.load(saved + ahead + 3 * saved_gate, mask=more, other=0.0)
        next_cell = tl.load(before + ahead, mask=more, other=0.0)
        if SEQUENCES:
            next_d = tl.load(given + ahead, mask=more, other=0.0)
        tanh_cell = _tanh(cell)
        begun = (step >= begin)[:, None]
        dc = d_cell + d_state * o * (1.0 - tanh_cell * tanh_cell)
        d_i = tl.where(begun, dc * g * _slope_at(i, slope, HARD), 0.0)
        d_f = tl.where(begun, dc * cell_before * _slope_at(f, slope, HARD), 0.0)
        d_g = tl.where(begun, dc * i * (1.0 - g * g), 0.0)
        d_o = tl.where(begun, d_state * tanh_cell * _slope_at(o, slope, HARD), 0.0)
        at = step * HIDDEN
        tl.store(wanted + at, d_i, mask=ok)
        tl.store(wanted + at + saved_gate, d_f, mask=ok)
        tl.store(wanted + at + 2 * saved_gate, d_g, mask=ok)
        tl.store(wanted + at + 3 * saved_gate, d_o, mask=ok)
        if MASKED:
            d_before = (
                _product(d_i, w_i, 0, HIDDEN, UNITS, DOT, KEEP) * mask_i
                + _product(d_f, w_f, 1, HIDDEN, UNITS, DOT, KEEP) * mask_f
            )
            d_before += (
                _product(d_g, w_g, 2, HIDDEN, UNITS, DOT, KEEP) * mask_g
                + _product(d_o, w_o, 3, HIDDEN, UNITS, DOT, KEEP) * mask_o
            )
        else:
            d_before = _product(d_i, w_i, 0, HIDDEN, UNITS, DOT, KEEP) + _product(d_f, w_f, 1, HIDDEN, UNITS, DOT, KEEP)
            d_before += _product(d_g, w_g, 2, HIDDEN, UNITS, DOT, KEEP) + _product(
                d_o, w_o, 3, HIDDEN, UNITS, DOT, KEEP
            )
        d_cell = tl.where(begun, dc * f, d_cell)
        d_state = tl.where(begun, d_before, d_state)
        cell = cell_before
