/* Matrix products of factors rounded to bfloat16, with float32 sums: like those of products.h, on processors with
 * AVX512_BF16, and in tiles where there is AMX too. */

#ifndef SEQCLASS_BFLOAT16_H
#define SEQCLASS_BFLOAT16_H

#include <string.h>

#include "products.h"

/* Rows and depth of a tile. Products compute whole tiles: the matrix on the left and the result need memory for a
 * multiple of so many rows, whatever the last of them hold. */
#define TILE_HEIGHT 16
#define TILE_DEPTH 32

typedef uint16_t Bfloat16;

/* Whether this processor has such products; without them the functions below do nothing. */
int has_bfloat16(void);

/* How many floats hold the packed matrix (depth, columns), and what a product needs beside its arguments. */
static inline int64_t packed_size_bfloat16(int64_t columns, int64_t depth) {
    return round_up(columns, PANEL) * round_up(depth, TILE_DEPTH) / 2;
}
static inline int64_t room_size_bfloat16(int64_t rows, int64_t columns, int64_t depth) {
    return (round_up(rows, TILE_HEIGHT) + round_up(columns, PANEL)) * round_up(depth, TILE_DEPTH) / 2;
}

/* `pack`, `multiply` and `add_outer_product` of products.h. `room` is aligned to 64 bytes, and for the outer product
 * has `room_size_bfloat16` of its sizes; `multiply_bfloat16` needs as much with no columns. */
void pack_bfloat16(int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column, float *packed);
void multiply_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                       float *room);
void add_outer_product_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                                int64_t c_row, float *room);

#endif
