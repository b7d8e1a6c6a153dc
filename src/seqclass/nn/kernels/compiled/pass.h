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

/* The trace holds first the shared row's states, c and h after 0, 1, ... steps, and then a record for each step of the
 * shared row and of each group: of each row, five vectors of units as cells.h lays them. */
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

/* A piece of the joint weight, multiplied in one go: some of the gates' columns, and some of the numbers in the row
 * [x, 1, h]. */
typedef struct {
    int64_t column, columns;
    int64_t start, depth;
    const float *packed; /* as the products take it */
} Piece;

#define MAX_PIECES 4
typedef struct {
    int64_t count;
    Piece list[MAX_PIECES]; /* by ascending columns; with gate dropout each of one gate, whose mask has its number */
} Pieces;

/* The pieces that lead from [x, 1, h] to the gates, which are those of the gradient of the weight too. */
Pieces pieces_to_gates(const Pass *pass);
/* The pieces that lead back from the gradient of the gates to that of [x, 1, h]. Without gate dropout each gives other
 * numbers of it than the rest, by ascending `start`; with it their results are added. */
Pieces pieces_to_rows(const Pass *pass);

/* Packs the weight, for products to the gates or back to the rows. Returns the memory, which is to be freed, or NULL if
 * there is none. */
float *pack_pieces(const Pass *pass, Pieces *pieces, int to_rows);

/* The product of products.h or bfloat16.h, as the pass wants it. */
void multiply_rows(const Pass *pass, int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b,
                   float *c, float *room);

static inline float *allocate(int64_t floats) { return aligned_alloc(64, (size_t)round_up(4 * floats, 64)); }

/* to = from * mask, or added to it, in the numbers of a row that the piece has; `gate` and `row` say which mask. */
INLINE void times_mask(const Pass *pass, const Piece *piece, int64_t gate, int64_t row, const float *from, float *to,
                       const int add) {
    const float *mask = pass->masks + (gate * pass->batch + row) * width_of(pass);
    for (int64_t k = piece->start; k < piece->start + piece->depth; k++) to[k] = (add ? to[k] : 0) + from[k] * mask[k];
}

#endif
