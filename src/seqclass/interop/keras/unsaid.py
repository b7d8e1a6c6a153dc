"""What a file that holds weights alone does not say."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from seqclass.errors import InputError
from seqclass.interop.keras.model import Backend

Merge = Literal["concat", "sum", "ave", "mul"]
# Where whole models of Keras 1 lack it too.
_ALWAYS = ("backend", "recurrent_activation", "mask_padding")


@dataclass(frozen=True, kw_only=True)
class Unsaid:
    """What a file of weights does not say; None takes what the report then names.

    Args:
        architecture: the JSON file that `model.to_json()` gives, in place of all that follows.
        stack: `lstm_gate_dropout` for an `lstm`, which differs in dropout alone.
        recurrent_activation: of the gates: `sigmoid`, `hard_sigmoid` (Keras 1 and 2) or `hard_sigmoid_keras3`. Also in
            place of what a whole model says. None: Keras' default, hard_sigmoid in Keras 1.
        activation: of a recurrent layer's states; None: tanh.
        go_backwards: whether a recurrent layer, not within a Bidirectional, reads from the end; None: no.
        merge_mode: of a Bidirectional; None: concat.
        mask_padding: whether the embedding has `mask_zero`. Also in place of what a whole model says. None: no.
        conv_padding: of convolutions: `valid`, `same` or `causal`; None: same.
        conv_strides: of convolutions; None: 1.
        conv_dilation: of convolutions; None: 1.
        conv_activation: of convolutions; None: relu.
        pool_size: of a pooling; None: 2.
        pool_strides: of a pooling; None: its size.
        hidden_activation: of dense layers but the last; None: relu.
        output_activation: of the last: `sigmoid`, `softmax` or `linear`; None: sigmoid for one output, softmax for
            several.
        backend: what Keras 1 ran on, in place of what the names of the arrays say. Theano reversed the kernels of
            convolutions.
    """

    architecture: str | None = None
    stack: Literal["lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm"] | None = None
    recurrent_activation: str | None = None
    activation: str | None = None
    go_backwards: bool | None = None
    merge_mode: Merge | None = None
    mask_padding: bool | None = None
    conv_padding: Literal["valid", "same", "causal"] | None = None
    conv_strides: int | None = None
    conv_dilation: int | None = None
    conv_activation: str | None = None
    pool_size: int | None = None
    pool_strides: int | None = None
    hidden_activation: str | None = None
    output_activation: Literal["sigmoid", "softmax", "linear"] | None = None
    backend: Backend | None = None

    def refuse_for(self, path: Path, *, by_architecture: bool = False) -> None:
        """Refuse options for what a file says itself, or for what its architecture says.

        Args:
            path: the file.
            by_architecture: whether it is the architecture that says it.

        Raises:
            InputError: one of them is given.
        """
        given = [field.name for field in fields(self) if getattr(self, field.name) is not None]
        fitting = (*_ALWAYS, "stack", *(["architecture"] if by_architecture else []))
        for name in given:
            if name not in fitting:
                what = f"the architecture {self.architecture}" if by_architecture else str(path)
                raise InputError(f"{name}={getattr(self, name)!r} is for files of weights alone: {what} says it itself")
