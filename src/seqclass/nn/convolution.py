"""Convolution and pooling over the steps of a sequence, (batch, steps, features), without transposing it in memory.

`torch.nn.Conv1d` takes features before steps, and copies any other layout, forward and backward. Viewed as an image of
one row in channels-last format, the same memory is what oneDNN and cuDNN read directly: half the time on a CPU.
"""

from collections.abc import Sequence
from typing import cast

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.checks import check_positive
from seqclass.nn.tensor_checks import check_sequence


class Convolution(nn.Conv1d):
    """Convolve with stride 1 and keep the number of steps ("same" padding with zeros).

    Parameters and results are those of `torch.nn.Conv1d`; only the order of the axes differs. A window of even length
    extends one step further to the right, as in Keras.

    Args:
        in_channels: features of a step.
        out_channels: number of filters.
        kernel_size: number of steps that a filter sees.

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
        """How many steps a filter sees."""
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
    """Convolve the same steps with windows of several lengths, and concatenate the channels.

    See Kim, "Convolutional Neural Networks for Sentence Classification" (2014).

    Args:
        in_channels: features of a step.
        out_channels: number of filters of each length.
        kernel_sizes: the lengths, in the order of their channels.

    Raises:
        ValueError: a size below 1, or no length at all.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_sizes: Sequence[int]) -> None:
        if not kernel_sizes:
            raise ValueError(f"kernel_sizes is {kernel_sizes!r}; allowed is one length or more")
        super().__init__(Convolution(in_channels, out_channels, size) for size in kernel_sizes)

    @property
    def window(self) -> int:
        """How many steps the longest filter sees."""
        return max(layer.window for layer in self.layers)

    @property
    def out_channels(self) -> int:
        """The number of channels of all convolutions together."""
        return sum(layer.out_channels for layer in self.layers)

    @property
    def layers(self) -> list[Convolution]:
        """The convolutions."""
        return cast(list[Convolution], list(self))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, steps, in_channels) -> (batch, steps, total channels)."""
        return torch.cat([layer(inputs) for layer in self.layers], dim=2)


class MaxPooling(nn.Module):
    """Take the maximum over each `size` steps; leftover steps at the end are dropped, as in Keras and PyTorch.

    Args:
        size: length of the window, and its stride.

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
    """View (batch, steps, features) as (batch, features, 1, steps), in the same memory."""
    return sequence.transpose(1, 2).unsqueeze(2)


def _sequence(image: torch.Tensor) -> torch.Tensor:
    return image.squeeze(2).transpose(1, 2)
