/* What an LSTM and a GRU do with one row at one step, and its gradient; the products are the same for both.
 *
 * For the trace a cell gives five vectors of units, `units` apart:
 *
 *     LSTM: i, f, g, o, c         c = f c_before + i g                 h = o tanh(c)
 *     GRU:  r, z, n, q, c         c = z c_before + (1 - z) n           h = c
 *                                 n = tanh(p + r q), with n's parts of the inputs, p, and of the state, q
 *
 * and their gradients, with dc and dh those of c and h, and a' the slope of the recurrent activation:
 *
 *     LSTM: dc += dh o (1 - tanh(c)^2)                                 GRU: dc += dh
 *           d_i = dc g a'(i)      d_f = dc c_before a'(f)                   d_p = dc (1 - z) (1 - n^2)
 *           d_g = dc i (1 - g^2)  d_o = dh tanh(c) a'(o)                    d_r = d_p q a'(r)     d_q = d_p r
 *           dc *= f                                                         d_z = dc (c_before - n) a'(z)
 *                                                                           dc *= z
 *
 * What the products then give, [dx, d1, dh] = [d_i, ...] [W, b, U], replaces dh. */

#ifndef SEQCLASS_CELLS_H
#define SEQCLASS_CELLS_H

#include "pass.h"

INLINE void step_lstm(int64_t hidden_size, int64_t units, float slope, const int coarse, const float *gates,
                      float *cell, float *hidden, float *record) {
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector i = activate(load(gates + unit), slope, coarse);
        Vector f = activate(load(gates + hidden_size + unit), slope, coarse);
        Vector g = hyperbolic_tangent(load(gates + 2 * hidden_size + unit), coarse);
        Vector o = activate(load(gates + 3 * hidden_size + unit), slope, coarse);
        Vector c = f * load(cell + unit) + i * g;
        store(cell + unit, c);
        store(hidden + unit, o * hyperbolic_tangent(c, coarse));
        if (record) {
            store_for_later(record + unit, i);
            store_for_later(record + units + unit, f);
            store_for_later(record + 2 * units + unit, g);
            store_for_later(record + 3 * units + unit, o);
            store_for_later(record + 4 * units + unit, c);
        }
    }
}

INLINE void step_gru(int64_t hidden_size, int64_t units, float slope, const int coarse, const float *gates, float *cell,
                     float *hidden, float *record) {
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector r = activate(load(gates + hidden_size + unit), slope, coarse);
        Vector z = activate(load(gates + 2 * hidden_size + unit), slope, coarse);
        Vector q = load(gates + 3 * hidden_size + unit);
        Vector n = hyperbolic_tangent(load(gates + unit) + r * q, coarse);
        Vector c = n + z * (load(cell + unit) - n);
        store(cell + unit, c);
        store(hidden + unit, c);
        if (record) {
            store_for_later(record + unit, r);
            store_for_later(record + units + unit, z);
            store_for_later(record + 2 * units + unit, n);
            store_for_later(record + 3 * units + unit, q);
            store_for_later(record + 4 * units + unit, c);
        }
    }
}

/* From the gates of a row before activation, and its cell before the step, to cell, state and record after it. */
INLINE void step_cell(const Pass *pass, float slope, const int coarse, const float *gates, float *cell, float *hidden,
                      float *record) {
    if (pass->cell == SEQCLASS_GRU)
        step_gru(pass->hidden_size, units_of(pass), slope, coarse, gates, cell, hidden, record);
    else
        step_lstm(pass->hidden_size, units_of(pass), slope, coarse, gates, cell, hidden, record);
}

INLINE void store_some(float *to, Vector value, int64_t lanes) {
    if (lanes >= LANES)
        store(to, value);
    else
        for (int64_t lane = 0; lane < lanes; lane++) to[lane] = value[lane];
}

INLINE void differentiate_lstm(int64_t hidden_size, int64_t units, float slope, const int coarse, const float *record,
                               const float *before, const float *state, const float *d_hidden, float *d_cell,
                               float *d_gates, float *hidden_before) {
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector i = load(record + unit), f = load(record + units + unit), g = load(record + 2 * units + unit);
        Vector o = load(record + 3 * units + unit),
               tanh_c = hyperbolic_tangent(load(record + 4 * units + unit), coarse);
        Vector c_before, h_before;
        if (before) {
            c_before = load(before + 4 * units + unit);
            h_before = load(before + 3 * units + unit) * hyperbolic_tangent(c_before, coarse);
        } else {
            c_before = load(state + unit);
            h_before = load(state + units + unit);
        }
        Vector dh = load(d_hidden + unit);
        Vector dc = load(d_cell + unit) + dh * o * (1.0f - tanh_c * tanh_c);
        const int64_t lanes = hidden_size - unit;
        store_some(d_gates + unit, dc * g * slope_at(i, slope), lanes);
        store_some(d_gates + hidden_size + unit, dc * c_before * slope_at(f, slope), lanes);
        store_some(d_gates + 2 * hidden_size + unit, dc * i * (1.0f - g * g), lanes);
        store_some(d_gates + 3 * hidden_size + unit, dh * tanh_c * slope_at(o, slope), lanes);
        store(d_cell + unit, dc * f);
        store_some(hidden_before + unit, h_before, lanes);
    }
}

INLINE void differentiate_gru(int64_t hidden_size, int64_t units, float slope, const float *record, const float *before,
                              const float *state, const float *d_hidden, float *d_cell, float *d_gates,
                              float *hidden_before) {
    const float *cell_before = before ? before + 4 * units : state;
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector r = load(record + unit), z = load(record + units + unit), n = load(record + 2 * units + unit);
        Vector q = load(record + 3 * units + unit), c_before = load(cell_before + unit);
        Vector dc = load(d_cell + unit) + load(d_hidden + unit);
        Vector dp = dc * (1.0f - z) * (1.0f - n * n);
        const int64_t lanes = hidden_size - unit;
        store_some(d_gates + unit, dp, lanes);
        store_some(d_gates + hidden_size + unit, dp * q * slope_at(r, slope), lanes);
        store_some(d_gates + 2 * hidden_size + unit, dc * (c_before - n) * slope_at(z, slope), lanes);
        store_some(d_gates + 3 * hidden_size + unit, dp * r, lanes);
        store(d_cell + unit, dc * z);
        store_some(hidden_before + unit, c_before, lanes);
    }
}

/* From the gradients of a row's cell and state to those of its gates before activation and of its cell before the step;
 * also gives the state before it. `before` is the record of the step before, or NULL where the row begins: then `state`
 * is. */
INLINE void differentiate_cell(const Pass *pass, float slope, const int coarse, const float *record,
                               const float *before, const float *state, const float *d_hidden, float *d_cell,
                               float *d_gates, float *hidden_before) {
    if (pass->cell == SEQCLASS_GRU)
        differentiate_gru(pass->hidden_size, units_of(pass), slope, record, before, state, d_hidden, d_cell, d_gates,
                          hidden_before);
    else
        differentiate_lstm(pass->hidden_size, units_of(pass), slope, coarse, record, before, state, d_hidden, d_cell,
                           d_gates, hidden_before);
}

#endif
