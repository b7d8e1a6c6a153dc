/* Both instructions, VDPBF16PS and AMX's TDPBF16PS, add products of *pairs* of numbers that are neighbours along the
 * depth. So the left side is (rows, depth) with its pairs as they lie, and the right side is packed in panels: of each
 * pair of its rows a panel has PANEL pairs, a column after the other. */

#include "bfloat16.h"

#if defined(__AVX512BF16__)

#if defined(__AMX_BF16__)
#include <sys/syscall.h>
#include <unistd.h>

/* The registers of AMX take 8 KB, so Linux lets a process use them that has asked
 * (Documentation/arch/x86/xstate.rst). If it refuses, as old kernels do, vectors remain. */
static int has_tiles;

__attribute__((constructor)) static void ask_for_tiles(void) {
    const long request_permission = 0x1023, tile_data = 18;
    has_tiles = syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}
#endif

int has_bfloat16(void) { return 1; }

static __mmask16 first_lanes(int64_t lanes) {
    return lanes >= LANES ? 0xffff : lanes > 0 ? (__mmask16)((1 << lanes) - 1) : 0;
}

/* A 32-bit lane of the result has the two numbers of this lane. */
INLINE __m512i pairs(__m512 even, __m512 odd) {
    const __m512i order = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                           21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(order, (__m512i)_mm512_cvtne2ps_pbh(odd, even));
}

/* Exchanges rows and columns of 16 x 16 pairs: in each of four stages, halves of what is twice as far apart. */
INLINE void transpose(__m512i rows[16]) {
    const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
#pragma GCC unroll 4
    for (int stage = 1; stage < 16; stage *= 2) {
        const __m512i bit = _mm512_set1_epi32(stage);
        const __mmask16 upper = _mm512_test_epi32_mask(lanes, bit);
        /* Index 16 and above means the second operand. */
        const __m512i first = _mm512_mask_add_epi32(lanes, upper, lanes, _mm512_set1_epi32(16 - stage));
        const __m512i second =
            _mm512_mask_mov_epi32(_mm512_add_epi32(lanes, bit), upper, _mm512_add_epi32(lanes, _mm512_set1_epi32(16)));
#pragma GCC unroll 16
        for (int row = 0; row < 16; row++)
            if (!(row & stage)) {
                const __m512i a = rows[row], b = rows[row + stage];
                rows[row] = _mm512_permutex2var_epi32(a, first, b);
                rows[row + stage] = _mm512_permutex2var_epi32(a, second, b);
            }
    }
}

/* c (8 rows, vectors * LANES) = or += a (8 rows, depth) b. */
INLINE void eight_rows(const int vectors, int64_t depth, const Bfloat16 *a, const Bfloat16 *b, float *c, int64_t c_row,
                       const int add) {
    __m512 sums[8][2];
#pragma GCC unroll 8
    for (int row = 0; row < 8; row++)
        for (int vector = 0; vector < vectors; vector++)
            sums[row][vector] = add ? _mm512_loadu_ps(c + row * c_row + vector * LANES) : _mm512_setzero_ps();
    for (int64_t k = 0; k < depth; k += 2) {
        const __m512bh b0 = (__m512bh)_mm512_loadu_si512(b + k * PANEL);
        const __m512bh b1 = (__m512bh)_mm512_loadu_si512(b + k * PANEL + 2 * LANES);
#pragma GCC unroll 8
        for (int row = 0; row < 8; row++) {
            int32_t pair;
            memcpy(&pair, a + row * depth + k, 4);
            const __m512bh factor = (__m512bh)_mm512_set1_epi32(pair);
            sums[row][0] = _mm512_dpbf16_ps(sums[row][0], factor, b0);
            if (vectors == 2) sums[row][1] = _mm512_dpbf16_ps(sums[row][1], factor, b1);
        }
    }
#pragma GCC unroll 8
    for (int row = 0; row < 8; row++)
        for (int vector = 0; vector < vectors; vector++)
            _mm512_storeu_ps(c + row * c_row + vector * LANES, sums[row][vector]);
}

static void product_of_vectors(int64_t rows, int64_t columns, int64_t depth, const Bfloat16 *a, const Bfloat16 *b,
                               float *c, int64_t c_row, const int add) {
    for (int64_t column = 0; column < columns; column += PANEL, b += depth * PANEL)
        for (int64_t row = 0; row < rows; row += 8) {
            float *result = c + row * c_row + column;
            if (columns - column > LANES)
                eight_rows(2, depth, a + row * depth, b, result, c_row, add);
            else
                eight_rows(1, depth, a + row * depth, b, result, c_row, add);
        }
}

#if defined(__AMX_BF16__)

/* Up to three tiles of 16 rows by up to two of 16 columns: sums in registers 0 to 5, the factors in 6 and 7. */
INLINE void some_tiles(const int tall, const int wide, int64_t depth, const Bfloat16 *a, const Bfloat16 *b, float *c,
                       int64_t c_row, const int add) {
    const int64_t a_tile = TILE_HEIGHT * depth, c_tile = TILE_HEIGHT * c_row;
    /* clang-format off */
#define EACH_SUM(DO) \
    DO(0, c); \
    if (tall > 1) { DO(1, c + c_tile); } \
    if (tall > 2) { DO(2, c + 2 * c_tile); } \
    if (wide > 1) { \
        DO(3, c + LANES); \
        if (tall > 1) { DO(4, c + c_tile + LANES); } \
        if (tall > 2) { DO(5, c + 2 * c_tile + LANES); } \
    }
#define BEGIN(SUM, PLACE) if (add) { _tile_loadd(SUM, PLACE, 4 * c_row); } else { _tile_zero(SUM); }
#define END(SUM, PLACE) _tile_stored(SUM, PLACE, 4 * c_row)
#define ADD(SUM, PLACE) _tile_loadd(6, PLACE, 2 * depth); _tile_dpbf16ps(SUM, 6, 7)
    EACH_SUM(BEGIN)
    for (int64_t k = 0; k < depth; k += TILE_DEPTH) {
        _tile_loadd(7, b + k * PANEL, 4 * PANEL);
        ADD(0, a + k);
        if (tall > 1) { ADD(1, a + a_tile + k); }
        if (tall > 2) { ADD(2, a + 2 * a_tile + k); }
        if (wide > 1) {
            _tile_loadd(7, b + k * PANEL + 2 * LANES, 4 * PANEL);
            ADD(3, a + k);
            if (tall > 1) { ADD(4, a + a_tile + k); }
            if (tall > 2) { ADD(5, a + 2 * a_tile + k); }
        }
    }
    EACH_SUM(END)
    /* clang-format on */
}

static void product_of_tiles(int64_t rows, int64_t columns, int64_t depth, const Bfloat16 *a, const Bfloat16 *b,
                             float *c, int64_t c_row, const int add) {
    struct __attribute__((aligned(64))) {
        uint8_t palette, start, reserved[14];
        uint16_t bytes[16];
        uint8_t heights[16];
    } shape = {.palette = 1};
    for (int tile = 0; tile < 8; tile++) {
        shape.bytes[tile] = 2 * TILE_DEPTH;
        shape.heights[tile] = TILE_HEIGHT;
    }
    /* GCC does not know that tiles are loaded from memory. */
    __asm__ volatile("" ::"r"(&shape) : "memory");
    _tile_loadconfig(&shape);
    for (int64_t column = 0; column < columns; column += PANEL, b += depth * PANEL)
        for (int64_t row = 0; row < rows; row += 3 * TILE_HEIGHT) {
            const int64_t tall = (rows - row + TILE_HEIGHT - 1) / TILE_HEIGHT;
            const Bfloat16 *left = a + row * depth;
            float *result = c + row * c_row + column;
            if (columns - column > LANES) {
                if (tall == 1)
                    some_tiles(1, 2, depth, left, b, result, c_row, add);
                else if (tall == 2)
                    some_tiles(2, 2, depth, left, b, result, c_row, add);
                else
                    some_tiles(3, 2, depth, left, b, result, c_row, add);
            } else {
                if (tall == 1)
                    some_tiles(1, 1, depth, left, b, result, c_row, add);
                else if (tall == 2)
                    some_tiles(2, 1, depth, left, b, result, c_row, add);
                else
                    some_tiles(3, 1, depth, left, b, result, c_row, add);
            }
        }
    _tile_release();
    __asm__ volatile("" ::: "memory");
}

#endif

/* c (rows, columns) = or += a (rows, depth) b, with a multiple of TILE_DEPTH as depth. */
static void product(int64_t rows, int64_t columns, int64_t depth, const Bfloat16 *a, const Bfloat16 *b, float *c,
                    int64_t c_row, const int add) {
#if defined(__AMX_BF16__)
    if (has_tiles) {
        product_of_tiles(rows, columns, depth, a, b, c, c_row, add);
        return;
    }
#endif
    product_of_vectors(rows, columns, depth, a, b, c, c_row, add);
}

void pack_bfloat16(int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column, float *packed) {
    for (int64_t start = 0; start < columns; start += PANEL)
        for (int64_t k = 0; k < round_up(depth, TILE_DEPTH); k += 2)
            for (int64_t column = start; column < start + PANEL; column += LANES, packed += LANES) {
                float of_pair[2][LANES] = {0};
                for (int64_t lane = 0; lane < minimum(columns - column, LANES); lane++)
                    for (int64_t i = 0; i < minimum(depth - k, 2); i++)
                        of_pair[i][lane] = b[(k + i) * b_depth + (column + lane) * b_column];
                _mm512_storeu_si512(packed, pairs(_mm512_loadu_ps(of_pair[0]), _mm512_loadu_ps(of_pair[1])));
            }
}

void multiply_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                       float *room) {
    const int64_t tiled = round_up(depth, TILE_DEPTH);
    Bfloat16 *left = (Bfloat16 *)room;
    for (int64_t row = 0; row < rows; row++)
        for (int64_t k = 0; k < tiled; k += 2 * LANES) {
            const float *from = a + row * STRIDE + k;
            const __m512 low = _mm512_maskz_loadu_ps(first_lanes(depth - k), from);
            const __m512 high = _mm512_maskz_loadu_ps(first_lanes(depth - k - LANES), from + LANES);
            _mm512_storeu_si512(left + row * tiled + k, (__m512i)_mm512_cvtne2ps_pbh(high, low));
        }
    product(rows, columns, tiled, left, (const Bfloat16 *)b, c, STRIDE, 0);
}

/* Numbers of rows k and k + 1 in 16 columns; zero beyond the matrix (depth, columns). */
INLINE __m512i load_pairs(const float *from, int64_t depth, int64_t columns, int64_t k, int64_t column) {
    const __mmask16 lanes = first_lanes(columns - column);
    const float *place = from + k * STRIDE + column;
    return pairs(_mm512_maskz_loadu_ps(k < depth ? lanes : 0, place),
                 _mm512_maskz_loadu_ps(k + 1 < depth ? lanes : 0, place + STRIDE));
}

void add_outer_product_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                                int64_t c_row, float *room) {
    const int64_t tiled = round_up(depth, TILE_DEPTH);
    Bfloat16 *left = (Bfloat16 *)room, *right = left + round_up(rows, TILE_HEIGHT) * tiled;
    for (int64_t row = 0; row < rows; row += LANES)
        for (int64_t k = 0; k < tiled; k += TILE_DEPTH) {
            __m512i block[16];
#pragma GCC unroll 16
            for (int pair = 0; pair < 16; pair++) block[pair] = load_pairs(a, depth, rows, k + 2 * pair, row);
            transpose(block);
            for (int lane = 0; lane < 16; lane++) _mm512_storeu_si512(left + (row + lane) * tiled + k, block[lane]);
        }
    Bfloat16 *packed = right;
    for (int64_t start = 0; start < columns; start += PANEL)
        for (int64_t k = 0; k < tiled; k += 2)
            for (int64_t column = start; column < start + PANEL; column += LANES, packed += 2 * LANES)
                _mm512_storeu_si512(packed, load_pairs(b, depth, columns, k, column));
    product(rows, columns, tiled, left, right, c, c_row, 1);
}

#else

int has_bfloat16(void) { return 0; }

/* Never called: a pass that asks for them is refused. */
void pack_bfloat16(int64_t columns, int64_t depth, const float *b, int64_t b_depth, int64_t b_column, float *packed) {
    (void)columns, (void)depth, (void)b, (void)b_depth, (void)b_column, (void)packed;
}
void multiply_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                       float *room) {
    (void)rows, (void)columns, (void)depth, (void)a, (void)b, (void)c, (void)room;
}
void add_outer_product_bfloat16(int64_t rows, int64_t columns, int64_t depth, const float *a, const float *b, float *c,
                                int64_t c_row, float *room) {
    (void)rows, (void)columns, (void)depth, (void)a, (void)b, (void)c, (void)c_row, (void)room;
}

#endif
