/* What one pass over a batch is given, what it keeps for the gradient, and which rows go through time together. */

#ifndef SEQCLASS_PASS_H
#define SEQCLASS_PASS_H

#include <stdlib.h>
#include <string.h>

#include "products.h"

/* Rows that a thread takes through time together. */
#define GROUP_ROWS 48

/* What a pass is given. Gates in PyTorch's order, i, f, g, o; width is input_size + 1 + hidden_size. */
typedef struct {
    int64_t batch, steps, input_size, hidden_size;
    int64_t threads;
    int64_t shared_steps;     /* steps that the shared row runs */
    float slope;              /* of the hard sigmoid; 0 for the sigmoid */
    const int64_t *order;     /* (batch), rows by the step at which they begin */
    const int64_t *begins;    /* (batch), that step, ascending */
    const float *inputs;      /* (batch, steps, input_size) */
    const float *weight;      /* (4 * hidden_size, width), [W, b, U] */
    const float *masks;       /* (4, batch, width), or NULL */
    float *trace;             /* (trace_size), or NULL where no gradient will be asked for */
    float *last;              /* (batch, hidden_size): the result, or NULL */
    float *sequences;         /* (batch, steps, hidden_size): all states where they are the result, or NULL */
    const float *d_last;      /* the gradient of `last`, or NULL */
    const float *d_sequences; /* the gradient of `sequences`, or NULL */
    float *d_inputs;          /* (batch, steps, input_size) */
    float *d_weight;          /* (4 * hidden_size, width) */
} Pass;

static int64_t width_of(const Pass *pass) { return pass->input_size + 1 + pass->hidden_size; }
/* Units with room for whole vectors. */
static int64_t units_of(const Pass *pass) { return round_up(pass->hidden_size, LANES); }
/* Gate dropout makes of one product four, each of one gate. */
static int64_t products_of(const Pass *pass) { return pass->masks ? 4 : 1; }

/* The trace holds first the shared row's states, c and h after 0, 1, ... steps, and then a record for each step of the
 * shared row and of each group: i, f, g, o and c of each row. */
static int64_t record_size(const Pass *pass) { return 5 * units_of(pass); }
static int64_t state_size(const Pass *pass) { return 2 * units_of(pass); }
static int64_t states_size(const Pass *pass) { return (pass->shared_steps + 1) * state_size(pass); }

/* How many floats the trace of a pass takes. */
int64_t seqclass_lstm_trace_size(const Pass *pass) {
    int64_t records = pass->shared_steps;
    for (int64_t row = 0; row < pass->batch; row++) records += pass->steps - pass->begins[row];
    return states_size(pass) + records * record_size(pass);
}

/* Rows that go through time together: every `threads`th of the sorted ones, so that all groups have alike work. */
typedef struct {
    int64_t rows;
    int64_t order[GROUP_ROWS];  /* where a row lies in the batch */
    int64_t begins[GROUP_ROWS]; /* its first step, ascending */
    int64_t sorted[GROUP_ROWS]; /* its place among the sorted rows */
    float *records;             /* of its first step; NULL without a trace */
} Group;

static int64_t bands_of(const Pass *pass) {
    return (pass->batch + pass->threads * GROUP_ROWS - 1) / (pass->threads * GROUP_ROWS);
}

static void fill_group(const Pass *pass, int64_t band, int64_t part, Group *group) {
    int64_t threads = pass->threads, bands = bands_of(pass);
    int64_t each = (pass->batch + threads * bands - 1) / (threads * bands), before = pass->shared_steps;
    group->rows = 0;
    for (int64_t row = 0; row < pass->batch; row++) {
        int64_t row_band = row / (threads * each), row_part = row % threads;
        if (row_band == band && row_part == part) {
            group->order[group->rows] = pass->order[row];
            group->begins[group->rows] = pass->begins[row];
            group->sorted[group->rows++] = row;
        } else if (row_band < band || (row_band == band && row_part < part)) {
            before += pass->steps - pass->begins[row];
        }
    }
    group->records = pass->trace ? pass->trace + states_size(pass) + before * record_size(pass) : NULL;
}

/* The shared row takes its inputs from the row that begins last. */
static void fill_shared(const Pass *pass, Group *group) {
    group->rows = 1;
    group->order[0] = pass->order[pass->batch - 1];
    group->begins[0] = 0;
    group->records = pass->trace ? pass->trace + states_size(pass) : NULL;
}

/* Where a row's state after a step lies among those of all steps. */
static int64_t place(const Pass *pass, int64_t row, int64_t step) {
    return (row * pass->steps + step) * pass->hidden_size;
}

static int64_t active_rows(const Group *group, int64_t step) {
    int64_t rows = 0;
    while (rows < group->rows && group->begins[rows] <= step) rows++;
    return rows;
}

static float *allocate(int64_t floats) { return aligned_alloc(64, (size_t)round_up(4 * floats, 64)); }

INLINE void times_mask(const Pass *pass, int64_t gate, int64_t row, const float *from, float *to, const int add) {
    const int64_t width = width_of(pass);
    const float *mask = pass->masks + (gate * pass->batch + row) * width;
    for (int64_t column = 0; column < width; column++)
        to[column] = (add ? to[column] : 0) + from[column] * mask[column];
}

#endif
