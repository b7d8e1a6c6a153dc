/* Vectors of the processor's width, and the functions of the gates on them.
 *
 * The vectors are GCC's and Clang's own (vector_size), so one source serves AVX-512, AVX2, NEON and SSE. */

#ifndef SEQCLASS_VECTORS_H
#define SEQCLASS_VECTORS_H

#include <stdint.h>
#if defined(__SSE__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX__)
#define LANES 8
#else
#define LANES 4
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float Vector __attribute__((vector_size(4 * LANES)));
typedef int32_t Integers __attribute__((vector_size(4 * LANES)));
typedef float Unaligned __attribute__((vector_size(4 * LANES), aligned(4), may_alias));

INLINE Vector load(const float *from) { return *(const Unaligned *)from; }
INLINE void store(float *to, Vector value) { *(Unaligned *)to = value; }
/* For what is read much later. Where the processor can, it is written past the caches, which would fetch it first. */
INLINE void store_for_later(float *to, Vector value) {
#if defined(__AVX512F__)
    if ((uintptr_t)to % sizeof(Vector) == 0) {
        _mm512_stream_ps(to, (__m512)value);
        return;
    }
#endif
    store(to, value);
}
/* Before another thread reads it. */
INLINE void finish_stores(void) {
#if defined(__SSE__)
    _mm_sfence();
#endif
}
INLINE Vector choose(Integers mask, Vector yes, Vector no) {
    return (Vector)((mask & (Integers)yes) | (~mask & (Integers)no));
}
/* Subtracting zero leaves every number unchanged, minus zero too, so the compiler drops it; adding zero does not. */
INLINE Vector broadcast(float value) { return value - (Vector){}; }
/* NaN stays NaN: no comparison with it is true. */
INLINE Vector at_least(Vector x, float low) { return choose(x < low, broadcast(low), x); }
INLINE Vector at_most(Vector x, float high) { return choose(x > high, broadcast(high), x); }

/* exp by 2^n e^r, |r| <= ln(2) / 2, with the Taylor series of e^r to r^7: an error of two units in the last place. If
 * coarse, to r^4: an error of 2^-14, far below what the rounding of bfloat16 does to x. */
INLINE Vector exponential(Vector x, const int coarse) {
    const Vector magic = broadcast(12582912.0f); /* 1.5 * 2^23: adding it rounds to whole numbers */
    x = at_most(at_least(x, -87.0f), 88.0f);
    Vector shifted = x * 1.44269504f + magic;
    Vector n = shifted - magic;
    Vector r = x - n * 0.693359375f + n * 2.12194440e-4f;
    Vector e = broadcast(1.0f / 24);
    if (!coarse) {
        e = broadcast(1.0f / 5040);
        e = e * r + 1.0f / 720;
        e = e * r + 1.0f / 120;
        e = e * r + 1.0f / 24;
    }
    e = e * r + 1.0f / 6;
    e = e * r + 0.5f;
    e = e * r + 1.0f;
    e = e * r + 1.0f;
    return (Vector)((Integers)e + ((Integers)shifted << 23));
}

/* 1 / x; if coarse, to 2^-14. */
INLINE Vector inverse(Vector x, const int coarse) {
#if defined(__AVX512F__)
    if (coarse) return (Vector)_mm512_rcp14_ps((__m512)x);
#else
    (void)coarse;
#endif
    return 1.0f / x;
}

INLINE Vector sigmoid(Vector x, const int coarse) { return inverse(1.0f + exponential(-x, coarse), coarse); }
INLINE Vector hyperbolic_tangent(Vector x, const int coarse) {
    return 1.0f - 2.0f * inverse(1.0f + exponential(x + x, coarse), coarse);
}

INLINE Vector activate(Vector x, float slope, const int coarse) {
    return slope == 0 ? sigmoid(x, coarse) : at_most(at_least(x * slope + 0.5f, 0.0f), 1.0f);
}
/* The derivative of `activate`, from its result. */
INLINE Vector slope_at(Vector y, float slope) {
    return slope == 0 ? y * (1.0f - y) : (Vector)((y > 0.0f) & (y < 1.0f) & (Integers)broadcast(slope));
}

/* Denormals are flushed while a pass runs: gradients that vanish over hundreds of steps go through them. */
INLINE unsigned flush_denormals(void) {
#if defined(__SSE__)
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | 0x8040);
    return before;
#else
    return 0;
#endif
}
INLINE void restore_denormals(unsigned before) {
#if defined(__SSE__)
    _mm_setcsr(before);
#else
    (void)before;
#endif
}

#endif
