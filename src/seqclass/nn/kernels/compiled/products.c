/* The products are cut into tiles whose sums stay in registers. */

#include "products.h"

/* A tile of a product is TILE_ROWS rows by two vectors: its sums, two vectors of the right side and a factor fill the
 * registers, of which there are 32 with AVX-512 and NEON and 16 otherwise. */
#if defined(__AVX512F__) || defined(__aarch64__)
#define TILE_ROWS 12
#else
#define TILE_ROWS 6
#endif

/* c (rows, vectors * LANES) = or += a (rows, depth) b (depth, ...). */
INLINE void tile(const int rows, const int vectors, int64_t depth, const float *a, const int64_t a_row,
                 const int64_t a_depth, const float *b, int64_t b_depth, float *c, int64_t c_row, const int add) {
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

/* clang-format off */
#define ONE_TILE(ROWS, VECTORS) \
    case ROWS: \
        tile(ROWS, VECTORS, depth, a, a_row, a_depth, b, b_depth, c, c_row, add); \
        break;
#define SIX_TILES(ROWS, VECTORS) \
    ONE_TILE(ROWS, VECTORS) ONE_TILE(ROWS + 1, VECTORS) ONE_TILE(ROWS + 2, VECTORS) \
    ONE_TILE(ROWS + 3, VECTORS) ONE_TILE(ROWS + 4, VECTORS) ONE_TILE(ROWS + 5, VECTORS)
#if TILE_ROWS == 12
#define ALL_TILES(VECTORS) SIX_TILES(1, VECTORS) SIX_TILES(7, VECTORS)
#else
#define ALL_TILES(VECTORS) SIX_TILES(1, VECTORS)
#endif
/* clang-format on */

/* The tile of a size that is known only now. */
INLINE void any_tile(int64_t rows, int64_t columns, int64_t depth, const float *a, const int64_t a_row,
                     const int64_t a_depth, const float *b, int64_t b_depth, float *c, int64_t c_row, const int add) {
    if (columns > LANES) {
        switch (rows) { ALL_TILES(2) }
    } else {
        switch (rows) { ALL_TILES(1) }
    }
}

/* Rows of each tile, so that no small one is left over: tiles of few rows wait for their own sums. */
static int64_t tile_rows(int64_t rows) {
    int64_t tiles = round_up(rows, TILE_ROWS) / TILE_ROWS;
    return tiles ? (rows + tiles - 1) / tiles : 1;
}

void multiply(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c) {
    const int64_t each = tile_rows(rows);
    for (int64_t column = 0; column < columns; column += PANEL, b += depth * PANEL)
        for (int64_t row = 0; row < rows; row += each)
            any_tile(minimum(rows - row, each), columns - column, depth, a + row * STRIDE, STRIDE, 1, b, PANEL,
                     c + row * STRIDE + column, STRIDE, 0);
}

void add_outer_product(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                       int64_t c_row) {
    const int64_t each = tile_rows(rows);
    for (int64_t column = 0; column < columns; column += PANEL)
        for (int64_t row = 0; row < rows; row += each)
            any_tile(minimum(rows - row, each), columns - column, depth, a + row, 1, STRIDE, b + column, STRIDE,
                     c + row * c_row + column, c_row, 1);
}

void pack(int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column, float *packed) {
    for (int64_t start = 0; start < columns; start += PANEL)
        for (int64_t k = 0; k < depth; k++)
            for (int64_t column = start; column < start + PANEL; column++)
                *packed++ = column < columns ? b[k * b_depth + column * b_column] : 0;
}
