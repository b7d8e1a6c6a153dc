"""The notebook's four stacks, built from `seqclass.nn`."""

from seqclass.models.builders import (
    POOLINGS,
    STACK_NAMES,
    STACK_OPTIONS,
    Pooling,
    StackName,
    build_stack,
    cnn_lstm,
    lstm,
    lstm_dropout,
    lstm_gate_dropout,
)
from seqclass.models.recurrent import CELLS, Cell
from seqclass.models.stack import Stack

__all__ = [
    "CELLS",
    "POOLINGS",
    "STACK_NAMES",
    "STACK_OPTIONS",
    "Cell",
    "Pooling",
    "Stack",
    "StackName",
    "build_stack",
    "cnn_lstm",
    "lstm",
    "lstm_dropout",
    "lstm_gate_dropout",
]
