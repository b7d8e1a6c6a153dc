/* Runs the compiled kernel on passes of random sizes, valid ones and broken ones, in memory of exactly their sizes.
 *
 * Compiled together with the kernel and with the address and undefined-behaviour sanitizers, which end the program
 * where memory is touched that is not the pass's. A valid pass has to give finite numbers everywhere, with or without a
 * trace the same; a broken one has to be refused by its code, and its results left alone.
 *
 * Usage: random_passes SEED NUMBER */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurrent.h"

static uint64_t state;

/* xorshift64* (Vigna, 2016). */
static uint64_t draw(void) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717);
}
/* Both ends included. */
static int64_t between(int64_t low, int64_t high) {
    return low + (int64_t)((draw() >> 11) % (uint64_t)(high - low + 1));
}
static float number(float scale) { return scale * ((float)(draw() >> 40) / 8388608.0f - 1.0f); }

static void fail(const char *what, const Pass *pass) {
    fprintf(stderr,
            "%s: cell=%" PRId64 " batch=%" PRId64 " steps=%" PRId64 " input_size=%" PRId64 " hidden_size=%" PRId64
            " threads=%" PRId64 " shared_steps=%" PRId64 " bfloat16=%" PRId64 " slope=%g masks=%d\n",
            what, pass->cell, pass->batch, pass->steps, pass->input_size, pass->hidden_size, pass->threads,
            pass->shared_steps, pass->bfloat16, pass->slope, pass->masks != NULL);
    exit(1);
}

static float *numbers(int64_t count, float scale) {
    float *memory = malloc(4 * (size_t)count);
    for (int64_t i = 0; i < count; i++) memory[i] = number(scale);
    return memory;
}

/* Memory for results: whatever is not written stays not a number. */
static float *unwritten(int64_t count) {
    float *memory = malloc(4 * (size_t)count);
    for (int64_t i = 0; i < count; i++) memory[i] = NAN;
    return memory;
}

static int all_finite(const float *memory, int64_t count) {
    for (int64_t i = 0; memory && i < count; i++)
        if (!isfinite(memory[i])) return 0;
    return 1;
}

static int none_written(const float *memory, int64_t count) {
    for (int64_t i = 0; memory && i < count; i++)
        if (!isnan(memory[i])) return 0;
    return 1;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

typedef struct {
    Pass pass;
    int64_t *order, *begins;
    float *inputs, *weight, *masks, *d_last, *d_sequences;
    int64_t num_last, num_sequences, num_inputs, num_weight;
} Problem;

static Problem make_problem(void) {
    Problem problem = {0};
    Pass *pass = &problem.pass;
    const int64_t limit = seqclass_max_columns();
    const int wide = between(0, 30) == 0;
    pass->cell = between(0, 1) ? SEQCLASS_LSTM : SEQCLASS_GRU;
    pass->batch = wide ? between(1, 8) : between(1, between(0, 3) ? 20 : 200);
    pass->steps = between(1, wide ? 4 : 16);
    pass->hidden_size = between(1, wide ? limit / 4 : 40);
    pass->input_size = between(0, wide ? limit - 1 - pass->hidden_size : 40);
    if (wide && between(0, 1)) pass->input_size = limit - 1 - pass->hidden_size;
    pass->threads = between(1, pass->batch < 3 ? pass->batch : 3);
    pass->bfloat16 = seqclass_has_bfloat16() && between(0, 1);
    pass->slope = (const float[]){0.0f, 0.2f, 1.0f / 6}[between(0, 2)];

    const int64_t width = pass->input_size + 1 + pass->hidden_size;
    problem.num_last = pass->batch * pass->hidden_size;
    problem.num_sequences = problem.num_last * pass->steps;
    problem.num_inputs = pass->batch * pass->steps * pass->input_size;
    problem.num_weight = 4 * pass->hidden_size * width;
    pass->order = problem.order = malloc(8 * (size_t)pass->batch);
    pass->begins = problem.begins = calloc((size_t)pass->batch, 8);
    pass->inputs = problem.inputs = numbers(problem.num_inputs, 1);
    pass->weight = problem.weight = numbers(problem.num_weight, 1 / sqrtf((float)width));
    for (int64_t row = 0; row < pass->batch; row++) {
        int64_t other = between(0, row);
        problem.order[row] = problem.order[other];
        problem.order[other] = row;
    }
    const int64_t padding = between(0, 2); /* none, masked, shared */
    if (padding > 0) {
        for (int64_t row = 0; row < pass->batch; row++) problem.begins[row] = between(0, pass->steps);
        qsort(problem.begins, (size_t)pass->batch, 8, ascending);
    }
    if (padding == 2) pass->shared_steps = problem.begins[pass->batch - 1];
    if (between(0, 1)) pass->masks = problem.masks = numbers(4 * pass->batch * width, 1);
    const int64_t results = between(1, 3);
    if (results & 1) {
        pass->last = unwritten(problem.num_last);
        pass->d_last = problem.d_last = numbers(problem.num_last, 1);
    }
    if (results & 2) {
        pass->sequences = unwritten(problem.num_sequences);
        pass->d_sequences = problem.d_sequences = numbers(problem.num_sequences, 1);
    }
    pass->d_inputs = unwritten(problem.num_inputs);
    pass->d_weight = unwritten(problem.num_weight);
    const int64_t trace_size = seqclass_trace_size(pass, sizeof(Pass));
    if (trace_size <= 0) fail("no size of the trace", pass);
    pass->trace = unwritten(trace_size);
    return problem;
}

static void free_problem(Problem *problem) {
    void *all[] = {problem->order,     problem->begins,         problem->inputs,        problem->weight,
                   problem->masks,     problem->d_last,         problem->d_sequences,   problem->pass.trace,
                   problem->pass.last, problem->pass.sequences, problem->pass.d_inputs, problem->pass.d_weight};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void run_valid(Problem *problem) {
    Pass *pass = &problem->pass;
    if (seqclass_forward(pass, sizeof(Pass)) != SEQCLASS_OK) fail("forward refused", pass);
    if (!all_finite(pass->last, problem->num_last) || !all_finite(pass->sequences, problem->num_sequences))
        fail("a result is not written or not finite", pass);
    Pass untraced = *pass;
    untraced.trace = NULL;
    untraced.last = pass->last ? unwritten(problem->num_last) : NULL;
    untraced.sequences = pass->sequences ? unwritten(problem->num_sequences) : NULL;
    if (seqclass_forward(&untraced, sizeof(Pass)) != SEQCLASS_OK) fail("forward without a trace refused", pass);
    if ((pass->last && memcmp(pass->last, untraced.last, 4 * (size_t)problem->num_last)) ||
        (pass->sequences && memcmp(pass->sequences, untraced.sequences, 4 * (size_t)problem->num_sequences)))
        fail("another result without a trace", pass);
    free(untraced.last);
    free(untraced.sequences);
    if (seqclass_backward(pass, sizeof(Pass)) != SEQCLASS_OK) fail("backward refused", pass);
    if (!all_finite(pass->d_inputs, problem->num_inputs) || !all_finite(pass->d_weight, problem->num_weight))
        fail("a gradient is not written or not finite", pass);
}

/* Breaks one thing in a copy of the pass, and in the rows that it points to; returns the code to expect. */
static int break_pass(Pass *pass, int64_t *order, int64_t *begins, int64_t *size) {
    const int64_t row = between(0, pass->batch - 1), limit = seqclass_max_columns();
    const int64_t huge = INT64_C(1) << between(41, 62);
    switch (between(0, seqclass_has_bfloat16() ? 22 : 23)) {
    case 0:
        *size += 8 * between(1, 3);
        return SEQCLASS_WRONG_LAYOUT;
    case 1:
        *size -= 8 * between(1, 3);
        return SEQCLASS_WRONG_LAYOUT;
    case 2:
        pass->batch = between(-1, 0);
        return SEQCLASS_WRONG_SIZES;
    case 3:
        pass->batch = huge;
        return SEQCLASS_WRONG_SIZES;
    case 4:
        pass->steps = between(-1, 0);
        return SEQCLASS_WRONG_SIZES;
    case 5:
        pass->steps = huge;
        return SEQCLASS_WRONG_SIZES;
    case 6:
        pass->hidden_size = between(0, 1) ? between(-1, 0) : huge;
        return SEQCLASS_WRONG_SIZES;
    case 7:
        pass->hidden_size = limit / 4 + 1;
        return SEQCLASS_WRONG_SIZES;
    case 8:
        pass->input_size = between(0, 1) ? -1 : huge;
        return SEQCLASS_WRONG_SIZES;
    case 9:
        pass->input_size = limit - pass->hidden_size;
        return SEQCLASS_WRONG_SIZES;
    case 10:
        pass->threads = between(-1, 0);
        return SEQCLASS_WRONG_SIZES;
    case 11:
        pass->threads = between(0, 1) ? pass->batch + 1 : huge;
        return SEQCLASS_WRONG_SIZES;
    case 12:
        begins[pass->batch - 1] = pass->steps + between(1, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 13:
        begins[0] = -between(1, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 14:
        begins[row] = INT64_MAX - between(0, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 15:
        order[row] = pass->batch + between(0, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 16:
        order[row] = -between(1, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 17:
        if (pass->batch == 1) order[0] = 1; /* else twice the same row */
        order[row] = order[(row + 1) % pass->batch];
        return SEQCLASS_WRONG_ROWS;
    case 18:
        pass->shared_steps = pass->steps + between(1, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 19: /* fewer than the row that begins last needs, or fewer than none */
        pass->shared_steps = begins[pass->batch - 1] > 1 ? begins[pass->batch - 1] - 1 : -between(1, 1000);
        return SEQCLASS_WRONG_ROWS;
    case 20:
        pass->weight = NULL;
        return SEQCLASS_MISSING_MEMORY;
    case 21:
        pass->cell = between(0, 1) ? SEQCLASS_GRU + between(1, 1000) : -between(1, 1000);
        return SEQCLASS_WRONG_SIZES;
    case 23:
        pass->bfloat16 = 1;
        return SEQCLASS_NO_BFLOAT16;
    default:
        pass->begins = NULL;
        return SEQCLASS_MISSING_MEMORY;
    }
}

static void run_broken(Problem *problem) {
    Pass pass = problem->pass;
    int64_t size = sizeof(Pass);
    const int expected = break_pass(&pass, problem->order, problem->begins, &size);
    if (seqclass_trace_size(&pass, size) != -expected) fail("a broken pass has a trace", &pass);
    if (seqclass_forward(&pass, size) != expected) fail("a broken pass runs forward", &pass);
    if (seqclass_backward(&pass, size) != expected) fail("a broken pass runs backward", &pass);
    if (!none_written(pass.last, problem->num_last) || !none_written(pass.sequences, problem->num_sequences) ||
        !none_written(pass.d_inputs, problem->num_inputs) || !none_written(pass.d_weight, problem->num_weight))
        fail("a broken pass writes", &pass);
}

/* What only one of the two directions needs. */
static void run_without_results(Problem *problem) {
    Pass pass = problem->pass;
    pass.last = pass.sequences = NULL;
    if (seqclass_forward(&pass, sizeof(Pass)) != SEQCLASS_MISSING_MEMORY) fail("no result is missed", &pass);
    pass = problem->pass;
    switch (between(0, 3)) {
    case 0:
        pass.trace = NULL;
        break;
    case 1:
        pass.d_inputs = NULL;
        break;
    case 2:
        pass.d_weight = NULL;
        break;
    default:
        pass.d_last = pass.d_sequences = NULL;
    }
    if (seqclass_backward(&pass, sizeof(Pass)) != SEQCLASS_MISSING_MEMORY) fail("no gradient is missed", &pass);
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    state = strtoull(argv[1], NULL, 10) * 2 + 1;
    const int64_t count = strtoll(argv[2], NULL, 10);
    int64_t broken = 0;
    for (int64_t i = 0; i < count; i++) {
        Problem problem = make_problem();
        const int64_t kind = between(0, 5);
        if (kind == 0)
            run_without_results(&problem);
        else if (kind <= 2)
            run_broken(&problem);
        else
            run_valid(&problem);
        broken += kind <= 2;
        free_problem(&problem);
    }
    printf("%" PRId64 " passes, %" PRId64 " of them broken\n", count, broken);
    return 0;
}
