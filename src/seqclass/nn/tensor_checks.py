"""Checks of the tensors that layers are given.

Kernels trust what they are told of sizes, and those in C and on a GPU do not notice when they leave their memory; so
whatever reaches a kernel has passed through here. Shapes, dtypes and devices are known without waiting for a device,
and while a graph is traced; numbers are looked at only where that is cheap (`has_numbers`).
"""

import torch
from torch.jit import is_tracing  # type: ignore[attr-defined]


def check_tensor(name: str, tensor: torch.Tensor, shape: tuple[int, ...], like: torch.Tensor) -> None:
    """Check that a tensor has this shape, and the dtype and the device of another.

    Raises:
        ValueError: it has not.
    """
    if tensor.shape != shape or tensor.dtype != like.dtype or tensor.device != like.device:
        raise ValueError(f"{name} is {_describe(tensor)}; allowed is {shape} {like.dtype} on {like.device}")


def check_sequence(name: str, sequence: torch.Tensor, features: int | None, like: torch.Tensor | None = None) -> None:
    """Check that a tensor is a sequence, (batch, steps, features), of floating-point numbers.

    Args:
        name: of the tensor, for the message.
        sequence: the tensor.
        features: how many each step must have; None if any number will do.
        like: a tensor on the device where the sequence has to be; None if it may be anywhere.

    Raises:
        ValueError: it is not.
    """
    fits = sequence.dim() == 3 and (features is None or sequence.shape[2] == features)
    if not fits or not sequence.is_floating_point() or (like is not None and sequence.device != like.device):
        steps = f"(batch, steps, {'features' if features is None else features})"
        device = "" if like is None else f" on {like.device}"
        raise ValueError(f"{name} is {_describe(sequence)}; allowed is {steps} of floating-point numbers{device}")


def has_numbers(tensor: torch.Tensor) -> bool:
    """Whether the tensor's numbers can be read at once: not while a graph is traced, nor from a GPU, which would make
    the host wait for it.
    """
    traced = torch.compiler.is_compiling() or is_tracing()
    return not traced and tensor.device.type == "cpu" and not is_fake(tensor)


def is_fake(tensor: torch.Tensor) -> bool:
    """Whether this is one of PyTorch's fake tensors, which have a shape, but no memory and so no numbers."""
    return hasattr(tensor, "fake_mode")


def _describe(tensor: torch.Tensor) -> str:
    return f"{tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"
