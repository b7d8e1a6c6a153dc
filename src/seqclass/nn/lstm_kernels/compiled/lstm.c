/* An LSTM over whole sequences, forward and backward, for CPUs with wide vectors; float32.
 *
 * A thread takes a group of rows from the first step to the last, so threads meet once in a pass and not at every step.
 * Within a step of a group, [x, 1, h] times [W, b, U]^T is one product whose right side stays in the second-level
 * cache, and the gates follow while its result is in the first. The backward pass keeps the rows of a few steps, and
 * adds their part of the gradient of the weights before they leave the cache.
 *
 * Rows are sorted by the step at which they begin. Before it, a row is in its padding, where one row, the shared one,
 * stands for all; the state with which a row begins is the shared row's at that step. Without shared padding all begin
 * with zeros, which is the shared row's state after no step at all.
 *
 * From the ground up: vectors.h, products.h, pass.h, forward.h and backward.h. Everything is compiled as one unit. */

#include "backward.h"
#include "forward.h"

/* The largest 4 * hidden_size and input_size + 1 + hidden_size that a pass takes. */
int64_t seqclass_lstm_max_columns(void) { return MAX_COLUMNS; }
