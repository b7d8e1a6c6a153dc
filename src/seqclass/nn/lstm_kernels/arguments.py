"""What every kernel is given, and what it is to return."""

from dataclasses import dataclass

import torch

from seqclass.nn.recurrent_activations import RecurrentActivation
from seqclass.nn.shared_padding import LeadingPadding


@dataclass(frozen=True)
class LSTMArguments:
    """One layer's inputs, weights and dropout masks. Gates stand in PyTorch's order: i, f, g (Keras: c), o.

    Attributes:
        inputs: (batch, steps, input_size).
        weight_ih: (4 * hidden_size, input_size).
        weight_hh: (4 * hidden_size, hidden_size).
        bias: (4 * hidden_size,).
        recurrent_activation: the function of the gates i, f and o.
        input_masks: (4, batch, input_size), what multiplies the inputs on their way into each gate, at all steps; None
            for nothing.
        recurrent_masks: (4, batch, hidden_size), the same for the state.
        padding: the leading steps of each row that need not be computed row by row; None to compute them all.
        return_sequences: whether the states after all steps are wanted, (batch, steps, hidden_size), zero where a
            masked row has not begun; else the last one is, (batch, hidden_size).

    Raises:
        ValueError: dropout masks together with padding that is shared.
    """

    inputs: torch.Tensor
    weight_ih: torch.Tensor
    weight_hh: torch.Tensor
    bias: torch.Tensor
    recurrent_activation: RecurrentActivation = "sigmoid"
    input_masks: torch.Tensor | None = None
    recurrent_masks: torch.Tensor | None = None
    padding: LeadingPadding | None = None
    return_sequences: bool = False

    def __post_init__(self) -> None:
        if self.has_gate_dropout and self.padding is not None and not self.padding.masked:
            raise ValueError("rows with dropout masks of their own share no padding: padding must be None or masked")

    @property
    def hidden_size(self) -> int:
        return self.weight_hh.shape[1]

    @property
    def has_gate_dropout(self) -> bool:
        return self.input_masks is not None or self.recurrent_masks is not None

    def joint_weight(self) -> torch.Tensor:
        """[W, b, U], (4 * hidden_size, input_size + 1 + hidden_size): cut into its three parts again by autograd."""
        return torch.cat([self.weight_ih, self.bias.unsqueeze(1), self.weight_hh], dim=1)

    def joint_masks(self) -> torch.Tensor | None:
        """What multiplies [x, 1, h] for each gate, (4, batch, input_size + 1 + hidden_size); None for nothing."""
        if not self.has_gate_dropout:
            return None
        batch, _, input_size = self.inputs.shape
        masks = self.inputs.new_ones(4, batch, input_size + 1 + self.hidden_size)
        if self.input_masks is not None:
            masks[:, :, :input_size] = self.input_masks
        if self.recurrent_masks is not None:
            masks[:, :, input_size + 1 :] = self.recurrent_masks
        return masks
