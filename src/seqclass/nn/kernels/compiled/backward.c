/* The backward pass: from the last step to the first, a group of rows at a time. The gradient of the weights is added
 * for the rows of several steps at once. */

#include <omp.h>

#include "cells.h"

/* How many rows, of several steps, are collected before their part of the gradient of the weights is added. */
#define BLOCK_ROWS 96

typedef struct {
    float *rows;    /* (BLOCK_ROWS + GROUP_ROWS, STRIDE): [x, 1, h] of the steps whose outer product is to be added */
    float *d_gates; /* (BLOCK_ROWS + GROUP_ROWS, STRIDE): their gates' gradient, before activation */
    int64_t kept;   /* how many rows these two hold */
    int64_t order[BLOCK_ROWS + GROUP_ROWS]; /* where each of them lies in the batch */
    float *d_rows;                          /* (GROUP_ROWS, STRIDE): gradient of [x, 1, h] */
    float *masked;                          /* (BLOCK_ROWS + GROUP_ROWS, STRIDE) */
    float *d_hidden;                        /* (GROUP_ROWS, units) */
    float *d_cells;                         /* (GROUP_ROWS, units) */
    float *d_weight;                        /* of each piece (depth, columns), both rounded up: this thread's part */
    float *room;                            /* of a product of bfloat16 */
} BackwardScratch;

typedef struct {
    Pieces to_gates, to_rows;
} BackwardPieces;

static int64_t weight_columns(const Piece *piece) { return round_up(piece->columns, PANEL); }

static int64_t weight_size(const Pass *pass, const Piece *piece) {
    return (pass->bfloat16 ? round_up(piece->depth, TILE_HEIGHT) : piece->depth) * weight_columns(piece);
}

static int64_t all_weights_size(const Pass *pass, const Pieces *pieces) {
    int64_t size = 0;
    for (int64_t number = 0; number < pieces->count; number++) size += weight_size(pass, pieces->list + number);
    return size;
}

/* No piece needs more than one that is as wide and as deep as all of them. */
static int64_t room_size(const Pass *pass) {
    if (!pass->bfloat16) return 0;
    const int64_t step = room_size_bfloat16(GROUP_ROWS, 0, 4 * pass->hidden_size);
    const int64_t block = room_size_bfloat16(width_of(pass), 4 * pass->hidden_size, BLOCK_ROWS + GROUP_ROWS);
    return step > block ? step : block;
}

static int64_t backward_scratch_size(const Pass *pass, const Pieces *to_gates) {
    return (3 * (BLOCK_ROWS + GROUP_ROWS) + GROUP_ROWS) * STRIDE + 2 * GROUP_ROWS * units_of(pass) +
           all_weights_size(pass, to_gates) + room_size(pass);
}

static void cut_backward_scratch(const Pass *pass, const Pieces *to_gates, float *memory, BackwardScratch *scratch) {
    const int64_t block = (BLOCK_ROWS + GROUP_ROWS) * STRIDE, units = GROUP_ROWS * units_of(pass);
    scratch->rows = memory;
    scratch->d_gates = memory + block;
    scratch->masked = memory + 2 * block;
    scratch->d_rows = memory + 3 * block;
    scratch->d_hidden = scratch->d_rows + GROUP_ROWS * STRIDE;
    scratch->d_cells = scratch->d_hidden + units;
    scratch->d_weight = scratch->d_cells + units;
    scratch->kept = 0;
    scratch->room = scratch->d_weight + all_weights_size(pass, to_gates);
    memset(scratch->d_weight, 0, 4 * all_weights_size(pass, to_gates));
}

/* Adds the kept rows' contribution to the gradient of the weights. */
static void add_kept(const Pass *pass, const Pieces *to_gates, BackwardScratch *scratch) {
    float *d_weight = scratch->d_weight;
    for (int64_t number = 0; number < to_gates->count; number++) {
        const Piece *piece = to_gates->list + number;
        const float *rows = scratch->rows;
        if (pass->masks) {
            rows = scratch->masked;
            for (int64_t row = 0; row < scratch->kept; row++)
                times_mask(pass, piece, number, scratch->order[row], scratch->rows + row * STRIDE,
                           scratch->masked + row * STRIDE, 0);
        }
        const float *d_gates = scratch->d_gates + piece->column;
        if (pass->bfloat16)
            add_outer_product_bfloat16(piece->depth, piece->columns, scratch->kept, rows + piece->start, d_gates,
                                       d_weight, weight_columns(piece), scratch->room);
        else
            add_outer_product(piece->depth, piece->columns, scratch->kept, rows + piece->start, d_gates, d_weight,
                              weight_columns(piece));
        d_weight += weight_size(pass, piece);
    }
    scratch->kept = 0;
}

static int64_t active_rows(const Group *group, int64_t step) {
    int64_t rows = 0;
    while (rows < group->rows && group->begins[rows] <= step) rows++;
    return rows;
}

/* From the gradient of the state after a step to that before it; `earlier` rows have a step before this one. */
static void backward_step(const Pass *pass, const BackwardPieces *pieces, const float *states, const Group *group,
                          int64_t rows, int64_t earlier, int64_t step, const float *records,
                          const float *records_before, BackwardScratch *scratch) {
    const int64_t input_size = pass->input_size, hidden_size = pass->hidden_size, units = units_of(pass);
    float *kept_rows = scratch->rows + scratch->kept * STRIDE, *d_gates = scratch->d_gates + scratch->kept * STRIDE;
    const float *state = states + (pass->shared_steps ? step : 0) * state_size(pass);
    for (int64_t row = 0; row < rows; row++) {
        float *kept = kept_rows + row * STRIDE;
        const float *record = records + row * record_size(pass);
        const float *before = row < earlier ? records_before + row * record_size(pass) : NULL;
        float *d_hidden = scratch->d_hidden + row * units, *d_cell = scratch->d_cells + row * units;
        memcpy(kept, pass->inputs + (group->order[row] * pass->steps + step) * input_size, 4 * input_size);
        kept[input_size] = 1;
        scratch->order[scratch->kept + row] = group->order[row];
        float *d_gate = d_gates + row * STRIDE, *hidden_before = kept + input_size + 1;
        if (pass->slope != 0)
            differentiate_cell(pass, pass->slope, 0, record, before, state, d_hidden, d_cell, d_gate, hidden_before);
        else if (pass->bfloat16)
            differentiate_cell(pass, 0, 1, record, before, state, d_hidden, d_cell, d_gate, hidden_before);
        else
            differentiate_cell(pass, 0, 0, record, before, state, d_hidden, d_cell, d_gate, hidden_before);
    }
    for (int64_t row = 0; pass->masks && row < rows; row++)
        memset(scratch->d_rows + row * STRIDE, 0, 4 * width_of(pass));
    for (int64_t number = 0; number < pieces->to_rows.count; number++) {
        const Piece *piece = pieces->to_rows.list + number;
        float *result = pass->masks ? scratch->masked : scratch->d_rows;
        multiply_rows(pass, rows, piece->depth, piece->columns, d_gates + piece->column, piece->packed,
                      result + piece->start, scratch->room);
        if (pass->masks)
            for (int64_t row = 0; row < rows; row++)
                times_mask(pass, piece, number, group->order[row], result + row * STRIDE,
                           scratch->d_rows + row * STRIDE, 1);
    }
    for (int64_t row = 0; row < rows; row++) {
        float *d_row = scratch->d_rows + row * STRIDE;
        float *d_input = pass->d_inputs + (group->order[row] * pass->steps + step) * input_size;
        memcpy(d_input, d_row, 4 * input_size);
        memcpy(scratch->d_hidden + row * units, d_row + input_size + 1, 4 * hidden_size);
    }
    scratch->kept += rows;
    if (scratch->kept >= BLOCK_ROWS) add_kept(pass, &pieces->to_gates, scratch);
}

/* Adds the gradient of a row's state after a step as one of the results. */
static void add_result(const Pass *pass, int64_t row, int64_t step, float *d_hidden) {
    const float *d_result = pass->d_sequences + place(pass, row, step);
    for (int64_t unit = 0; unit < pass->hidden_size; unit++) d_hidden[unit] += d_result[unit];
}

/* Writes to `d_begins`, (batch, 2 * units), the gradient of the state with which each row begins: c, h. */
static void backward_group(const Pass *pass, const BackwardPieces *pieces, const Group *group, float *d_begins,
                           BackwardScratch *scratch) {
    const int64_t units = units_of(pass), input_size = pass->input_size;
    memset(scratch->d_cells, 0, 4 * group->rows * units);
    memset(scratch->d_hidden, 0, 4 * group->rows * units);
    int64_t records = 0;
    for (int64_t row = 0; row < group->rows; row++) {
        if (pass->d_last)
            memcpy(scratch->d_hidden + row * units, pass->d_last + group->order[row] * pass->hidden_size,
                   4 * pass->hidden_size);
        memset(pass->d_inputs + group->order[row] * pass->steps * input_size, 0, 4 * group->begins[row] * input_size);
        records += pass->steps - group->begins[row];
    }
    int64_t rows = group->rows;
    for (int64_t step = pass->steps; rows > 0; step--) {
        /* The state before `step` is the first one of the rows that begin there. */
        for (; rows > 0 && group->begins[rows - 1] == step; rows--) {
            float *d_begin = d_begins + group->sorted[rows - 1] * 2 * units;
            memcpy(d_begin, scratch->d_cells + (rows - 1) * units, 4 * units);
            memcpy(d_begin + units, scratch->d_hidden + (rows - 1) * units, 4 * units);
        }
        if (rows == 0) break;
        for (int64_t row = 0; pass->d_sequences && row < rows; row++)
            add_result(pass, group->order[row], step - 1, scratch->d_hidden + row * units);
        int64_t earlier = active_rows(group, step - 2);
        records -= rows;
        backward_step(pass, pieces, pass->trace, group, rows, earlier, step - 1,
                      group->records + records * record_size(pass),
                      group->records + (records - earlier) * record_size(pass), scratch);
    }
}

/* The shared row collects the gradients of all rows that began with its states. */
static void backward_shared(const Pass *pass, const BackwardPieces *pieces, const float *d_begins,
                            BackwardScratch *scratch) {
    const int64_t units = units_of(pass);
    Group group;
    fill_shared(pass, &group);
    memset(scratch->d_cells, 0, 4 * units);
    memset(scratch->d_hidden, 0, 4 * units);
    int64_t row = pass->batch;
    for (int64_t step = pass->shared_steps; step > 0; step--) {
        for (; row > 0 && pass->begins[row - 1] == step; row--)
            for (int64_t unit = 0; unit < units; unit++) {
                scratch->d_cells[unit] += d_begins[(row - 1) * 2 * units + unit];
                scratch->d_hidden[unit] += d_begins[(row - 1) * 2 * units + units + unit];
            }
        /* Rows that begin later share its state. */
        for (int64_t later = row; pass->d_sequences && later < pass->batch; later++)
            add_result(pass, pass->order[later], step - 1, scratch->d_hidden);
        backward_step(pass, pieces, pass->trace, &group, 1, 0, step - 1, group.records + (step - 1) * record_size(pass),
                      NULL, scratch);
    }
}

/* Shared out among the threads. What a piece lacks of a column of the weight has no gradient. */
static void add_threads(const Pass *pass, const Pieces *to_gates, const BackwardScratch *scratches, int64_t used) {
    int64_t before = 0;
    for (int64_t number = 0; number < to_gates->count; number++) {
        const Piece *piece = to_gates->list + number;
#pragma omp for
        for (int64_t column = 0; column < piece->columns; column++) {
            float *d_column = pass->d_weight + (piece->column + column) * width_of(pass);
            memset(d_column, 0, 4 * width_of(pass));
            for (int64_t k = 0; k < piece->depth; k++) {
                float sum = 0;
                for (int64_t thread = 0; thread < used; thread++)
                    sum += scratches[thread].d_weight[before + k * weight_columns(piece) + column];
                d_column[piece->start + k] = sum;
            }
        }
        before += weight_size(pass, piece);
    }
}

int seqclass_backward(const Pass *pass, int64_t size) {
    const int status = check_pass(pass, size);
    if (status != SEQCLASS_OK) return status;
    if (!pass->trace || !pass->d_inputs || !pass->d_weight || (!pass->d_last && !pass->d_sequences))
        return SEQCLASS_MISSING_MEMORY;
    BackwardPieces pieces = {pieces_to_gates(pass), pieces_to_rows(pass)};
    const int64_t scratch_size = round_up(backward_scratch_size(pass, &pieces.to_gates), LANES);
    float *packed = pack_pieces(pass, &pieces.to_rows, 1);
    float *d_begins = allocate(pass->batch * 2 * units_of(pass));
    float *memory = allocate(pass->threads * scratch_size);
    BackwardScratch *scratches = calloc(pass->threads, sizeof(BackwardScratch));
    int failed = !packed || !d_begins || !memory || !scratches;
    int64_t used = 0;
    if (!failed) {
#pragma omp parallel num_threads(pass->threads)
        {
            unsigned flags = flush_denormals();
            BackwardScratch *scratch = scratches + omp_get_thread_num();
            cut_backward_scratch(pass, &pieces.to_gates, memory + omp_get_thread_num() * scratch_size, scratch);
            for (int64_t part = omp_get_thread_num(); part < pass->threads; part += omp_get_num_threads())
                for (int64_t band = 0; band < bands_of(pass); band++) {
                    Group group;
                    fill_group(pass, band, part, &group);
                    backward_group(pass, &pieces, &group, d_begins, scratch);
                }
#pragma omp barrier
/* Always the same thread, so that sums are always added in the same order. */
#pragma omp master
            {
                used = omp_get_num_threads();
                backward_shared(pass, &pieces, d_begins, scratch);
            }
            add_kept(pass, &pieces.to_gates, scratch);
#pragma omp barrier
            add_threads(pass, &pieces.to_gates, scratches, used);
            restore_denormals(flags);
        }
    }
    free(packed);
    free(d_begins);
    free(memory);
    free(scratches);
    return failed ? SEQCLASS_NO_MEMORY : SEQCLASS_OK;
}
