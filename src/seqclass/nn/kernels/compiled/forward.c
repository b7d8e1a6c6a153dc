/* The forward pass: from the first step to the last, a group of rows at a time. */

#include <omp.h>

#include "cells.h"

typedef struct {
    float *rows;   /* (GROUP_ROWS, STRIDE): [x, 1, h] */
    float *gates;  /* (GROUP_ROWS, STRIDE): before activation */
    float *masked; /* (GROUP_ROWS, STRIDE): rows times the mask of a gate */
    float *cells;  /* (GROUP_ROWS, units) */
    float *room;   /* of a product of bfloat16 */
} ForwardScratch;

static void forward_step(const Pass *pass, const Pieces *pieces, const Group *group, int64_t rows, int64_t step,
                         const ForwardScratch *scratch, float *records) {
    const int64_t input_size = pass->input_size, hidden_size = pass->hidden_size, units = units_of(pass);
    for (int64_t row = 0; row < rows; row++)
        memcpy(scratch->rows + row * STRIDE, pass->inputs + (group->order[row] * pass->steps + step) * input_size,
               4 * input_size);
    for (int64_t number = 0; number < pieces->count; number++) {
        const Piece *piece = pieces->list + number;
        const float *factors = scratch->rows;
        if (pass->masks) {
            factors = scratch->masked;
            for (int64_t row = 0; row < rows; row++)
                times_mask(pass, piece, number, group->order[row], scratch->rows + row * STRIDE,
                           scratch->masked + row * STRIDE, 0);
        }
        /* By ascending columns: a product writes beyond its own, into those of the next. */
        multiply_rows(pass, rows, piece->columns, piece->depth, factors + piece->start, piece->packed,
                      scratch->gates + piece->column, scratch->room);
    }
    for (int64_t row = 0; row < rows; row++) {
        const float *gates = scratch->gates + row * STRIDE;
        float *cell = scratch->cells + row * units, *hidden = scratch->rows + row * STRIDE + input_size + 1;
        float *record = records ? records + row * record_size(pass) : NULL;
        if (pass->slope != 0)
            step_cell(pass, pass->slope, 0, gates, cell, hidden, record);
        else if (pass->bfloat16)
            step_cell(pass, 0, 1, gates, cell, hidden, record);
        else
            step_cell(pass, 0, 0, gates, cell, hidden, record);
        if (pass->sequences) memcpy(pass->sequences + place(pass, group->order[row], step), hidden, 4 * hidden_size);
    }
}

/* In its padding a row has the shared row's states, or zero. */
static void write_padding(const Pass *pass, const float *states, int64_t begin, int64_t row) {
    for (int64_t step = 0; step < begin; step++) {
        const float *state = states + (pass->shared_steps ? step + 1 : 0) * state_size(pass);
        memcpy(pass->sequences + place(pass, row, step), state + units_of(pass), 4 * pass->hidden_size);
    }
}

static void begin_row(const Pass *pass, const float *states, int64_t begin, int64_t row,
                      const ForwardScratch *scratch) {
    const int64_t units = units_of(pass), input_size = pass->input_size;
    const float *state = states + (pass->shared_steps ? begin : 0) * state_size(pass);
    memcpy(scratch->cells + row * units, state, 4 * units);
    scratch->rows[row * STRIDE + input_size] = 1;
    memcpy(scratch->rows + row * STRIDE + input_size + 1, state + units, 4 * pass->hidden_size);
}

/* Runs the shared row, and writes its state after each step. */
static void forward_shared(const Pass *pass, const Pieces *pieces, const ForwardScratch *scratch, float *states) {
    const int64_t units = units_of(pass);
    Group group;
    fill_shared(pass, &group);
    memset(states, 0, 4 * state_size(pass));
    begin_row(pass, states, 0, 0, scratch);
    for (int64_t step = 0; step < pass->shared_steps; step++) {
        forward_step(pass, pieces, &group, 1, step, scratch,
                     group.records ? group.records + step * record_size(pass) : NULL);
        float *state = states + (step + 1) * state_size(pass);
        memcpy(state, scratch->cells, 4 * units);
        memcpy(state + units, scratch->rows + pass->input_size + 1, 4 * units);
    }
}

static void forward_group(const Pass *pass, const Pieces *pieces, const float *states, const Group *group,
                          const ForwardScratch *scratch) {
    float *records = group->records;
    int64_t active = 0;
    for (int64_t step = group->rows ? group->begins[0] : pass->steps; step < pass->steps; step++) {
        for (; active < group->rows && group->begins[active] <= step; active++)
            begin_row(pass, states, step, active, scratch);
        forward_step(pass, pieces, group, active, step, scratch, records);
        if (records) records += active * record_size(pass);
    }
    for (; active < group->rows; active++) begin_row(pass, states, pass->steps, active, scratch);
    if (pass->sequences)
        for (int64_t row = 0; row < group->rows; row++)
            write_padding(pass, states, group->begins[row], group->order[row]);
    for (int64_t row = 0; pass->last && row < group->rows; row++)
        memcpy(pass->last + group->order[row] * pass->hidden_size, scratch->rows + row * STRIDE + pass->input_size + 1,
               4 * pass->hidden_size);
}

static int64_t forward_scratch_size(const Pass *pass) {
    const int64_t room = pass->bfloat16 ? room_size_bfloat16(GROUP_ROWS, 0, width_of(pass)) : 0;
    return GROUP_ROWS * (3 * STRIDE + units_of(pass)) + room;
}

static ForwardScratch cut_forward_scratch(const Pass *pass, float *memory) {
    return (ForwardScratch){memory, memory + GROUP_ROWS * STRIDE, memory + 2 * GROUP_ROWS * STRIDE,
                            memory + 3 * GROUP_ROWS * STRIDE, memory + GROUP_ROWS * (3 * STRIDE + units_of(pass))};
}

int seqclass_forward(const Pass *pass, int64_t size) {
    const int status = check_pass(pass, size);
    if (status != SEQCLASS_OK) return status;
    if (!pass->last && !pass->sequences) return SEQCLASS_MISSING_MEMORY;
    Pieces pieces = pieces_to_gates(pass);
    float *packed = pack_pieces(pass, &pieces, 0);
    float *states = pass->trace ? pass->trace : allocate(states_size(pass));
    float *scratch_memory = allocate(pass->threads * forward_scratch_size(pass));
    const int failed = !packed || !states || !scratch_memory;
    if (!failed) {
#pragma omp parallel num_threads(pass->threads)
        {
            unsigned flags = flush_denormals();
            ForwardScratch scratch =
                cut_forward_scratch(pass, scratch_memory + omp_get_thread_num() * forward_scratch_size(pass));
#pragma omp single
            forward_shared(pass, &pieces, &scratch, states);
            for (int64_t part = omp_get_thread_num(); part < pass->threads; part += omp_get_num_threads())
                for (int64_t band = 0; band < bands_of(pass); band++) {
                    Group group;
                    fill_group(pass, band, part, &group);
                    forward_group(pass, &pieces, states, &group, &scratch);
                }
            finish_stores();
            restore_denormals(flags);
        }
    }
    free(packed);
    if (!pass->trace) free(states);
    free(scratch_memory);
    return failed ? SEQCLASS_NO_MEMORY : SEQCLASS_OK;
}
