"""Random problems, of an LSTM or a GRU, that every kernel is asked to solve, and what is compared of the answers."""

from dataclasses import dataclass
from typing import Literal

import torch

from seqclass.nn import Kernel, LeadingPadding, RecurrentActivation
from seqclass.nn.kernels import GRUArguments, LSTMArguments, run_kernel

Cell = Literal["lstm", "gru"]
PaddingMode = Literal["none", "shared", "masked"]


@dataclass(frozen=True)
class KernelCase:
    """One problem in float64.

    The inputs are made of what *generates* them: one padding row, which all rows have in front, and each row's words.
    With shared padding a kernel may give the gradient of a padded step to any one of the rows that share it, so the
    gradients are taken with respect to these two and not to the inputs.

    Attributes:
        cell: which of the two; G is 4 or 3.
        sources: padding row (1, steps, E), words (batch, steps, E), weight_ih, weight_hh, and the biases.
        counts: (batch,) padded steps of each row.
        mode: whether the kernel is told of them, and as what.
        activation: of the gates.
        input_masks: (G, batch, E) or None.
        recurrent_masks: (G, batch, H) or None.
        return_sequences: whether the answer is all states.
        output_gradient: (batch, H), or (batch, steps, H) for all states.
    """

    cell: Cell
    sources: tuple[torch.Tensor, ...]
    counts: torch.Tensor
    mode: PaddingMode
    activation: RecurrentActivation
    input_masks: torch.Tensor | None
    recurrent_masks: torch.Tensor | None
    return_sequences: bool
    output_gradient: torch.Tensor

    @property
    def padding(self) -> LeadingPadding | None:
        return None if self.mode == "none" else LeadingPadding(self.counts, masked=self.mode == "masked")

    def forward(self, kernel: Kernel, *sources: torch.Tensor) -> torch.Tensor:
        """Run one kernel on these sources, in their dtype and on their device."""
        row, words, *weights = sources
        steps = row.shape[1]
        padded = (torch.arange(steps) < self.counts.unsqueeze(1)).to(row.device)
        inputs = torch.where(padded.unsqueeze(2), row, words)
        options = {
            "recurrent_activation": self.activation,
            "input_masks": None if self.input_masks is None else self.input_masks.to(row),
            "recurrent_masks": None if self.recurrent_masks is None else self.recurrent_masks.to(row),
            "padding": self.padding,
            "return_sequences": self.return_sequences,
        }
        arguments = GRUArguments if self.cell == "gru" else LSTMArguments
        return run_kernel(arguments(inputs, *weights, **options), kernel)

    def solve(self, kernel: Kernel, dtype: torch.dtype = torch.float64, device: str = "cpu") -> dict[str, torch.Tensor]:
        """The state, or all states, and the gradients of all sources, in float64 on the CPU."""
        sources = [source.detach().to(device, dtype).requires_grad_() for source in self.sources]
        output = self.forward(kernel, *sources)
        gradients = torch.autograd.grad(output, sources, self.output_gradient.to(output))
        biases = ("bias",) if self.cell == "lstm" else ("bias_ih", "bias_hh")
        names = ("output", "padding row", "words", "weight_ih", "weight_hh", *biases)
        return {name: value.double().cpu() for name, value in zip(names, (output.detach(), *gradients), strict=True)}

    def assert_equals(
        self,
        expected: dict[str, torch.Tensor],
        kernel: Kernel,
        dtype: torch.dtype = torch.float32,
        *,
        device: str = "cpu",
        units: int = 128,
    ) -> None:
        """Each result is within so many units of rounding of the expected, at the scale of 1 or of its largest."""
        for name, result in self.solve(kernel, dtype, device).items():
            allowed = units * torch.finfo(dtype).eps * max(1.0, expected[name].abs().max().item())
            error = (result - expected[name]).abs().max().item()
            assert error <= allowed, f"{self.cell}, {kernel}, {dtype}, {name}: {error:.1e} > {allowed:.1e}"


def random_case(
    *,
    cell: Cell = "lstm",
    seed: int = 0,
    batch: int = 5,
    steps: int = 12,
    input_size: int = 3,
    hidden_size: int = 4,
    mode: PaddingMode = "none",
    activation: RecurrentActivation = "sigmoid",
    input_dropout: bool = False,
    recurrent_dropout: bool = False,
    counts: list[int] | None = None,
    return_sequences: bool = False,
) -> KernelCase:
    """Draw a problem; `counts` are drawn too, from none to all steps, if they are not given."""
    generator = torch.Generator().manual_seed(seed)
    gates = 4 if cell == "lstm" else 3

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def scale(size: int) -> float:
        # With larger weights the states of a wide layer are chaotic: rounding grows from step to step.
        return min(0.5, size**-0.5)

    def masks(size: int) -> torch.Tensor:
        return torch.bernoulli(torch.full((gates, batch, size), 0.7, dtype=torch.float64), generator=generator) / 0.7

    drawn = torch.randint(0, steps + 1, (batch,), generator=generator)
    return KernelCase(
        cell=cell,
        sources=(
            normal(1, steps, input_size),
            normal(batch, steps, input_size),
            normal(gates * hidden_size, input_size) * scale(input_size),
            normal(gates * hidden_size, hidden_size) * scale(hidden_size),
            *(normal(gates * hidden_size) for _ in range(1 if cell == "lstm" else 2)),
        ),
        counts=drawn if counts is None else torch.tensor(counts),
        mode=mode,
        activation=activation,
        input_masks=masks(input_size) if input_dropout else None,
        recurrent_masks=masks(hidden_size) if recurrent_dropout else None,
        return_sequences=return_sequences,
        output_gradient=normal(*((batch, steps, hidden_size) if return_sequences else (batch, hidden_size))),
    )
