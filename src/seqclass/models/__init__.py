"""The notebook's four stacks, built from `seqclass.nn`."""

from seqclass.models.builders import (
    STACK_NAMES,
    STACK_OPTIONS,
    StackName,
    build_stack,
    cnn_lstm,
    lstm,
    lstm_dropout,
    lstm_gate_dropout,
)
from seqclass.models.stack import Stack

__all__ = [
    "STACK_NAMES",
    "STACK_OPTIONS",
    "Stack",
    "StackName",
    "build_stack",
    "cnn_lstm",
    "lstm",
    "lstm_dropout",
    "lstm_gate_dropout",
]
