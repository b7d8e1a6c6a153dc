"""The notebook's four stacks by name, in any size; the defaults are the notebook's.

| name | layers |
|---|---|
| `lstm` | Embedding, LSTM, Dense |
| `lstm_dropout` | Embedding with word dropout, Dropout, LSTM, Dropout, Dense |
| `lstm_gate_dropout` | Embedding with word dropout, LSTM with dropout of its gates' inputs and states, Dense |
| `cnn_lstm` | Embedding, Conv1D with ReLU, MaxPool, LSTM, Dense |

The options that all of them have: `num_embeddings` rows of the table, `embedding_dim`, `hidden_size`, `num_classes`
(one logit for two, else one each), `multi_label` (always one each), and `initializer`, `recurrent_activation`,
`kernel` as in `seqclass.nn`.
"""

import inspect
from collections.abc import Callable
from typing import Any, Literal, get_args

from torch import nn

from seqclass.models.stack import Stack
from seqclass.nn import (
    LSTM,
    Convolution,
    Dropout,
    Embedding,
    Initializer,
    Kernel,
    MaxPooling,
    RecurrentActivation,
)
from seqclass.nn.checks import check_choice, check_positive
from seqclass.nn.initializers import initialize_conv1d, initialize_linear

StackName = Literal["lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm"]
STACK_NAMES: tuple[StackName, ...] = get_args(StackName)


def lstm(
    *,
    num_embeddings: int = 5000,
    embedding_dim: int = 32,
    hidden_size: int = 100,
    num_classes: int = 2,
    multi_label: bool = False,
    mask_padding: bool = False,
    initializer: Initializer = "keras1",
    recurrent_activation: RecurrentActivation = "sigmoid",
    kernel: Kernel = "auto",
) -> Stack:
    """Embedding, LSTM, Dense."""
    return Stack(
        embedding=Embedding(num_embeddings, embedding_dim, initializer=initializer),
        lstm=LSTM(
            embedding_dim,
            hidden_size,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        ),
        output=_output(hidden_size, num_classes, multi_label, initializer),
        mask_padding=mask_padding,
    )


def lstm_dropout(
    *,
    num_embeddings: int = 5000,
    embedding_dim: int = 32,
    hidden_size: int = 100,
    num_classes: int = 2,
    multi_label: bool = False,
    word_dropout: float = 0.2,
    dropout: float = 0.2,
    mask_padding: bool = False,
    initializer: Initializer = "keras1",
    recurrent_activation: RecurrentActivation = "sigmoid",
    kernel: Kernel = "auto",
) -> Stack:
    """Dropout between the layers: of whole words in the embedding, and element-wise before and behind the LSTM."""
    return Stack(
        embedding=Embedding(num_embeddings, embedding_dim, dropout=word_dropout, initializer=initializer),
        embedded_dropout=Dropout(dropout),
        lstm=LSTM(
            embedding_dim,
            hidden_size,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        ),
        last_dropout=Dropout(dropout),
        output=_output(hidden_size, num_classes, multi_label, initializer),
        mask_padding=mask_padding,
    )


def lstm_gate_dropout(
    *,
    num_embeddings: int = 5000,
    embedding_dim: int = 32,
    hidden_size: int = 100,
    num_classes: int = 2,
    multi_label: bool = False,
    word_dropout: float = 0.2,
    dropout: float = 0.2,
    recurrent_dropout: float = 0.2,
    mask_padding: bool = False,
    initializer: Initializer = "keras1",
    recurrent_activation: RecurrentActivation = "sigmoid",
    kernel: Kernel = "auto",
) -> Stack:
    """Dropout within the LSTM's gates, of their inputs (`dropout`) and their states, and of whole words."""
    return Stack(
        embedding=Embedding(num_embeddings, embedding_dim, dropout=word_dropout, initializer=initializer),
        lstm=LSTM(
            embedding_dim,
            hidden_size,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        ),
        output=_output(hidden_size, num_classes, multi_label, initializer),
        mask_padding=mask_padding,
    )


def cnn_lstm(
    *,
    num_embeddings: int = 5000,
    embedding_dim: int = 32,
    hidden_size: int = 100,
    num_classes: int = 2,
    multi_label: bool = False,
    channels: int = 32,
    kernel_size: int = 3,
    pool_size: int = 2,
    initializer: Initializer = "keras1",
    recurrent_activation: RecurrentActivation = "sigmoid",
    kernel: Kernel = "auto",
) -> Stack:
    """A convolution with ReLU and max pooling between Embedding and LSTM."""
    convolution = Convolution(
        check_positive("embedding_dim", embedding_dim),
        check_positive("channels", channels),
        check_positive("kernel_size", kernel_size),
    )
    initialize_conv1d(convolution, initializer)
    return Stack(
        embedding=Embedding(num_embeddings, embedding_dim, initializer=initializer),
        convolution=convolution,
        pooling=MaxPooling(check_positive("pool_size", pool_size)),
        lstm=LSTM(
            channels,
            hidden_size,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        ),
        output=_output(hidden_size, num_classes, multi_label, initializer),
    )


_BUILDERS: dict[str, Callable[..., Stack]] = {
    "lstm": lstm,
    "lstm_dropout": lstm_dropout,
    "lstm_gate_dropout": lstm_gate_dropout,
    "cnn_lstm": cnn_lstm,
}
# Every option that one of the stacks has, in the order of the builders.
STACK_OPTIONS: tuple[str, ...] = tuple(
    dict.fromkeys(option for builder in _BUILDERS.values() for option in inspect.signature(builder).parameters)
)


def build_stack(name: StackName, **options: Any) -> Stack:
    """Build the stack of that name.

    Args:
        name: one of `STACK_NAMES`.
        **options: those of its builder; what is not given is the notebook's.

    Raises:
        ValueError: an unknown name, an option that this stack does not have, or a value outside its range.
    """
    check_choice("stack", name, STACK_NAMES)
    builder = _BUILDERS[name]
    known = inspect.signature(builder).parameters
    for option, value in options.items():
        if option not in known:
            raise ValueError(f"stack {name!r} has no option {option!r} (given {value!r}): it has {', '.join(known)}")
    return builder(**options)


def _output(hidden_size: int, num_classes: int, multi_label: bool, initializer: Initializer) -> nn.Linear:
    if num_classes < 2:
        raise ValueError(f"num_classes={num_classes!r} is too small: it must be at least 2")
    layer = nn.Linear(hidden_size, 1 if num_classes == 2 and not multi_label else num_classes)
    initialize_linear(layer, initializer)
    return layer
