"""Layers that look at several steps at once: convolutions and poolings."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_choice, check_positive
from seqclass.models.chain.layer import ChainLayer, Form, Signal, expect
from seqclass.models.chain.pointwise import ACTIVATIONS

Edges = Literal["valid", "same", "causal"]


def edges_of(padding: str, *, steps: int, size: int, stride: int, dilation: int = 1) -> tuple[int, int]:
    """How many steps of padding go in front and behind, as in TensorFlow."""
    reach = (size - 1) * dilation
    if padding == "valid":
        return 0, 0
    if padding == "causal":
        return reach, 0
    if stride == 1:  # whatever the length is, which a trace does not know
        return reach // 2, reach - reach // 2
    total = max((-(-steps // stride) - 1) * stride + reach + 1 - steps, 0)
    return total // 2, total - total // 2


def leading_behind(
    leading: torch.Tensor | None, *, steps: int, left: int, size: int, stride: int, dilation: int, out_steps: int
) -> torch.Tensor | None:
    """How many leading steps still see leading steps alone: step j sees up to j * stride - left + reach."""
    if leading is None:
        return None
    reach = (size - 1) * dilation
    seen = ((leading + left - reach + stride - 1) // stride).clamp(0, out_steps)
    return torch.where(leading == steps, out_steps, seen)


class ConvolutionLayer(ChainLayer):
    """A convolution over the steps and its activation; it drops the mask, as Keras' does.

    Args:
        in_channels: features of a step.
        out_channels: filters.
        kernel_size: steps that a filter sees.
        stride: steps from one window to the next.
        dilation: steps from one that a filter sees to the next.
        groups: parts of the features that do not see each other.
        padding: `valid`, none; `same`, as TensorFlow pads; `causal`, all in front.
        activation: one of `ACTIVATIONS`.
        bias: whether it has one.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        padding: Edges = "valid",
        activation: str = "linear",
        bias: bool = True,
    ) -> None:
        super().__init__()
        sizes = {"in_channels": in_channels, "out_channels": out_channels, "kernel_size": kernel_size}
        for name, value in {**sizes, "stride": stride, "dilation": dilation, "groups": groups}.items():
            check_positive(name, value)
        check_choice("padding", padding, ("valid", "same", "causal"))
        check_choice("activation", activation, tuple(ACTIVATIONS))
        self.convolution = nn.Conv1d(
            in_channels, out_channels, kernel_size, stride=stride, dilation=dilation, groups=groups, bias=bias
        )
        self.size, self.stride, self.dilation = kernel_size, stride, dilation
        self.padding: Edges = padding
        self.activation = activation

    def form(self, given: Form) -> Form:
        expect(given, "sequence", features=self.convolution.in_channels)
        return Form("sequence", self.convolution.out_channels)

    def forward(self, signal: Signal) -> Signal:
        steps = signal.values.shape[1]
        window = {"size": self.size, "stride": self.stride, "dilation": self.dilation}
        left, right = edges_of(self.padding, steps=steps, **window)
        # An image of one row in channels-last format is read as it lies, see `seqclass.nn.convolution`.
        image = F.pad(signal.values, (0, 0, left, right)).transpose(1, 2).unsqueeze(2)
        layer = self.convolution
        weight = layer.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        made = F.conv2d(
            image, weight, layer.bias, stride=(1, self.stride), dilation=(1, self.dilation), groups=layer.groups
        )
        values = ACTIVATIONS[self.activation](made.squeeze(2).transpose(1, 2))
        leading = leading_behind(signal.leading, steps=steps, left=left, out_steps=values.shape[1], **window)
        return Signal(values, None, leading)


class WindowPoolingLayer(ChainLayer):
    """The maximum or mean of each window of steps; it drops the mask.

    Args:
        kind: `max` or `mean`.
        size: of a window.
        stride: steps from one window to the next.
        padding: `valid`, or `same`, where what is put at the edges does not count.
    """

    def __init__(
        self, *, kind: Literal["max", "mean"], size: int, stride: int, padding: Literal["valid", "same"] = "valid"
    ) -> None:
        super().__init__()
        check_choice("kind", kind, ("max", "mean"))
        check_choice("padding", padding, ("valid", "same"))
        self.kind = kind
        self.size = check_positive("size", size)
        self.stride = check_positive("stride", stride)
        self.padding = padding

    def form(self, given: Form) -> Form:
        return expect(given, "sequence")

    def forward(self, signal: Signal) -> Signal:
        steps = signal.values.shape[1]
        left, right = edges_of(self.padding, steps=steps, size=self.size, stride=self.stride)
        image = signal.values.transpose(1, 2).unsqueeze(2)
        window, stride = (1, self.size), (1, self.stride)
        if self.kind == "max":
            pooled = F.max_pool2d(F.pad(image, (left, right), value=-torch.inf), window, stride)
        else:
            pooled = F.avg_pool2d(F.pad(image, (left, right)), window, stride)
            if self.padding == "same":
                inside = F.pad(image.new_ones(1, 1, 1, steps), (left, right))
                pooled = pooled / F.avg_pool2d(inside, window, stride)
        values = pooled.squeeze(2).transpose(1, 2)
        leading = leading_behind(
            signal.leading,
            steps=steps,
            left=left,
            size=self.size,
            stride=self.stride,
            dilation=1,
            out_steps=values.shape[1],
        )
        return Signal(values, None, leading)


class GlobalPoolingLayer(ChainLayer):
    """Reduce all steps to one vector.

    Args:
        kind: `mean`, over the steps that count, zeros if none does; or `max`, over all steps, masked or not, as in
            Keras.
    """

    def __init__(self, *, kind: Literal["mean", "max"]) -> None:
        super().__init__()
        check_choice("kind", kind, ("mean", "max"))
        self.kind = kind

    def form(self, given: Form) -> Form:
        return Form("vector", expect(given, "sequence").features)

    def forward(self, signal: Signal) -> Signal:
        x, mask = signal.values, signal.mask
        if self.kind == "max":
            return Signal(x.amax(dim=1))
        if mask is None:
            return Signal(x.mean(dim=1))
        total = x.masked_fill(~mask.unsqueeze(2), 0).sum(dim=1)
        return Signal(total / mask.sum(dim=1, keepdim=True).clamp(min=1))
