"""Layers in sequence, from ids to logits, with parallel branches."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn

from seqclass.models.chain.layer import ChainLayer, Form, Signal
from seqclass.models.chain.pointwise import (
    ActivationLayer,
    DenseLayer,
    DropoutLayer,
    EmbeddingLayer,
    FlattenLayer,
    MaskingLayer,
    NormalizationLayer,
)
from seqclass.models.chain.recurrent import BidirectionalLayer, RecurrentChainLayer
from seqclass.models.chain.windows import ConvolutionLayer, GlobalPoolingLayer, WindowPoolingLayer
from seqclass.nn import Embedding, Kernel

MAX_LAYERS = 1000
MAX_DEPTH = 10
"""Of nested branches: a checkpoint's description is untrusted."""

_RECURRENT: dict[str, type[RecurrentChainLayer] | type[BidirectionalLayer]] = {
    "recurrent": RecurrentChainLayer,
    "bidirectional": BidirectionalLayer,
}
LAYERS: dict[str, type[ChainLayer]] = {
    "embedding": EmbeddingLayer,
    "masking": MaskingLayer,
    "dropout": DropoutLayer,
    "dense": DenseLayer,
    "activation": ActivationLayer,
    "normalization": NormalizationLayer,
    "flatten": FlattenLayer,
    "convolution": ConvolutionLayer,
    "pooling": WindowPoolingLayer,
    "global_pooling": GlobalPoolingLayer,
    **_RECURRENT,
}
"""The values of `layer` in a description, besides `branches`; its other entries are the options of that class."""


class Branches(ChainLayer):
    """Parallel chains with the same input; their features are concatenated.

    Args:
        branches: the layers of each; an empty list passes the input on.
        kernel: the way to run LSTMs, and GRUs where they have it.
        depth: of branches around these.
    """

    def __init__(
        self, *, branches: Sequence[Sequence[Mapping[str, Any]]], kernel: Kernel = "auto", depth: int = 0
    ) -> None:
        super().__init__()
        if depth >= MAX_DEPTH:
            raise ValueError(f"there are more than {MAX_DEPTH} branches within branches")
        if not branches:
            raise ValueError("branches=[] is empty: there must be at least one")
        self.branches = nn.ModuleList(build_layers(branch, kernel=kernel, depth=depth + 1) for branch in branches)

    def _chains(self) -> list[nn.ModuleList]:
        return cast(list[nn.ModuleList], list(self.branches))

    def form(self, given: Form) -> Form:
        forms = [form_of(branch, given) for branch in self._chains()]
        if len({form.kind for form in forms}) > 1 or forms[0].kind == "ids":
            raise ValueError(f"the branches end in different forms: {', '.join(map(str, forms))}")
        return Form(forms[0].kind, sum(form.features for form in forms))

    def forward(self, signal: Signal) -> Signal:
        results = [run(branch, signal) for branch in self._chains()]
        mask: torch.Tensor | None = None
        for result in results:
            if result.mask is not None:
                mask = result.mask if mask is None else mask & result.mask
        return Signal(torch.cat([result.values for result in results], dim=-1), mask)


def build_layers(
    descriptions: Sequence[Mapping[str, Any]], *, kernel: Kernel = "auto", depth: int = 0
) -> nn.ModuleList:
    """Build layers from their descriptions.

    Args:
        descriptions: each with `layer`, a key of `LAYERS` or `branches`, and the options of its class.
        kernel: the way to run LSTMs, and GRUs where they have it.
        depth: of branches around them.

    Raises:
        ValueError: an unknown layer or option, or a value outside its range; the message has the layer's place.
    """
    if len(descriptions) > MAX_LAYERS:
        raise ValueError(f"there are {len(descriptions)} layers: at most {MAX_LAYERS} are built")
    built = nn.ModuleList()
    for place, description in enumerate(descriptions):
        options = dict(description)
        kind = options.pop("layer", None)
        try:
            if kind == "branches":
                built.append(Branches(**options, kernel=kernel, depth=depth))
            elif kind in _RECURRENT:
                built.append(_RECURRENT[kind](**options, kernel=kernel))
            elif kind in LAYERS:
                built.append(LAYERS[kind](**options))
            else:
                raise ValueError(f"unknown layer; allowed are {', '.join([*LAYERS, 'branches'])}")
        except (TypeError, ValueError) as error:
            raise ValueError(f"layer {place} ({kind!r:.40}): {error}") from error
    return built


def form_of(layers: Iterable[nn.Module], given: Form) -> Form:
    """Work out the form of what layers return.

    Raises:
        ValueError: one of them cannot read the output of the one before.
    """
    for place, layer in enumerate(layers):
        assert isinstance(layer, ChainLayer)
        try:
            given = layer.form(given)
        except ValueError as error:  # a few layers, once
            raise ValueError(f"layer {place} ({type(layer).__name__}): {error}") from error
    return given


def run(layers: Iterable[nn.Module], signal: Signal) -> Signal:
    """Layers in sequence."""
    for layer in layers:
        signal = layer(signal)
    return signal


class Chain(nn.Module):
    """Layers from ids to logits; see `ChainOptions`.

    Args:
        layers: their descriptions.
        kernel: the way to run LSTMs, and GRUs where they have it.

    Attributes:
        descriptions: as given.
        out_features: numbers that it returns for a row.

    Raises:
        ValueError: a layer is unknown or cannot read the output of the one before, or the last returns no vector.
    """

    def __init__(self, layers: Sequence[Mapping[str, Any]], *, kernel: Kernel = "auto") -> None:
        super().__init__()
        self.descriptions = [dict(layer) for layer in layers]
        self.layers = build_layers(layers, kernel=kernel)
        made = form_of(self.layers, Form("ids"))
        if made.kind != "vector":
            raise ValueError(f"the chain ends in a {made}: it has to end in one vector a row")
        self.out_features = made.features

    @property
    def embedding(self) -> Embedding:
        """The table of the first layer."""
        first = self.layers[0]
        assert isinstance(first, EmbeddingLayer)
        return first.table

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch,) if there is one output, else (batch, classes).
        """
        logits = run(self.layers, Signal(ids)).values
        return logits.squeeze(1) if logits.shape[1] == 1 else logits
