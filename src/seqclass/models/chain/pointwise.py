"""Layers that act on each step separately."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_choice, check_positive, check_rate
from seqclass.models.chain.layer import ChainLayer, Form, Signal, expect
from seqclass.nn.dropout import dropout_mask
from seqclass.nn.embedding import Embedding
from seqclass.nn.recurrent_activations import HARD_SIGMOID_SLOPES
from seqclass.nn.shared_padding import count_leading


def _hard_sigmoid(name: str) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda x: (HARD_SIGMOID_SLOPES[name] * x + 0.5).clamp(0, 1)


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "linear": lambda x: x,
    "relu": torch.relu,
    "relu6": F.relu6,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": _hard_sigmoid("hard_sigmoid"),
    "hard_sigmoid_keras3": _hard_sigmoid("hard_sigmoid_keras3"),
    "softmax": lambda x: x.softmax(dim=-1),
    "log_softmax": lambda x: x.log_softmax(dim=-1),
    "elu": F.elu,
    "selu": F.selu,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "softplus": F.softplus,
    "softsign": F.softsign,
    "exponential": torch.exp,
}
"""Functions by name; `leaky_relu` has Keras 3's slope of 0.2."""

DropoutKind = Literal["numbers", "features", "gaussian_noise", "gaussian_dropout"]
_SLOPES = ("leaky_relu", "elu")


class EmbeddingLayer(ChainLayer):
    """A table of vectors, which may mask id 0.

    Args:
        num_embeddings: rows.
        embedding_dim: size of a row.
        mask_zero: whether later layers skip steps of id 0.
        dropout: rate of whole words (Keras 1).
        input_length: steps that the model was built for, which an export states again; nothing is checked.

    Attributes:
        counts_leading: whether to count the leading padding, which an LSTM computes once.
    """

    def __init__(
        self,
        *,
        num_embeddings: int,
        embedding_dim: int,
        mask_zero: bool = False,
        dropout: float = 0.0,
        input_length: int | None = None,
    ) -> None:
        super().__init__()
        self.table = Embedding(num_embeddings, embedding_dim, dropout=dropout, initializer="keras")
        self.mask_zero = bool(mask_zero)
        self.counts_leading = True
        self.input_length = None if input_length is None else check_positive("input_length", input_length)

    def form(self, given: Form) -> Form:
        expect(given, "ids")
        return Form("sequence", self.table.embedding_dim)

    def forward(self, signal: Signal) -> Signal:
        ids = signal.values
        leading = count_leading(ids) if self.counts_leading else None
        return Signal(self.table(ids), ids != 0 if self.mask_zero else None, leading)


class MaskingLayer(ChainLayer):
    """Steps whose features are all `mask_value` do not count behind it, and become zeros.

    Args:
        mask_value: that value.
    """

    def __init__(self, *, mask_value: float = 0.0) -> None:
        super().__init__()
        self.mask_value = float(mask_value)

    def form(self, given: Form) -> Form:
        return expect(given, "sequence")

    def forward(self, signal: Signal) -> Signal:
        mask = (signal.values != self.mask_value).any(dim=-1)
        return Signal(signal.values * mask.unsqueeze(-1), mask, signal.leading)


class DropoutLayer(ChainLayer):
    """Dropout or noise: random in training, nothing in evaluation.

    Args:
        rate: of what is dropped; the standard deviation of `gaussian_noise`.
        kind: `numbers`, each by itself; `features` of a row at all its steps (Keras' `SpatialDropout1D`); Gaussian
            noise, added or multiplied.
    """

    def __init__(self, *, rate: float, kind: DropoutKind = "numbers") -> None:
        super().__init__()
        check_choice("kind", kind, ("numbers", "features", "gaussian_noise", "gaussian_dropout"))
        if kind == "gaussian_noise" and rate < 0:
            raise ValueError(f"rate={rate!r} is a standard deviation: it must not be negative")
        self.rate = float(rate) if kind == "gaussian_noise" else check_rate("rate", rate)
        self.kind = kind

    def form(self, given: Form) -> Form:
        return expect(given, "sequence") if self.kind == "features" else expect(given, "sequence", "vector")

    def forward(self, signal: Signal) -> Signal:
        if not self.training or self.rate == 0:
            return signal
        x = signal.values
        if self.kind == "gaussian_noise":
            changed = x + self.rate * torch.randn_like(x)
        elif self.kind == "gaussian_dropout":
            changed = x * (1 + (self.rate / (1 - self.rate)) ** 0.5 * torch.randn_like(x))
        else:
            shape = (x.shape[0], 1, x.shape[2]) if self.kind == "features" else tuple(x.shape)
            changed = x * dropout_mask(self.rate, shape, x)
        return signal.with_values(changed, differs=True)


class DenseLayer(ChainLayer):
    """A linear layer and its activation, over each step of a sequence or over a vector.

    Args:
        in_features: that it reads.
        out_features: that it makes.
        activation: one of `ACTIVATIONS`.
        bias: whether it has one.
    """

    def __init__(self, *, in_features: int, out_features: int, activation: str = "linear", bias: bool = True) -> None:
        super().__init__()
        check_positive("in_features", in_features)
        check_positive("out_features", out_features)
        check_choice("activation", activation, tuple(ACTIVATIONS))
        self.linear = nn.Linear(in_features, out_features, bias=bias)
        self.activation = activation

    def form(self, given: Form) -> Form:
        return Form(
            expect(given, "sequence", "vector", features=self.linear.in_features).kind, self.linear.out_features
        )

    def forward(self, signal: Signal) -> Signal:
        return signal.with_values(ACTIVATIONS[self.activation](self.linear(signal.values)))


class ActivationLayer(ChainLayer):
    """An activation as a layer of its own.

    Args:
        activation: one of `ACTIVATIONS`.
        slope: of `leaky_relu` and `elu` below zero (the latter's alpha), where it is not the usual one.
    """

    def __init__(self, *, activation: str, slope: float | None = None) -> None:
        super().__init__()
        check_choice("activation", activation, tuple(ACTIVATIONS))
        if slope is not None:
            check_choice("activation", activation, _SLOPES)
        self.activation = activation
        self.slope = None if slope is None else float(slope)

    def form(self, given: Form) -> Form:
        return expect(given, "sequence", "vector")

    def forward(self, signal: Signal) -> Signal:
        if self.slope is None:
            return signal.with_values(ACTIVATIONS[self.activation](signal.values))
        function = F.leaky_relu if self.activation == "leaky_relu" else F.elu
        return signal.with_values(function(signal.values, self.slope))


class NormalizationLayer(ChainLayer):
    """Batch normalization by the statistics of training, or layer normalization, over the features.

    Args:
        features: that it reads.
        kind: `batch` or `layer`.
        eps: added to the variance.
        scale: whether there is a factor.
        center: whether there is an offset.
    """

    def __init__(
        self,
        *,
        features: int,
        kind: Literal["batch", "layer"] = "batch",
        eps: float = 1e-3,
        scale: bool = True,
        center: bool = True,
    ) -> None:
        super().__init__()
        check_choice("kind", kind, ("batch", "layer"))
        self.features = check_positive("features", features)
        self.kind = kind
        self.eps = float(eps)
        self.weight = nn.Parameter(torch.ones(features)) if scale else None
        self.bias = nn.Parameter(torch.zeros(features)) if center else None
        self.mean: torch.Tensor | None
        self.variance: torch.Tensor | None
        self.register_buffer("mean", torch.zeros(features) if kind == "batch" else None)
        self.register_buffer("variance", torch.ones(features) if kind == "batch" else None)

    def form(self, given: Form) -> Form:
        return expect(given, "sequence", "vector", features=self.features)

    def forward(self, signal: Signal) -> Signal:
        x = signal.values
        if self.mean is None or self.variance is None:
            return signal.with_values(F.layer_norm(x, (self.features,), self.weight, self.bias, self.eps))
        scale = (self.variance + self.eps).rsqrt()
        if self.weight is not None:
            scale = scale * self.weight
        offset = -self.mean * scale if self.bias is None else self.bias - self.mean * scale
        return signal.with_values(x * scale + offset)


class FlattenLayer(ChainLayer):
    """Concatenate all steps of a row, whose length is therefore fixed.

    Args:
        steps: that length, behind the layers before.
        features: of a step.
    """

    def __init__(self, *, steps: int, features: int) -> None:
        super().__init__()
        self.steps = check_positive("steps", steps)
        self.features = check_positive("features", features)

    def form(self, given: Form) -> Form:
        expect(given, "sequence", features=self.features)
        return Form("vector", self.steps * self.features)

    def forward(self, signal: Signal) -> Signal:
        if signal.values.shape[1] != self.steps:
            raise ValueError(f"this model flattens {self.steps} steps, and was given {signal.values.shape[1]}")
        return Signal(signal.values.flatten(1))
