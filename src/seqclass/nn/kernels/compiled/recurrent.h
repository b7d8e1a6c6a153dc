/* An LSTM or a GRU over whole sequences, forward and backward, for CPUs with wide vectors; float32, and on request with
 * products of factors rounded to bfloat16, whose sums are float32 like all else.
 *
 * A thread takes a group of rows from the first step to the last, so threads meet once in a pass and not at every step.
 * Within a step of a group, [x, 1, h] times [W, b, U]^T is one product whose right side stays in the second-level
 * cache, and the gates follow while its result is in the first. The backward pass keeps the rows of a few steps, and
 * adds their part of the gradient of the weights before they leave the cache.
 *
 * Rows are sorted by the step at which they begin. Before it a row is in its padding, where a single row, the shared
 * one, is computed in place of all; a row begins with the state that the shared row has at that step. Without shared
 * padding every row begins with zeros, which is the shared row's state before its first step.
 *
 * Both cells have four pre-activations of each unit, in the order of the columns of the joint weight [W, b, U]:
 *
 *     LSTM: i, f, g, o
 *     GRU:  n's part of the inputs, r, z, n's part of the state, which r multiplies
 *
 * and so the same passes; a GRU's cell is its state. What its n-columns do not multiply, the state in the first and
 * the inputs in the last, is not computed, and zero in the joint weight and its gradient.
 *
 * This is the interface. From the ground up: vectors.h, products.c, bfloat16.c, pass.c, cells.h, forward.c and
 * backward.c. */

#ifndef SEQCLASS_RECURRENT_H
#define SEQCLASS_RECURRENT_H

#include <stdint.h>

/* The values of `cell`. */
enum { SEQCLASS_LSTM, SEQCLASS_GRU };

/* What a pass is given; width is input_size + 1 + hidden_size. */
typedef struct {
    int64_t cell;
    int64_t batch, steps, input_size, hidden_size;
    int64_t threads;          /* from 1 to batch */
    int64_t shared_steps;     /* steps that the shared row runs; 0 where padding is not shared */
    int64_t bfloat16;         /* 1 for products of bfloat16, else 0 */
    float slope;              /* of the hard sigmoid; 0 for the sigmoid */
    const int64_t *order;     /* (batch), rows by the step at which they begin */
    const int64_t *begins;    /* (batch), that step, ascending */
    const float *inputs;      /* (batch, steps, input_size) */
    const float *weight;      /* (4 * hidden_size, width), [W, b, U] */
    const float *masks;       /* (4, batch, width), or NULL */
    float *trace;             /* (trace_size), or NULL if no gradient will be needed */
    float *last;              /* (batch, hidden_size): the result, or NULL */
    float *sequences;         /* (batch, steps, hidden_size): all states where they are the result, or NULL */
    const float *d_last;      /* the gradient of `last`, or NULL */
    const float *d_sequences; /* the gradient of `sequences`, or NULL */
    float *d_inputs;          /* (batch, steps, input_size) */
    float *d_weight;          /* (4 * hidden_size, width) */
} Pass;

/* What the functions below return. If it is neither OK nor NO_MEMORY, nothing was read but the pass, `order` and
 * `begins`, and nothing was written. */
enum {
    SEQCLASS_OK,
    SEQCLASS_NO_MEMORY,
    SEQCLASS_WRONG_LAYOUT,   /* the caller's Pass has another size */
    SEQCLASS_WRONG_SIZES,    /* a size is negative, zero or too large, or `cell` or `threads` is out of range */
    SEQCLASS_WRONG_ROWS,     /* `begins` or `shared_steps` is out of range or order, or `order` is not a permutation */
    SEQCLASS_MISSING_MEMORY, /* a pointer that must not be NULL is */
    SEQCLASS_NO_BFLOAT16     /* this processor has no such products */
};

#define EXPORTED __attribute__((visibility("default")))

/* The largest 4 * hidden_size and input_size + 1 + hidden_size that a pass takes. */
EXPORTED int64_t seqclass_max_columns(void);

/* Whether this processor has products of bfloat16. */
EXPORTED int64_t seqclass_has_bfloat16(void);

/* How many floats the trace of a pass takes, or minus one of the codes. `size` is the caller's sizeof(Pass). */
EXPORTED int64_t seqclass_trace_size(const Pass *pass, int64_t size);

/* Fills `last` or `sequences` or both, and `trace` where there is one. */
EXPORTED int seqclass_forward(const Pass *pass, int64_t size);

/* Fills `d_inputs` and `d_weight` from `trace` and the gradients of the results. */
EXPORTED int seqclass_backward(const Pass *pass, int64_t size);

#endif
