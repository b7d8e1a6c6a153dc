"""A stack of recurrent layers."""

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import nn

from seqclass.nn.dropout import Dropout
from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.shared_padding import LeadingPadding


class Stacked(RecurrentLayer):
    """Run recurrent layers on top of each other: each reads the states of the one below after all steps.

    Args:
        layers: from the bottom up; each takes what the one below returns.
        dropout: rate of the element-wise dropout between two layers, drawn anew at each step.

    Raises:
        ValueError: no layers, one that does not take what the one below returns, or a rate outside 0 to 1.
    """

    def __init__(self, layers: Iterable[RecurrentLayer], *, dropout: float = 0.0) -> None:
        super().__init__()
        layers = list(layers)
        if not layers:
            raise ValueError("layers is []; allowed is one layer or more")
        for number, (below, above) in enumerate(pairwise(layers), start=1):
            if above.input_size != below.output_size:
                raise ValueError(
                    f"layers[{number}].input_size is {above.input_size}; allowed is {below.output_size}, the "
                    "output_size of the layer below"
                )
        self.layers = nn.ModuleList(layers)
        self.dropout = Dropout(dropout)
        self.input_size, self.output_size = layers[0].input_size, layers[-1].output_size

    @property
    def keeps_padding_shared(self) -> bool:
        drops_between = self.dropout.drops and len(self.layers) > 1
        return not drops_between and all(layer.keeps_padding_shared for layer in self.layers)

    def forward(
        self, inputs: torch.Tensor, padding: LeadingPadding | None = None, *, return_sequences: bool = False
    ) -> torch.Tensor:
        """Run over all steps of all layers; see `RecurrentLayer`. The states are those of the top layer."""
        *lower, top = self.layers
        for layer in lower:
            inputs = self.dropout(layer(inputs, padding, return_sequences=True))
            if padding is not None and (self.dropout.drops or not layer.keeps_padding_shared):
                padding = padding.unshared()
        states: torch.Tensor = top(inputs, padding, return_sequences=return_sequences)
        return states
