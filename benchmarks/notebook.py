"""What the notebook's four stacks are made of, and the goal of the `target` benchmark.

What it printed is in `seqclass.training.notebook_results`. Workers import this module, some of them in environments
without seqclass.
"""

from __future__ import annotations

STACKS = ("lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm")

NUM_WORDS = 5000
LENGTH = 500
EMBEDDING_DIM = 32
HIDDEN_SIZE = 100
FILTERS = 32
KERNEL_SIZE = 3
BATCH_SIZE = 64
DROPOUT = 0.2

TARGET_ACCURACY = 0.8626
"""The notebook's best accuracy on the test reviews: the goal of the `target` benchmark."""


def parameter_count(
    stack: str,
    *,
    num_embeddings: int = NUM_WORDS,
    embedding_dim: int = EMBEDDING_DIM,
    hidden_size: int = HIDDEN_SIZE,
) -> int:
    """The number of trained values in a stack, counted by hand: 213,301, or 216,405 with the convolution."""
    embedding = num_embeddings * embedding_dim
    convolution = (KERNEL_SIZE * embedding_dim + 1) * FILTERS if stack == "cnn_lstm" else 0
    inputs = FILTERS if stack == "cnn_lstm" else embedding_dim
    lstm = 4 * hidden_size * (inputs + hidden_size + 1)
    dense = hidden_size + 1
    return embedding + convolution + lstm + dense
