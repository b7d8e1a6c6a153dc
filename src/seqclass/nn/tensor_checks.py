"""Checks of the tensors passed to layers.

Kernels trust the sizes that they are given, and those in C and on a GPU do not notice when they leave their memory; so
everything that reaches a kernel has passed these checks. Shapes, dtypes and devices are known without waiting for a
device, and while a graph is being traced; numbers are read only where that is cheap (`has_numbers`).
"""

import torch
from torch.jit import is_tracing  # type: ignore[attr-defined]


def check_tensor(name: str, tensor: torch.Tensor, shape: tuple[int, ...], like: torch.Tensor) -> None:
    """Check that a tensor has this shape, and the same dtype and device as another.

    Raises:
        ValueError: it does not; the message shows what it has and what is allowed.
    """
    if tensor.shape != shape or tensor.dtype != like.dtype or tensor.device != like.device:
        raise ValueError(f"{name} is {_describe(tensor)}; allowed is {shape} {like.dtype} on {like.device}")


def check_sequence(name: str, sequence: torch.Tensor, features: int | None, like: torch.Tensor | None = None) -> None:
    """Check that a tensor is a sequence, (batch, steps, features), of floating-point numbers.

    Args:
        name: name of the tensor, for the message.
        sequence: the tensor.
        features: how many features a step must have; None for any number.
        like: a tensor on the device where the sequence has to be; None for any device.

    Raises:
        ValueError: it is not; the message shows what it is and what is allowed.
    """
    fits = sequence.dim() == 3 and (features is None or sequence.shape[2] == features)
    if not fits or not sequence.is_floating_point() or (like is not None and sequence.device != like.device):
        steps = f"(batch, steps, {'features' if features is None else features})"
        device = "" if like is None else f" on {like.device}"
        raise ValueError(f"{name} is {_describe(sequence)}; allowed is {steps} of floating-point numbers{device}")


def has_numbers(tensor: torch.Tensor) -> bool:
    """Whether the numbers can be read at once: not while a graph is traced, and not from a GPU, which takes waiting."""
    traced = torch.compiler.is_compiling() or is_tracing()
    return not traced and tensor.device.type == "cpu" and not is_fake(tensor)


def is_fake(tensor: torch.Tensor) -> bool:
    """Whether this is one of PyTorch's fake tensors, which have a shape but no memory."""
    return hasattr(tensor, "fake_mode")


def _describe(tensor: torch.Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"
