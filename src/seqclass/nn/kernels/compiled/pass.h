/* What the forward and the backward pass share: how their memory is laid out, and which rows go through time together.
 */

#ifndef SEQCLASS_PASS_H
#define SEQCLASS_PASS_H

#include <stdlib.h>
#include <string.h>

#include "recurrent.h"
#include "bfloat16.h"

/* Rows that a thread takes through time together. */
#define GROUP_ROWS 48
_Static_assert(GROUP_ROWS % TILE_HEIGHT == 0, "rows of scratch are whole tiles");

static inline int64_t width_of(const Pass *pass) { return pass->input_size + 1 + pass->hidden_size; }
/* Units with room for whole vectors. */
static inline int64_t units_of(const Pass *pass) { return round_up(pass->hidden_size, LANES); }
/* Gate dropout splits one product into four, each of one gate. */
static inline int64_t products_of(const Pass *pass) { return pass->masks ? 4 : 1; }

/* The trace holds first the shared row's states, c and h after 0, 1, ... steps, and then a record for each step of the
 * shared row and of each group: i, f, g, o and c of each row. */
static inline int64_t record_size(const Pass *pass) { return 5 * units_of(pass); }
static inline int64_t state_size(const Pass *pass) { return 2 * units_of(pass); }
static inline int64_t states_size(const Pass *pass) { return (pass->shared_steps + 1) * state_size(pass); }

/* Rows that go through time together: every `threads`th of the sorted ones, so that groups have similar work. */
typedef struct {
    int64_t rows;
    int64_t order[GROUP_ROWS];  /* where a row lies in the batch */
    int64_t begins[GROUP_ROWS]; /* its first step, ascending */
    int64_t sorted[GROUP_ROWS]; /* its place among the sorted rows */
    float *records;             /* of its first step; NULL without a trace */
} Group;

/* How many groups a thread runs one after the other. */
static inline int64_t bands_of(const Pass *pass) {
    return (pass->batch + pass->threads * GROUP_ROWS - 1) / (pass->threads * GROUP_ROWS);
}

/* OK if nothing that this pass says of itself leads outside its memory, else the code for what does. */
int check_pass(const Pass *pass, int64_t size);

void fill_group(const Pass *pass, int64_t band, int64_t part, Group *group);

/* The shared row takes its inputs from the row that begins last. */
void fill_shared(const Pass *pass, Group *group);

/* Where a row's state after a step lies among those of all steps. */
static inline int64_t place(const Pass *pass, int64_t row, int64_t step) {
    return (row * pass->steps + step) * pass->hidden_size;
}

/* The functions of products.h and bfloat16.h, as the pass wants them. */
int64_t packed_floats(const Pass *pass, int64_t columns, int64_t depth);
void pack_weight(const Pass *pass, int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column,
                 float *packed);
void multiply_rows(const Pass *pass, int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b,
                   float *c, float *room);

static inline float *allocate(int64_t floats) { return aligned_alloc(64, (size_t)round_up(4 * floats, 64)); }

/* to = from * mask, or added to it; `gate` and `row` say which mask. */
INLINE void times_mask(const Pass *pass, int64_t gate, int64_t row, const float *from, float *to, const int add) {
    const int64_t width = width_of(pass);
    const float *mask = pass->masks + (gate * pass->batch + row) * width;
    for (int64_t column = 0; column < width; column++)
        to[column] = (add ? to[column] : 0) + from[column] * mask[column];
}

#endif
