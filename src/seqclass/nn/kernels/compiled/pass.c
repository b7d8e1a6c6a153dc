/* Whether a pass may run at all, how much it keeps for the gradient, which pieces its products have, and which rows
 * make a group. */

#include "pass.h"

/* With rows and steps that together stay below this, no size that is computed from them leaves 64 bits. */
#define MAX_ROWS_TIMES_STEPS (INT64_C(1) << 40)
#define MAX_THREADS 4096

int64_t seqclass_max_columns(void) { return MAX_COLUMNS; }

int64_t seqclass_has_bfloat16(void) { return has_bfloat16(); }

static int sizes_are_right(const Pass *pass) {
    return (pass->cell == SEQCLASS_LSTM || pass->cell == SEQCLASS_GRU) && pass->batch > 0 && pass->steps > 0 &&
           pass->batch <= MAX_ROWS_TIMES_STEPS / pass->steps && pass->hidden_size > 0 &&
           pass->hidden_size <= MAX_COLUMNS / 4 && pass->input_size >= 0 &&
           pass->input_size <= MAX_COLUMNS - 1 - pass->hidden_size && pass->threads > 0 &&
           pass->threads <= minimum(pass->batch, MAX_THREADS);
}

/* `seen` has a zero for each row. */
static int rows_are_right(const Pass *pass, char *seen) {
    int64_t before = 0;
    for (int64_t row = 0; row < pass->batch; row++) {
        const int64_t begin = pass->begins[row], place_in_batch = pass->order[row];
        if (begin < before || begin > pass->steps) return 0;
        if (place_in_batch < 0 || place_in_batch >= pass->batch || seen[place_in_batch]) return 0;
        seen[place_in_batch] = 1;
        before = begin;
    }
    return pass->shared_steps == 0 || (pass->shared_steps >= before && pass->shared_steps <= pass->steps);
}

int check_pass(const Pass *pass, int64_t size) {
    if (size != (int64_t)sizeof(Pass)) return SEQCLASS_WRONG_LAYOUT;
    if (!sizes_are_right(pass)) return SEQCLASS_WRONG_SIZES;
    if (pass->bfloat16 && !has_bfloat16()) return SEQCLASS_NO_BFLOAT16;
    if (!pass->order || !pass->begins || !pass->inputs || !pass->weight) return SEQCLASS_MISSING_MEMORY;
    char *seen = calloc((size_t)pass->batch, 1);
    if (!seen) return SEQCLASS_NO_MEMORY;
    const int right = rows_are_right(pass, seen);
    free(seen);
    return right ? SEQCLASS_OK : SEQCLASS_WRONG_ROWS;
}

int64_t seqclass_trace_size(const Pass *pass, int64_t size) {
    const int status = check_pass(pass, size);
    if (status != SEQCLASS_OK) return -status;
    int64_t records = pass->shared_steps;
    for (int64_t row = 0; row < pass->batch; row++) records += pass->steps - pass->begins[row];
    return states_size(pass) + records * record_size(pass);
}

Pieces pieces_to_gates(const Pass *pass) {
    const int64_t units = pass->hidden_size;
    Pieces pieces = {0};
    for (int64_t gate = 0; gate < 4; gate++) {
        const int64_t start = pass->cell == SEQCLASS_GRU && gate == 3 ? pass->input_size : 0;
        const int64_t stop = pass->cell == SEQCLASS_GRU && gate == 0 ? pass->input_size + 1 : width_of(pass);
        Piece *before = pieces.count > 0 && !pass->masks ? &pieces.list[pieces.count - 1] : NULL;
        if (before && before->start == start && before->depth == stop - start)
            before->columns += units;
        else
            pieces.list[pieces.count++] =
                (Piece){.column = gate * units, .columns = units, .start = start, .depth = stop - start};
    }
    return pieces;
}

Pieces pieces_to_rows(const Pass *pass) {
    if (pass->cell == SEQCLASS_LSTM || pass->masks) return pieces_to_gates(pass);
    const int64_t units = pass->hidden_size, before_state = pass->input_size + 1;
    return (Pieces){.count = 2,
                    .list = {{.column = 0, .columns = 3 * units, .start = 0, .depth = before_state},
                             {.column = units, .columns = 3 * units, .start = before_state, .depth = units}}};
}

float *pack_pieces(const Pass *pass, Pieces *pieces, int to_rows) {
    const int64_t width = width_of(pass);
    int64_t sizes[MAX_PIECES], total = 0;
    for (int64_t number = 0; number < pieces->count; number++) {
        const Piece *piece = pieces->list + number;
        const int64_t columns = to_rows ? piece->depth : piece->columns,
                      depth = to_rows ? piece->columns : piece->depth;
        sizes[number] = pass->bfloat16 ? packed_size_bfloat16(columns, depth) : packed_size(columns, depth);
        total += sizes[number];
    }
    float *memory = allocate(total), *packed = memory;
    for (int64_t number = 0; memory && number < pieces->count; packed += sizes[number++]) {
        Piece *piece = pieces->list + number;
        const int64_t columns = to_rows ? piece->depth : piece->columns,
                      depth = to_rows ? piece->columns : piece->depth;
        const float *weight = pass->weight + piece->column * width + piece->start;
        (pass->bfloat16 ? pack_bfloat16 : pack)(columns, depth, weight, to_rows ? width : 1, to_rows ? 1 : width,
                                                packed);
        piece->packed = packed;
    }
    return memory;
}

void multiply_rows(const Pass *pass, int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b,
                   float *c, float *room) {
    if (pass->bfloat16)
        multiply_bfloat16(rows, columns, depth, a, b, c, room);
    else
        multiply(rows, columns, depth, a, b, c);
}

void fill_group(const Pass *pass, int64_t band, int64_t part, Group *group) {
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

void fill_shared(const Pass *pass, Group *group) {
    group->rows = 1;
    group->order[0] = pass->order[pass->batch - 1];
    group->begins[0] = 0;
    group->records = pass->trace ? pass->trace + states_size(pass) : NULL;
}
