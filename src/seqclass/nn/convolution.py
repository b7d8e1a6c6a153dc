"""Convolution and pooling over the steps of a sequence, (batch, steps, features), without turning it round.

`torch.nn.Conv1d` wants features before steps, and copies whatever lies otherwise, forward and backward. The same
numbers seen as an image of one row in channels-last format are what oneDNN and cuDNN read as they lie: half the time on
a CPU.
"""

import torch
import torch.nn.functional as F
from torch import nn

from seqclass.nn.checks import check_positive


class Convolution(nn.Conv1d):
    """A convolution with stride 1 that keeps the number of steps ("same" padding with zeros).

    Parameters and results are those of `torch.nn.Conv1d`; only the order of the axes differs.

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

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """(batch, steps, in_channels) -> (batch, steps, out_channels)."""
        weight = self.weight.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        return _sequence(F.conv2d(_image(inputs), weight, self.bias, padding="same"))


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
        """(batch, steps, features) -> (batch, steps // size, features)."""
        return _sequence(F.max_pool2d(_image(inputs), (1, self.size)))

    def extra_repr(self) -> str:
        return f"{self.size}"


def _image(sequence: torch.Tensor) -> torch.Tensor:
    """(batch, steps, features) as (batch, features, 1, steps), the same memory."""
    return sequence.transpose(1, 2).unsqueeze(2)


def _sequence(image: torch.Tensor) -> torch.Tensor:
    return image.squeeze(2).transpose(1, 2)
