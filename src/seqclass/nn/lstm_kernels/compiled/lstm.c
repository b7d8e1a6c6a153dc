/* An LSTM over whole sequences, forward and backward, for CPUs with wide vectors; float32.
 *
 * A thread takes a group of rows from the first step to the last, so threads meet once in a pass and not at every step.
 * Within a step of a group, [x, 1, h] times [W, b, U]^T is one product whose right side stays in the second-level cache;
 * the gates follow while its result is in the first. The backward pass keeps the rows of a few steps, and adds their part of the
 * gradient of the weights before they leave the cache.
 *
 * Rows are sorted by the step at which they begin. Before it, a row is in its padding, where one row, the shared one,
 * stands for all; the state with which a row begins is the shared row's at that step. Without shared padding all begin with
 * zeros, which is the shared row's state after no step at all.
 *
 * The vectors are GCC's and Clang's own (vector_size), so one source serves AVX-512, AVX2, NEON and SSE.
 * `compiled/__init__.py` describes the fields of `Pass` once more for ctypes: the two have to agree.
 */

#include <omp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#if defined(__SSE__)
#include <immintrin.h>
#endif

/* A tile of the product is TILE_ROWS rows by two vectors: its sums, two vectors of the right side and a factor fill the registers. */
#if defined(__AVX512F__)
#define LANES 16
#define TILE_ROWS 12
#elif defined(__AVX__)
#define LANES 8
#define TILE_ROWS 6
#elif defined(__aarch64__)
#define LANES 4
#define TILE_ROWS 12
#else
#define LANES 4
#define TILE_ROWS 6
#endif
#define PANEL (2 * LANES)

/* Rows of scratch matrices lie this many floats apart, a constant so that a tile's addresses are constants too, and no power of
 * two so that rows do not compete for the same lines of the cache. It bounds 4 * hidden_size and the width of [x, 1, h]. */
#define STRIDE 1040
#define MAX_COLUMNS (STRIDE - LANES)
/* Rows that a thread takes through time together. */
#define GROUP_ROWS 48
/* Rows of several steps whose part of the gradient of the weights is added at once. */
#define BLOCK_ROWS 96

#define INLINE static inline __attribute__((always_inline))

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef float Unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE Vector load(const float *from) { return *(const Unaligned *)from; }
INLINE void store(float *to, Vector value) { *(Unaligned *)to = value; }
INLINE Vector choose(Integers mask, Vector yes, Vector no) {
    return (Vector)((mask & (Integers)yes) | (~mask & (Integers)no));
}
/* Minus zero and not plus zero: that returns every number as it is, so the compiler leaves it out. */
INLINE Vector broadcast(float value) { return value - (Vector){}; }
INLINE Vector at_least(Vector x, float low) { return choose(x > low, x, broadcast(low)); }
INLINE Vector at_most(Vector x, float high) { return choose(x < high, x, broadcast(high)); }

/* What a pass is given. Gates in PyTorch's order, i, f, g, o; width is input_size + 1 + hidden_size. */
typedef struct {
    int64_t batch, steps, input_size, hidden_size;
    int64_t threads;
    int64_t shared_steps;    /* steps that the shared row runs */
    float slope;             /* of the hard sigmoid; 0 for the sigmoid */
    const int64_t *order;    /* (batch), rows by the step at which they begin */
    const int64_t *begins;   /* (batch), that step, ascending */
    const float *inputs;     /* (batch, steps, input_size) */
    const float *weight;     /* (4 * hidden_size, width), [W, b, U] */
    const float *masks;      /* (4, batch, width), or NULL */
    float *trace;            /* (trace_size), or NULL where no gradient will be asked for */
    float *last;             /* (batch, hidden_size): the result */
    const float *d_last;     /* (batch, hidden_size): its gradient */
    float *d_inputs;         /* (batch, steps, input_size) */
    float *d_weight;         /* (4 * hidden_size, width) */
} Pass;

static int64_t minimum(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t round_up(int64_t number, int64_t multiple) { return (number + multiple - 1) / multiple * multiple; }
static int64_t width_of(const Pass *pass) { return pass->input_size + 1 + pass->hidden_size; }
/* Units with room for whole vectors. */
static int64_t units_of(const Pass *pass) { return round_up(pass->hidden_size, LANES); }
/* Gate dropout makes of one product four, each of one gate. */
static int64_t products_of(const Pass *pass) { return pass->masks ? 4 : 1; }

/* ---- functions of a vector ------------------------------------------------------------------------------------- */

/* exp by 2^n e^r, |r| <= ln(2) / 2, with the Taylor series of e^r to r^7: an error of two units in the last place. */
INLINE Vector exponential(Vector x) {
    const Vector magic = broadcast(12582912.0f); /* 1.5 * 2^23: adding it rounds to whole numbers */
    x = at_most(at_least(x, -87.0f), 88.0f);
    Vector shifted = x * 1.44269504f + magic;
    Vector n = shifted - magic;
    Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
    Vector e = broadcast(1.0f / 5040);
    e = e * r + 1.0f / 720;
    e = e * r + 1.0f / 120;
    e = e * r + 1.0f / 24;
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    return (Vector)((Integers)e + ((Integers)shifted << 23));
}

INLINE Vector sigmoid(Vector x) { return 1.0f / (1.0f + exponential(-x)); }
INLINE Vector hyperbolic_tangent(Vector x) { return 1.0f - 2.0f / (1.0f + exponential(x + x)); }

INLINE Vector activate(Vector x, float slope) {
    return slope == 0 ? sigmoid(x) : at_most(at_least(x * slope + 0.5f, 0.0f), 1.0f);
}
/* The derivative of `activate`, from what it returned. */
INLINE Vector slope_at(Vector y, float slope) {
    return slope == 0 ? y * (1.0f - y) : (Vector)((y > 0.0f) & (y < 1.0f) & (Integers)broadcast(slope));
}

/* ---- products -------------------------------------------------------------------------------------------------- */

/* c (rows, PANEL or LANES) = or += a (rows, depth) b (depth, ...). */
INLINE void tile(const int rows, const int vectors, int64_t depth, const float *a, const ptrdiff_t a_row,
                 const ptrdiff_t a_depth, const float *b, ptrdiff_t b_depth, float *c, ptrdiff_t c_row, const int add) {
    Vector sums[TILE_ROWS][2];
#pragma GCC unroll 12
    for (int row = 0; row < rows; row++) {
        sums[row][0] = add ? load(c + row * c_row) : (Vector){};
        if (vectors == 2) sums[row][1] = add ? load(c + row * c_row + LANES) : (Vector){};
    }
    for (int64_t k = 0; k < depth; k++) {
        Vector b0 = load(b), b1 = vectors == 2 ? load(b + LANES) : (Vector){};
#pragma GCC unroll 12
        for (int row = 0; row < rows; row++) {
            Vector factor = broadcast(a[row * a_row]);
            sums[row][0] += factor * b0;
            if (vectors == 2) sums[row][1] += factor * b1;
        }
        a += a_depth;
        b += b_depth;
    }
#pragma GCC unroll 12
    for (int row = 0; row < rows; row++) {
        store(c + row * c_row, sums[row][0]);
        if (vectors == 2) store(c + row * c_row + LANES, sums[row][1]);
    }
}

#define EACH_TILE(ROWS, VECTORS) \
    case ROWS: \
        tile(ROWS, VECTORS, depth, a, a_row, a_depth, b, b_depth, c, c_row, add); \
        break;
#if TILE_ROWS == 12
#define ALL_TILES(VECTORS) \
    EACH_TILE(1, VECTORS) EACH_TILE(2, VECTORS) EACH_TILE(3, VECTORS) EACH_TILE(4, VECTORS) EACH_TILE(5, VECTORS) \
    EACH_TILE(6, VECTORS) EACH_TILE(7, VECTORS) EACH_TILE(8, VECTORS) EACH_TILE(9, VECTORS) EACH_TILE(10, VECTORS) \
    EACH_TILE(11, VECTORS) EACH_TILE(12, VECTORS)
#else
#define ALL_TILES(VECTORS) \
    EACH_TILE(1, VECTORS) EACH_TILE(2, VECTORS) EACH_TILE(3, VECTORS) EACH_TILE(4, VECTORS) EACH_TILE(5, VECTORS) \
    EACH_TILE(6, VECTORS)
#endif

INLINE void any_tile(int64_t rows, int64_t columns, int64_t depth, const float *a, const ptrdiff_t a_row,
                     const ptrdiff_t a_depth, const float *b, ptrdiff_t b_depth, float *c, ptrdiff_t c_row,
                     const int add) {
    if (columns > LANES) {
        switch (rows) { ALL_TILES(2) }
    } else {
        switch (rows) { ALL_TILES(1) }
    }
}

/* c (rows, columns) = a (rows, depth) b, with b packed by `pack`. Writes whole vectors: up to LANES - 1 columns beyond. */
static void multiply(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c) {
    for (int64_t column = 0; column < columns; column += PANEL, b += depth * PANEL)
        for (int64_t row = 0; row < rows; row += TILE_ROWS)
            any_tile(minimum(rows - row, TILE_ROWS), columns - column, depth, a + row * STRIDE, STRIDE, 1, b, PANEL,
                     c + row * STRIDE + column, STRIDE, 0);
}

/* c (rows, columns) += a^T b, with a (depth, rows) and b (depth, columns) as they lie in scratch. */
static void add_outer_product(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                              ptrdiff_t c_row) {
    for (int64_t column = 0; column < columns; column += PANEL)
        for (int64_t row = 0; row < rows; row += TILE_ROWS)
            any_tile(minimum(rows - row, TILE_ROWS), columns - column, depth, a + row, 1, STRIDE, b + column, STRIDE,
                     c + row * c_row + column, c_row, 1);
}

static int64_t packed_size(int64_t columns, int64_t depth) { return round_up(columns, PANEL) * depth; }

/* Lay b (depth, columns) out in panels of PANEL columns, each row of a panel behind the other. */
static void pack(int64_t columns, int64_t depth, const float *b, ptrdiff_t b_depth, ptrdiff_t b_column, float *packed) {
    for (int64_t start = 0; start < columns; start += PANEL)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t column = start; column < start + PANEL; column++)
                *packed++ = column < columns ? b[k * b_depth + column * b_column] : 0;
}

/* ---- what is kept, and where ----------------------------------------------------------------------------------- */

/* The trace holds first the shared row's states, c and h after 0, 1, ... steps, and then a record for each step of the
 * shared row and of each group: i, f, g, o and c of each row. */
static int64_t record_size(const Pass *pass) { return 5 * units_of(pass); }
static int64_t state_size(const Pass *pass) { return 2 * units_of(pass); }
static int64_t states_size(const Pass *pass) { return (pass->shared_steps + 1) * state_size(pass); }

int64_t seqclass_lstm_max_columns(void) { return MAX_COLUMNS; }

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

static int64_t active_rows(const Group *group, int64_t step) {
    int64_t rows = 0;
    while (rows < group->rows && group->begins[rows] <= step) rows++;
    return rows;
}

static float *allocate(int64_t floats) { return aligned_alloc(64, (size_t)round_up(4 * floats, 64)); }

/* Denormals are flushed while a pass runs: gradients that vanish over hundreds of steps go through them. */
static unsigned flush_denormals(void) {
#if defined(__SSE__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}
static void restore_denormals(unsigned before) {
#if defined(__SSE__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

/* ---- masks of gate dropout ------------------------------------------------------------------------------------- */

INLINE void times_mask(const Pass *pass, int64_t gate, int64_t row, const float *from, float *to, const int add) {
    const int64_t width = width_of(pass);
    const float *mask = pass->masks + (gate * pass->batch + row) * width;
    for (int64_t column = 0; column < width; column++)
        to[column] = (add ? to[column] : 0) + from[column] * mask[column];
}

/* ---- forward --------------------------------------------------------------------------------------------------- */

typedef struct {
    float *rows;   /* (GROUP_ROWS, STRIDE): [x, 1, h] */
    float *gates;  /* (GROUP_ROWS, STRIDE): before activation */
    float *masked; /* (GROUP_ROWS, STRIDE): rows times the mask of a gate */
    float *cells;  /* (GROUP_ROWS, units) */
} ForwardScratch;

INLINE void activate_gates(int64_t hidden_size, int64_t units, float slope, const float *gates, float *cell,
                           float *hidden, float *record) {
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector i = activate(load(gates + unit), slope);
        Vector f = activate(load(gates + hidden_size + unit), slope);
        Vector g = hyperbolic_tangent(load(gates + 2 * hidden_size + unit));
        Vector o = activate(load(gates + 3 * hidden_size + unit), slope);
        Vector c = f * load(cell + unit) + i * g;
        store(cell + unit, c);
        store(hidden + unit, o * hyperbolic_tangent(c));
        if (record) {
            store(record + unit, i);
            store(record + units + unit, f);
            store(record + 2 * units + unit, g);
            store(record + 3 * units + unit, o);
            store(record + 4 * units + unit, c);
        }
    }
}

static void forward_step(const Pass *pass, const float *packed, const Group *group, int64_t rows, int64_t step,
                         const ForwardScratch *scratch, float *records) {
    const int64_t input_size = pass->input_size, hidden_size = pass->hidden_size, width = width_of(pass);
    const int64_t products = products_of(pass), columns = 4 * hidden_size / products, units = units_of(pass);
    for (int64_t row = 0; row < rows; row++)
        memcpy(scratch->rows + row * STRIDE, pass->inputs + (group->order[row] * pass->steps + step) * input_size,
               4 * input_size);
    for (int64_t product = 0; product < products; product++) {
        const float *factors = scratch->rows;
        if (pass->masks) {
            factors = scratch->masked;
            for (int64_t row = 0; row < rows; row++)
                times_mask(pass, product, group->order[row], scratch->rows + row * STRIDE,
                           scratch->masked + row * STRIDE, 0);
        }
        /* In ascending order: a product writes beyond its columns, into those of the next. */
        multiply(rows, columns, width, factors, packed + product * packed_size(columns, width),
                 scratch->gates + product * columns);
    }
    for (int64_t row = 0; row < rows; row++) {
        const float *gates = scratch->gates + row * STRIDE;
        float *cell = scratch->cells + row * units, *hidden = scratch->rows + row * STRIDE + input_size + 1;
        float *record = records ? records + row * record_size(pass) : NULL;
        if (pass->slope == 0)
            activate_gates(hidden_size, units, 0, gates, cell, hidden, record);
        else
            activate_gates(hidden_size, units, pass->slope, gates, cell, hidden, record);
    }
}

static void begin_row(const Pass *pass, const float *states, int64_t begin, int64_t row, const ForwardScratch *scratch) {
    const int64_t units = units_of(pass), input_size = pass->input_size;
    const float *state = states + (pass->shared_steps ? begin : 0) * state_size(pass);
    memcpy(scratch->cells + row * units, state, 4 * units);
    scratch->rows[row * STRIDE + input_size] = 1;
    memcpy(scratch->rows + row * STRIDE + input_size + 1, state + units, 4 * pass->hidden_size);
}

/* Run the shared row, and write its state after each step. */
static void forward_shared(const Pass *pass, const float *packed, const ForwardScratch *scratch, float *states) {
    const int64_t units = units_of(pass);
    Group group;
    fill_shared(pass, &group);
    memset(states, 0, 4 * state_size(pass));
    begin_row(pass, states, 0, 0, scratch);
    for (int64_t step = 0; step < pass->shared_steps; step++) {
        forward_step(pass, packed, &group, 1, step, scratch,
                     group.records ? group.records + step * record_size(pass) : NULL);
        float *state = states + (step + 1) * state_size(pass);
        memcpy(state, scratch->cells, 4 * units);
        memcpy(state + units, scratch->rows + pass->input_size + 1, 4 * units);
    }
}

static void forward_group(const Pass *pass, const float *packed, const float *states, const Group *group,
                          const ForwardScratch *scratch) {
    float *records = group->records;
    int64_t active = 0;
    for (int64_t step = group->rows ? group->begins[0] : pass->steps; step < pass->steps; step++) {
        for (; active < group->rows && group->begins[active] <= step; active++)
            begin_row(pass, states, step, active, scratch);
        forward_step(pass, packed, group, active, step, scratch, records);
        if (records) records += active * record_size(pass);
    }
    for (; active < group->rows; active++) begin_row(pass, states, pass->steps, active, scratch);
    for (int64_t row = 0; row < group->rows; row++)
        memcpy(pass->last + group->order[row] * pass->hidden_size, scratch->rows + row * STRIDE + pass->input_size + 1,
               4 * pass->hidden_size);
}

static int64_t forward_scratch_size(const Pass *pass) { return GROUP_ROWS * (3 * STRIDE + units_of(pass)); }

static ForwardScratch cut_forward_scratch(float *memory) {
    return (ForwardScratch){memory, memory + GROUP_ROWS * STRIDE, memory + 2 * GROUP_ROWS * STRIDE,
                            memory + 3 * GROUP_ROWS * STRIDE};
}

/* Fills `last`, and `trace` where there is one. Returns 0, or 1 where memory was refused. */
int seqclass_lstm_forward(const Pass *pass) {
    const int64_t width = width_of(pass), products = products_of(pass), columns = 4 * pass->hidden_size / products;
    const int64_t packed_floats = products * packed_size(columns, width);
    float *packed = allocate(packed_floats + (pass->trace ? 0 : states_size(pass)));
    float *scratch_memory = allocate(pass->threads * forward_scratch_size(pass));
    if (!packed || !scratch_memory) {
        free(packed);
        free(scratch_memory);
        return 1;
    }
    float *states = pass->trace ? pass->trace : packed + packed_floats;
    for (int64_t product = 0; product < products; product++)
        pack(columns, width, pass->weight + product * columns * width, 1, width,
             packed + product * packed_size(columns, width));

#pragma omp parallel num_threads(pass->threads)
    {
        unsigned flags = flush_denormals();
        ForwardScratch scratch =
            cut_forward_scratch(scratch_memory + omp_get_thread_num() * forward_scratch_size(pass));
#pragma omp single
        forward_shared(pass, packed, &scratch, states);
        for (int64_t part = omp_get_thread_num(); part < pass->threads; part += omp_get_num_threads())
            for (int64_t band = 0; band < bands_of(pass); band++) {
                Group group;
                fill_group(pass, band, part, &group);
                forward_group(pass, packed, states, &group, &scratch);
            }
        restore_denormals(flags);
    }
    free(packed);
    free(scratch_memory);
    return 0;
}

/* ---- backward -------------------------------------------------------------------------------------------------- */

typedef struct {
    float *rows;     /* (BLOCK_ROWS + GROUP_ROWS, STRIDE): [x, 1, h] of the steps whose outer product is to be added */
    float *d_gates;  /* (BLOCK_ROWS + GROUP_ROWS, STRIDE): their gates' gradient, before activation */
    int64_t kept;    /* how many rows these two hold */
    int64_t order[BLOCK_ROWS + GROUP_ROWS]; /* where each of them lies in the batch */
    float *d_rows;   /* (GROUP_ROWS, STRIDE): gradient of [x, 1, h] */
    float *masked;   /* (BLOCK_ROWS + GROUP_ROWS, STRIDE) */
    float *d_hidden; /* (GROUP_ROWS, units) */
    float *d_cells;  /* (GROUP_ROWS, units) */
    float *d_weight; /* (products, width, columns rounded up): this thread's part */
} BackwardScratch;

static int64_t weight_columns(const Pass *pass) { return round_up(4 * pass->hidden_size / products_of(pass), PANEL); }

static int64_t backward_scratch_size(const Pass *pass) {
    return (3 * (BLOCK_ROWS + GROUP_ROWS) + GROUP_ROWS) * STRIDE + 2 * GROUP_ROWS * units_of(pass) +
           products_of(pass) * width_of(pass) * weight_columns(pass);
}

static void cut_backward_scratch(const Pass *pass, float *memory, BackwardScratch *scratch) {
    const int64_t block = (BLOCK_ROWS + GROUP_ROWS) * STRIDE, units = GROUP_ROWS * units_of(pass);
    scratch->rows = memory;
    scratch->d_gates = memory + block;
    scratch->masked = memory + 2 * block;
    scratch->d_rows = memory + 3 * block;
    scratch->d_hidden = scratch->d_rows + GROUP_ROWS * STRIDE;
    scratch->d_cells = scratch->d_hidden + units;
    scratch->d_weight = scratch->d_cells + units;
    scratch->kept = 0;
    memset(scratch->d_weight, 0, 4 * products_of(pass) * width_of(pass) * weight_columns(pass));
}

/* Add what the kept rows give to the gradient of the weights. */
static void add_kept(const Pass *pass, BackwardScratch *scratch) {
    const int64_t width = width_of(pass), products = products_of(pass), columns = 4 * pass->hidden_size / products;
    for (int64_t product = 0; product < products; product++) {
        const float *rows = scratch->rows;
        if (pass->masks) {
            rows = scratch->masked;
            for (int64_t row = 0; row < scratch->kept; row++)
                times_mask(pass, product, scratch->order[row], scratch->rows + row * STRIDE,
                           scratch->masked + row * STRIDE, 0);
        }
        add_outer_product(width, columns, scratch->kept, rows, scratch->d_gates + product * columns,
                          scratch->d_weight + product * width * weight_columns(pass), weight_columns(pass));
    }
    scratch->kept = 0;
}

INLINE void store_some(float *to, Vector value, int64_t lanes) {
    if (lanes >= LANES)
        store(to, value);
    else
        for (int64_t lane = 0; lane < lanes; lane++) to[lane] = value[lane];
}

/* One row of one step. `before` is the record of the step before, or NULL where the row begins: then `state` is. */
INLINE void differentiate_gates(int64_t hidden_size, int64_t units, float slope, const float *record,
                                const float *before, const float *state, const float *d_hidden, float *d_cell,
                                float *d_gates, float *hidden_before) {
    for (int64_t unit = 0; unit < hidden_size; unit += LANES) {
        Vector i = load(record + unit), f = load(record + units + unit), g = load(record + 2 * units + unit);
        Vector o = load(record + 3 * units + unit), tanh_c = hyperbolic_tangent(load(record + 4 * units + unit));
        Vector c_before, h_before;
        if (before) {
            c_before = load(before + 4 * units + unit);
            h_before = load(before + 3 * units + unit) * hyperbolic_tangent(c_before);
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

/* From the gradient of the state after a step to that before it. `earlier` rows had a step before this one. */
static void backward_step(const Pass *pass, const float *packed, const float *states, const Group *group, int64_t rows,
                          int64_t earlier, int64_t step, const float *records, const float *records_before,
                          BackwardScratch *scratch) {
    const int64_t input_size = pass->input_size, hidden_size = pass->hidden_size, width = width_of(pass);
    const int64_t products = products_of(pass), columns = 4 * hidden_size / products, units = units_of(pass);
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
        if (pass->slope == 0)
            differentiate_gates(hidden_size, units, 0, record, before, state, d_hidden, d_cell,
                                d_gates + row * STRIDE, kept + input_size + 1);
        else
            differentiate_gates(hidden_size, units, pass->slope, record, before, state, d_hidden, d_cell,
                                d_gates + row * STRIDE, kept + input_size + 1);
    }
    for (int64_t product = 0; product < products; product++) {
        float *result = pass->masks ? scratch->masked : scratch->d_rows;
        multiply(rows, width, columns, d_gates + product * columns, packed + product * packed_size(width, columns),
                 result);
        if (pass->masks)
            for (int64_t row = 0; row < rows; row++)
                times_mask(pass, product, group->order[row], result + row * STRIDE, scratch->d_rows + row * STRIDE,
                           product > 0);
    }
    for (int64_t row = 0; row < rows; row++) {
        float *d_row = scratch->d_rows + row * STRIDE;
        float *d_input = pass->d_inputs + (group->order[row] * pass->steps + step) * input_size;
        memcpy(d_input, d_row, 4 * input_size);
        memcpy(scratch->d_hidden + row * units, d_row + input_size + 1, 4 * hidden_size);
    }
    scratch->kept += rows;
    if (scratch->kept >= BLOCK_ROWS) add_kept(pass, scratch);
}

/* Writes to `d_begins`, (batch, 2 * units), the gradient of the state with which each row begins: c, h. */
static void backward_group(const Pass *pass, const float *packed, const Group *group, float *d_begins,
                           BackwardScratch *scratch) {
    const int64_t units = units_of(pass), input_size = pass->input_size;
    memset(scratch->d_cells, 0, 4 * group->rows * units);
    int64_t records = 0;
    for (int64_t row = 0; row < group->rows; row++) {
        memcpy(scratch->d_hidden + row * units, pass->d_last + group->order[row] * pass->hidden_size,
               4 * pass->hidden_size);
        memset(pass->d_inputs + group->order[row] * pass->steps * input_size, 0, 4 * group->begins[row] * input_size);
        records += pass->steps - group->begins[row];
    }
    int64_t rows = group->rows;
    for (int64_t step = pass->steps; rows > 0; step--) {
        /* The state before `step`: of the rows that begin there it is the first. */
        for (; rows > 0 && group->begins[rows - 1] == step; rows--) {
            float *d_begin = d_begins + group->sorted[rows - 1] * 2 * units;
            memcpy(d_begin, scratch->d_cells + (rows - 1) * units, 4 * units);
            memcpy(d_begin + units, scratch->d_hidden + (rows - 1) * units, 4 * units);
        }
        if (rows == 0) break;
        int64_t earlier = active_rows(group, step - 2);
        records -= rows;
        backward_step(pass, packed, pass->trace, group, rows, earlier, step - 1,
                      group->records + records * record_size(pass),
                      group->records + (records - earlier) * record_size(pass), scratch);
    }
}

/* The shared row gets the gradients of all rows that began with its states. */
static void backward_shared(const Pass *pass, const float *packed, const float *d_begins, BackwardScratch *scratch) {
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
        backward_step(pass, packed, pass->trace, &group, 1, 0, step - 1,
                      group.records + (step - 1) * record_size(pass), NULL, scratch);
    }
}

/* Fills `d_inputs` and `d_weight` from `trace` and `d_last`. Returns 0, or 1 where memory was refused. */
int seqclass_lstm_backward(const Pass *pass) {
    const int64_t width = width_of(pass), products = products_of(pass), columns = 4 * pass->hidden_size / products;
    const int64_t scratch_size = round_up(backward_scratch_size(pass), LANES);
    float *packed = allocate(products * packed_size(width, columns));
    float *d_begins = allocate(pass->batch * 2 * units_of(pass));
    float *memory = allocate(pass->threads * scratch_size);
    BackwardScratch *scratches = calloc(pass->threads, sizeof(BackwardScratch));
    int failed = !packed || !d_begins || !memory || !scratches;
    int64_t used = 0;
    if (!failed) {
        for (int64_t product = 0; product < products; product++)
            pack(width, columns, pass->weight + product * columns * width, width, 1,
                 packed + product * packed_size(width, columns));
#pragma omp parallel num_threads(pass->threads)
        {
            unsigned flags = flush_denormals();
            BackwardScratch *scratch = scratches + omp_get_thread_num();
            cut_backward_scratch(pass, memory + omp_get_thread_num() * scratch_size, scratch);
            for (int64_t part = omp_get_thread_num(); part < pass->threads; part += omp_get_num_threads())
                for (int64_t band = 0; band < bands_of(pass); band++) {
                    Group group;
                    fill_group(pass, band, part, &group);
                    backward_group(pass, packed, &group, d_begins, scratch);
                }
#pragma omp barrier
#pragma omp single
            {
                used = omp_get_num_threads();
                backward_shared(pass, packed, d_begins, scratch);
            }
            add_kept(pass, scratch);
#pragma omp barrier
#pragma omp for
            for (int64_t column = 0; column < 4 * pass->hidden_size; column++)
                for (int64_t k = 0; k < width; k++) {
                    float sum = 0;
                    for (int64_t thread = 0; thread < used; thread++)
                        sum += scratches[thread].d_weight[(column / columns * width + k) * weight_columns(pass) +
                                                          column % columns];
                    pass->d_weight[column * width + k] = sum;
                }
            restore_denormals(flags);
        }
    }
    free(packed);
    free(d_begins);
    free(memory);
    free(scratches);
    return failed;
}
