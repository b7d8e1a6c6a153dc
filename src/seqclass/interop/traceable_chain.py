"""A chain in operations that `torch.export` can trace with sizes unknown."""

import copy
from collections.abc import Iterable

import torch
from torch import nn

from seqclass.models import Chain
from seqclass.models.chain import (
    Branches,
    ConvolutionLayer,
    EmbeddingLayer,
    FlattenLayer,
    RecurrentChainLayer,
    WindowPoolingLayer,
)
from seqclass.nn import LeadingPadding, RecurrentLayer


class ScannedLayer(RecurrentLayer):
    """A recurrent layer whose loop is traced as one operation.

    Args:
        layer: with its weights.
    """

    def __init__(self, layer: RecurrentLayer) -> None:
        super().__init__()
        self.layer = layer
        self.input_size, self.output_size = layer.input_size, layer.output_size

    @property
    def keeps_padding_shared(self) -> bool:
        return self.layer.keeps_padding_shared

    def forward(
        self, inputs: torch.Tensor, padding: LeadingPadding | None = None, *, return_sequences: bool = False
    ) -> torch.Tensor:
        """Run over all steps; see `RecurrentLayer`."""
        from seqclass.interop.torch_export import run_scanned

        last, states = run_scanned(self.layer, inputs, padding)
        return states if return_sequences else last


def traceable_chain(chain: Chain) -> nn.Module:
    """Return a copy of a chain that can be traced."""
    chain = copy.deepcopy(chain)
    for module in chain.modules():
        if isinstance(module, RecurrentChainLayer):
            module.layer = ScannedLayer(module.layer)
        elif isinstance(module, EmbeddingLayer):
            module.counts_leading = False
    return chain


def fewest_steps(layers: Iterable[nn.Module], wanted: int = 2) -> int:
    """How many ids leave at least so many steps behind all windows."""
    for layer in reversed(list(layers)):
        if isinstance(layer, Branches):
            wanted = max(fewest_steps(branch, wanted) for branch in layer.branches)  # type: ignore[arg-type]
        elif isinstance(layer, ConvolutionLayer):
            wanted = (wanted - 1) * layer.stride + (layer.size - 1) * layer.dilation + 1
        elif isinstance(layer, WindowPoolingLayer):
            wanted = (wanted - 1) * layer.stride + layer.size
    return wanted


def fixed_steps(chain: Chain) -> int | None:
    """How many ids the chain reads, if it flattens them: the only length that it can."""
    if not any(isinstance(module, FlattenLayer) for module in chain.modules()):
        return None
    length = chain.descriptions[0].get("input_length")
    return length if isinstance(length, int) else None
