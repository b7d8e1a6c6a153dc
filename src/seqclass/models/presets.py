"""The named stacks: which options each of them has, and what those begin with.

| name | layers |
|---|---|
| `lstm` | Embedding, LSTM, Dense |
| `lstm_dropout` | Embedding with word dropout, Dropout, LSTM, Dropout, Dense |
| `lstm_gate_dropout` | Embedding with word dropout, LSTM with dropout of its gates' inputs and states, Dense |
| `cnn_lstm` | Embedding, Conv1D with ReLU, MaxPool, LSTM, Dense |
| `pooled` | Embedding, Dropout, bidirectional LSTM over segments, maxima and means, Dropout, Dense; and n-grams |

The first four are the notebook's, and so are their values; `docs/accuracy.md` says how those of `pooled` were chosen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

StackName = Literal["lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm", "pooled"]
STACK_NAMES: tuple[StackName, ...] = get_args(StackName)
NOTEBOOK_STACKS = STACK_NAMES[:4]


@dataclass(frozen=True)
class Preset:
    """A named stack.

    Attributes:
        values: what its options begin with; an option that is not here is one that it lacks.
        dropout_in_gates: whether `dropout` acts on the inputs of the gates, not between the layers.
    """

    values: Mapping[str, Any]
    dropout_in_gates: bool = False


_ALL = {
    "num_embeddings": 5000,
    "embedding_dim": 32,
    "hidden_size": 100,
    "num_layers": 1,
    "bidirectional": False,
    "cell": "lstm",
    "pooling": "last",
    "num_classes": 2,
    "multi_label": False,
    "initializer": "keras1",
    "recurrent_activation": "sigmoid",
    "kernel": "auto",
}

PRESETS: dict[StackName, Preset] = {
    "lstm": Preset({**_ALL, "mask_padding": False}),
    "lstm_dropout": Preset({**_ALL, "word_dropout": 0.2, "dropout": 0.2, "mask_padding": False}),
    "lstm_gate_dropout": Preset(
        {**_ALL, "word_dropout": 0.2, "dropout": 0.2, "recurrent_dropout": 0.2, "mask_padding": False},
        dropout_in_gates=True,
    ),
    "cnn_lstm": Preset(
        {**_ALL, "channels": 32, "kernel_size": 3, "pool_size": 2, "token_dropout": 0.0, "output_dropout": 0.0}
    ),
    "pooled": Preset(
        {
            **_ALL,
            "embedding_dim": 100,
            "affix_buckets": 2**14,
            "hidden_size": 64,
            "bidirectional": True,
            "pooling": "max_mean",
            "word_dropout": 0.0,
            "token_dropout": 0.2,
            "dropout": 0.4,
            "output_dropout": 0.5,
            "recurrent_dropout": 0.0,
            "mask_padding": True,
            "segment_length": 50,
            "ngrams": 3,
            "ngram_buckets": 2**20,
            "initializer": "keras",
        }
    ),
}
