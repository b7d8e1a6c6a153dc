"""Convolution and pooling over the steps of a sequence, (batch, steps, features), without turning it round.

`torch.nn.Conv1d` wants features before steps, and copies whatever lies otherwise, forward and backward. The same
numbers seen as an image of one row in channels-last format are what oneDNN and cuDNN read as they lie: half the time on
a CPU.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_positive
from seqclass.nn.tensor_checks import check_sequence


class Convolution(nn.Conv1d):
    """A convolution with stride 1 that keeps the number of steps ("same" padding with zeros).

    Parameters and results are those of `torch.nn.Conv1d`; only the order of the axes differs. A window of even length
    reaches one step further to the right, as in Keras.

    Args:
        in_channels: features of a step.
        out_channels: filters.
        kernel_size: steps that a filter sees.

    Raises:
        ValueError: a size below 1.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
        super().__init__(
            check_positive("in_channels", in_channels),
            check_positive("out_channels", out_channels),
            check_positive("kernel_size", kernel_size),
            padding="same",
        )

    @property
    def window(self) -> int:
        """Steps that a filter sees."""
        return self.kernel_size[0]

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, steps, in_channels) -> (batch, steps, out_channels).

        Raises:
            ValueError: inputs of another shape, or on another device than the weight.
        """
        check_sequence("inputs", inputs, self.in_channels, self.weight)
        weight = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        left = (self.window - 1) // 2
        if self.window % 2 == 0:
            # PyTorch would do this too, under a warning.
            inputs = F.pad(inputs, (0, 0, 0, 1))
        result = F.conv2d(_image(inputs), weight, self.bias, padding=(0, left))
        return _sequence(result)


class ParallelConvolutions(nn.ModuleList):
    """Convolutions of several lengths over the same steps, their channels side by side (Kim, "Convolutional Neural
    Networks for Sentence Classification", 2014).

    Args:
        in_channels: features of a step.
        out_channels: filters of each length.
        kernel_sizes: the lengths, in the order of their channels.

    Raises:
        ValueError: a size below 1, or no length.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_sizes: Sequence[int]) -> None:
        if not kernel_sizes:
            raise ValueError("kernel_sizes=[] is empty: there must be at least one length")
        super().__init__(Convolution(in_channels, out_channels, size) for size in kernel_sizes)

    @property
    def window(self) -> int:
        """Steps that the longest filter sees."""
        return max(layer.window for layer in self.layers)

    @property
    def out_channels(self) -> int:
        """Channels of all together."""
        return sum(layer.out_channels for layer in self.layers)

    @property
    def layers(self) -> list[Convolution]:
        """The convolutions."""
        return cast(list[Convolution], list(self))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, steps, in_channels) -> (batch, steps, the sum of the channels)."""
        return torch.cat([layer(inputs) for layer in self.layers], dim=2)


class MaxPooling(nn.Module):
    """The largest of each `size` steps; steps left over at the end are dropped, as Keras and PyTorch do.

    Args:
        size: length and stride.

    Raises:
        ValueError: `size` is below 1.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = check_positive("size", size)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, steps, features) -> (batch, steps // size, features).

        Raises:
            ValueError: inputs of another shape, or fewer steps than `size`.
        """
        check_sequence("inputs", inputs, None)
        if inputs.shape[1] < self.size:
            raise ValueError(f"inputs has {inputs.shape[1]} steps; allowed are {self.size} or more, the pooling's size")
        return _sequence(F.max_pool2d(_image(inputs), (1, self.size)))

    def extra_repr(self) -> str:
        return f"{self.size}"


def _image(sequence: torch.Tensor) -> torch.Tensor:
    """(batch, steps, features) as (batch, features, 1, steps), the same memory."""
    return sequence.transpose(1, 2).unsqueeze(2)


def _sequence(image: torch.Tensor) -> torch.Tensor:
    return image.squeeze(2).transpose(1, 2)
