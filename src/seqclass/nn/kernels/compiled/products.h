/* Matrix products for operands that are in the cache: no larger than what one step of a group of rows needs. */

#ifndef SEQCLASS_PRODUCTS_H
#define SEQCLASS_PRODUCTS_H

#include "vectors.h"

/* Columns that a product takes at once. */
#define PANEL (2 * LANES)

/* Rows of scratch matrices lie this many floats apart: a constant so that a tile's addresses are constants too, and
 * not a power of two so that rows do not compete for the same lines of the cache. A product may write LANES - 1 columns
 * too many, so MAX_COLUMNS is what a scratch matrix holds. */
#define STRIDE 1040
#define MAX_COLUMNS (STRIDE - LANES)

static inline int64_t minimum(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t round_up(int64_t number, int64_t multiple) {
    return (number + multiple - 1) / multiple * multiple;
}

/* c (rows, columns) = a (rows, depth) b, b as `pack` lays it. Whole vectors are written: up to LANES - 1 columns more.
 */
void multiply(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c);

/* c (rows, columns) += a^T b, with a (depth, rows) and b (depth, columns) as they lie in scratch. */
void add_outer_product(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                       int64_t c_row);

static inline int64_t packed_size(int64_t columns, int64_t depth) { return round_up(columns, PANEL) * depth; }

/* Lays b (depth, columns) out in panels of PANEL columns, the rows of a panel one after the other. */
void pack(int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column, float *packed);

#endif
