"""Recurrent layers with Keras' rules for direction, masked steps and their outputs."""

from collections.abc import Mapping
from typing import Any, Literal

import torch

from seqclass.checks import check_choice
from seqclass.models.chain.layer import ChainLayer, Form, Signal, expect
from seqclass.models.chain.plain_cells import GATES, PlainCell, PlainRecurrent
from seqclass.nn import GRU, LSTM, Kernel
from seqclass.nn.kernels import kernels_of
from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.recurrent_activations import RECURRENT_ACTIVATIONS
from seqclass.nn.shared_padding import LeadingPadding

Merge = Literal["concat", "sum", "ave", "mul"]
_FAST: dict[str, type[LSTM] | type[GRU]] = {"lstm": LSTM, "gru": GRU}


class RecurrentChainLayer(ChainLayer):
    """An LSTM, GRU or simple RNN in one direction.

    If only the gates' activation differs from cuDNN's layer, it is the layer of `seqclass.nn`, else a plain loop.

    A masked step leaves the state as it is; the output there is the one before, or zeros with `zero_masked`. Read
    backwards, outputs come in the order in which they are computed and the mask is left unchanged, as in Keras.

    Args:
        cell: `lstm`, `gru` (reset behind the product), `gru_reset_before` or `simple`.
        input_size: features of a step.
        hidden_size: units.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: likewise, of the gates.
        bias: whether the layer has one; without it stays zero.
        backwards: read from the last step to the first.
        return_sequences: whether the outputs of all steps are wanted.
        zero_masked: whether outputs of masked steps are zero.
        dropout: rate on the inputs of the gates, in training.
        recurrent_dropout: rate on the state on its way into the gates, in training.
        kernel: the way to run a fast layer.
    """

    def __init__(
        self,
        *,
        cell: PlainCell,
        input_size: int,
        hidden_size: int,
        activation: str = "tanh",
        recurrent_activation: str = "sigmoid",
        bias: bool = True,
        backwards: bool = False,
        return_sequences: bool = False,
        zero_masked: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        kernel: Kernel = "auto",
    ) -> None:
        super().__init__()
        check_choice("cell", cell, tuple(GATES))
        self.bias, self.backwards, self.return_sequences = bool(bias), bool(backwards), bool(return_sequences)
        self.zero_masked = bool(zero_masked)
        fast = _FAST.get(cell)
        self.layer: RecurrentLayer
        if fast is not None and activation == "tanh" and recurrent_activation in RECURRENT_ACTIVATIONS:
            self.layer = fast(
                input_size,
                hidden_size,
                dropout=dropout,
                recurrent_dropout=recurrent_dropout,
                recurrent_activation=recurrent_activation,  # type: ignore[arg-type]
                initializer="keras",
                kernel=kernel if kernel in kernels_of(fast.cell) else "auto",
            )
        else:
            self.layer = PlainRecurrent(
                cell, input_size, hidden_size, activation=activation, recurrent_activation=recurrent_activation
            )
        self.input_size = input_size
        if not bias:
            for name, parameter in self.layer.named_parameters():
                if name.startswith("bias"):
                    parameter.requires_grad_(False).zero_()

    def form(self, given: Form) -> Form:
        expect(given, "sequence", features=self.input_size)
        return Form("sequence" if self.return_sequences else "vector", self.layer.output_size)

    def forward(self, signal: Signal) -> Signal:
        values, mask = signal.values, signal.mask
        if self.backwards:
            values, mask = values.flip(1), None if mask is None else mask.flip(1)
        if mask is None:
            shared = signal.leading is not None and not self.backwards
            padding = LeadingPadding(signal.leading) if shared and signal.leading is not None else None
            states = self.layer(values, padding, return_sequences=self.return_sequences)
        else:
            states = self._masked(values, mask)
        if not self.return_sequences:
            return Signal(states)
        keeps = mask is None and not self.backwards and self.layer.keeps_padding_shared
        return Signal(states, signal.mask, signal.leading if keeps else None)

    def _masked(self, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Run over the steps that count: the others are put in front, where the layers skip them."""
        order = mask.to(torch.uint8).argsort(dim=1, stable=True)
        ordered = values.gather(1, order.unsqueeze(2).expand_as(values))
        padding = LeadingPadding((~mask).sum(dim=1), masked=True)
        states: torch.Tensor = self.layer(ordered, padding, return_sequences=self.return_sequences)
        if not self.return_sequences:
            return states
        # The state after a step is that of the last step so far that counts.
        counted = mask.cumsum(dim=1)
        place = (padding.counts.unsqueeze(1) + counted - 1).clamp(min=0)
        back = states.gather(1, place.unsqueeze(2).expand_as(states))
        return back.masked_fill(~(mask if self.zero_masked else counted > 0).unsqueeze(2), 0)


class BidirectionalLayer(ChainLayer):
    """Two recurrent layers over the same sequence, their outputs merged; the second one's reversed.

    Args:
        forward_layer: the options of a `RecurrentChainLayer`.
        backward_layer: those of another, which reads the other way.
        merge: `concat`, `sum`, `ave` (half the sum) or `mul`.
        kernel: the way to run fast layers.
    """

    def __init__(
        self,
        *,
        forward_layer: Mapping[str, Any],
        backward_layer: Mapping[str, Any],
        merge: Merge = "concat",
        kernel: Kernel = "auto",
    ) -> None:
        super().__init__()
        check_choice("merge", merge, ("concat", "sum", "ave", "mul"))
        self.forward_layer = RecurrentChainLayer(**forward_layer, kernel=kernel)
        self.backward_layer = RecurrentChainLayer(**backward_layer, kernel=kernel)
        self.merge = merge
        if self.forward_layer.return_sequences != self.backward_layer.return_sequences:
            raise ValueError("return_sequences differs between the two directions")

    def form(self, given: Form) -> Form:
        ahead, back = self.forward_layer.form(given), self.backward_layer.form(given)
        if self.merge == "concat":
            return Form(ahead.kind, ahead.features + back.features)
        return expect(back, ahead.kind, features=ahead.features)

    def forward(self, signal: Signal) -> Signal:
        ahead, back = self.forward_layer(signal).values, self.backward_layer(signal).values
        sequences = self.forward_layer.return_sequences
        if sequences:
            back = back.flip(1)
        if self.merge == "concat":
            merged = torch.cat([ahead, back], dim=-1)
        elif self.merge == "mul":
            merged = ahead * back
        else:
            merged = (ahead + back) / (2 if self.merge == "ave" else 1)
        return Signal(merged, signal.mask if sequences else None)
