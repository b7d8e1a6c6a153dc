"""The options of a stack, once."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import torch

from seqclass.checks import check_choice
from seqclass.models.building import build_layers
from seqclass.models.chain import ChainOptions
from seqclass.models.presets import PRESETS, STACK_NAMES, StackName
from seqclass.models.recurrent import Cell
from seqclass.models.stack import Stack
from seqclass.nn import Initializer, Kernel, RecurrentActivation

Pooling = Literal["last", "mean", "max", "max_mean"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)

OWN: Any = None
"""Takes the named stack's default; a stack may lack the option."""

MAX_LAYERS = 100
"""The most recurrent layers or convolutions: a checkpoint's options are untrusted."""


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What a stack is made of; an option that is None takes the named stack's own value (`seqclass.models.PRESETS`).

    Args:
        stack: a name of `seqclass.models.PRESETS`: the notebook's `lstm`, `lstm_dropout`, `lstm_gate_dropout` and
            `cnn_lstm`, or `pooled`, the most accurate.
        num_embeddings: rows of the embedding.
        embedding_dim: numbers in a word's vector.
        affix_buckets: rows of a second table, of prefixes and suffixes, whose mean is added to a word's vector; 0 for
            none. An error in a stack that lacks it.
        hidden_size: units of the LSTM, of each layer and direction.
        num_layers: LSTM layers, each reading the states of the one below; `lstm_dropout` drops between them too, and
            `lstm_gate_dropout` in each.
        bidirectional: each layer reads forward and backward, with `hidden_size` units each way.
        cell: `lstm`, or `gru` in place of the LSTM.
        pooling: what the dense layer reads: the `last` state, or the `mean` or `max` of all that are not padding, or
            `max_mean`, both side by side.
        num_classes: classes to choose from.
        multi_label: whether a text may have several labels, or none: each is then decided independently.
        word_dropout: rate of whole words, that is rows of the embedding. This and the next eleven are errors in a stack
            that lacks them.
        token_dropout: rate of words that are replaced by the unknown word in training, each on its own.
        dropout: rate of the embedded words and the last state (`lstm_dropout`), of the embedded words (`pooled`), or of
            the inputs of the gates (`lstm_gate_dropout`).
        output_dropout: rate of what the dense layer reads.
        recurrent_dropout: rate of the state on its way into the gates.
        mask_padding: padded steps leave the state as it is (Keras' `mask_zero`).
        channels: output channels of each convolution.
        kernel_size: steps in a window of the convolution, or several sizes such as [3, 4, 5]: one convolution each,
            side by side.
        pool_size: window and stride of the max pooling, in steps.
        segment_length: words of the segments that a text is cut into, which are read side by side and pooled together;
            with `mask_padding` and the pooling `max_mean`. 0 reads a text as one sequence.
        ngrams: words of the longest n-grams in the branch beside the recurrent layers; 0 for no such branch.
        ngram_buckets: rows of the table that the n-grams are hashed into; `new_classifier` chooses by the data.
        initializer: initial values as `keras1`, `keras` (2 and 3) or `torch` choose them.
        recurrent_activation: of the gates.
        kernel: the way to run LSTM and GRU; `auto` is the fastest that can.

    Raises:
        ValueError: a name that is unknown, an option that the stack lacks, or a value outside its range.
    """

    stack: StackName = "lstm"
    num_embeddings: int = OWN
    embedding_dim: int = OWN
    affix_buckets: int | None = OWN
    hidden_size: int = OWN
    num_layers: int = OWN
    bidirectional: bool = OWN
    cell: Cell = OWN
    pooling: Pooling = OWN
    num_classes: int = OWN
    multi_label: bool = OWN
    word_dropout: float | None = OWN
    token_dropout: float | None = OWN
    dropout: float | None = OWN
    output_dropout: float | None = OWN
    recurrent_dropout: float | None = OWN
    mask_padding: bool | None = OWN
    channels: int | None = OWN
    kernel_size: int | list[int] | None = OWN
    pool_size: int | None = OWN
    segment_length: int | None = OWN
    ngrams: int | None = OWN
    ngram_buckets: int | None = OWN
    initializer: Initializer = OWN
    recurrent_activation: RecurrentActivation = OWN
    kernel: Kernel = OWN

    def __post_init__(self) -> None:
        check_choice("stack", self.stack, STACK_NAMES)
        own = PRESETS[self.stack].values
        known = [field.name for field in fields(self) if field.name in own]
        for field in fields(self)[1:]:
            value = getattr(self, field.name)
            if value is None:
                object.__setattr__(self, field.name, own.get(field.name))
            elif field.name not in own:
                raise ValueError(
                    f"stack {self.stack!r} has no option {field.name!r} (given {value!r}): it has {', '.join(known)}"
                )
        check_choice("pooling", self.pooling, POOLINGS)
        self._check_lengths()
        # The layers check their own arguments: on the meta device they have no memory and draw no random numbers.
        with torch.device("meta"):
            self.build()

    def _check_lengths(self) -> None:
        if isinstance(self.kernel_size, Sequence):
            object.__setattr__(self, "kernel_size", list(self.kernel_size))
        several = self.kernel_size if isinstance(self.kernel_size, list) else []
        for name, number in (("num_layers", self.num_layers), ("the number of kernel_size", len(several))):
            if isinstance(number, int) and number > MAX_LAYERS:
                raise ValueError(f"{name} is {number}; allowed are whole numbers from 1 to {MAX_LAYERS}")

    def build(self) -> Stack:
        """Build the stack, with initial values drawn from torch's generator."""
        return build_layers(self, dropout_in_gates=PRESETS[self.stack].dropout_in_gates)

    def values(self) -> dict[str, Any]:
        """Return the options that the stack has, as plain values, from which `options_from` makes them again."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if value is not None}


def options_from(values: dict[str, Any]) -> StackOptions | ChainOptions:
    """Make the options again that `values` has described.

    Raises:
        ValueError: an unknown option, or a value outside its range.
    """
    kind = ChainOptions if values.get("stack") == "chain" else StackOptions
    known = {field.name for field in fields(kind)}
    for name, value in values.items():
        if name not in known:
            raise ValueError(
                f"there is no option {name!r} (given {value!r:.80}); the options are {', '.join(sorted(known))}"
            )
    return kind(**values)


def build_stack(name: StackName, **options: Any) -> Stack:
    """Build a named stack.

    Args:
        name: one of `STACK_NAMES`.
        **options: those of `StackOptions`; what is not given is the notebook's.

    Raises:
        ValueError: as `StackOptions`.
    """
    return StackOptions(stack=name, **options).build()
