"""LSTM layers to be run on a device: random inputs and weights, the same for every kernel, and their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch

from seqclass.nn import Kernel, LeadingPadding, RecurrentActivation
from seqclass.nn.kernels import LSTMArguments, run_kernel

RATE = 0.2
"""Of the masks, as the notebook's gate dropout."""

NAMES = ("state", "inputs", "weight_ih", "weight_hh", "bias")


@dataclass(frozen=True)
class Problem:
    """A layer with its inputs.

    Attributes:
        batch: rows.
        steps: of each row.
        input_size: features of a step.
        hidden_size: units.
        gate_dropout: whether there are masks of inputs and state.
        masked: whether leading padding leaves the state as it is.
        recurrent_activation: of the gates.
        return_sequences: whether all states are the result.
    """

    batch: int
    steps: int
    input_size: int = 32
    hidden_size: int = 100
    gate_dropout: bool = False
    masked: bool = False
    recurrent_activation: RecurrentActivation = "sigmoid"
    return_sequences: bool = False

    def tensors(self, device: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> dict[str, Any]:
        """The keyword arguments of `LSTMArguments`; the same numbers on every device, weights as at the beginning."""
        generator = torch.Generator().manual_seed(seed)

        def draw(*shape: int, scale: float = 1.0) -> torch.Tensor:
            return torch.randn(shape, generator=generator, dtype=torch.float64).mul(scale).to(device, dtype)

        gates = 4 * self.hidden_size
        given: dict[str, Any] = {
            "inputs": draw(self.batch, self.steps, self.input_size),
            "weight_ih": draw(gates, self.input_size, scale=self.input_size**-0.5),
            "weight_hh": draw(gates, self.hidden_size, scale=self.hidden_size**-0.5),
            "bias": draw(gates, scale=0.1),
        }
        for tensor in given.values():
            tensor.requires_grad_()
        if self.gate_dropout:
            for name, size in (("input_masks", self.input_size), ("recurrent_masks", self.hidden_size)):
                kept = torch.rand((4, self.batch, size), generator=generator) >= RATE
                given[name] = kept.to(device, dtype) / (1 - RATE)
        if self.masked:
            counts = torch.randint(0, self.steps, (self.batch,), generator=generator)
            given["padding"] = LeadingPadding(counts.to(device), masked=True)
        return given | {
            "recurrent_activation": self.recurrent_activation,
            "return_sequences": self.return_sequences,
        }

    def solve(self, kernel: Kernel, device: str, dtype: torch.dtype = torch.float32) -> dict[str, torch.Tensor]:
        """The states and the gradient of everything, in float64 on the CPU, for a fixed gradient of the states."""
        given = self.tensors(device, dtype)
        state = run_kernel(LSTMArguments(**given), kernel)
        wanted = torch.randn(state.shape, generator=torch.Generator().manual_seed(1)).to(state)
        sources = [given[name] for name in NAMES[1:]]
        gradients = torch.autograd.grad(state, sources, wanted)
        return {name: value.double().cpu() for name, value in zip(NAMES, (state.detach(), *gradients), strict=True)}


def largest_error(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> dict[str, float]:
    """By result, the norm of the difference over the norm of what is expected.

    Raises:
        ArithmeticError: a result is not a number.
    """
    errors = {}
    for name, value in found.items():
        errors[name] = float((value - expected[name]).norm() / expected[name].norm().clamp(min=1e-30))
        if errors[name] != errors[name]:
            raise ArithmeticError(f"{name} has numbers that are none")
    return errors


def autocast(device: str, precision: str) -> AbstractContextManager[Any]:
    """The context of ``"float32"``, ``"bfloat16"`` or ``"float16"``."""
    return nullcontext() if precision == "float32" else torch.autocast(device, getattr(torch, precision))


@contextmanager
def tf32(on: bool) -> Iterator[None]:
    """Products and cuDNN in TF32 or not; as it was afterwards. TF32 keeps 10 bits of each factor."""
    backends = torch.backends.cuda.matmul, torch.backends.cudnn
    before = [backend.allow_tf32 for backend in backends]
    try:
        for backend in backends:
            backend.allow_tf32 = on
        yield
    finally:
        for backend, was in zip(backends, before, strict=True):
            backend.allow_tf32 = was
