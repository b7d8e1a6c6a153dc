"""What every kernel is given, checked, and what it is to return."""

from dataclasses import dataclass

import torch

from seqclass.nn.recurrent_activations import RecurrentActivation
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.tensor_checks import check_sequence, check_tensor


@dataclass(frozen=True)
class LSTMArguments:
    """One layer's inputs, weights and dropout masks, with the gates in PyTorch's order: i, f, g (Keras: c), o.

    Kernels rely on what is checked here, and check no shape of their own.

    Attributes:
        inputs: (batch, steps, input_size).
        weight_ih: (4 * hidden_size, input_size).
        weight_hh: (4 * hidden_size, hidden_size).
        bias: (4 * hidden_size,).
        recurrent_activation: the function of the gates i, f and o.
        input_masks: (4, batch, input_size), factors of the inputs on their way into each gate, the same at all steps;
            None for no dropout.
        recurrent_masks: (4, batch, hidden_size), likewise for the state.
        padding: the leading steps of each row that need not be computed row by row; None to compute them all.
        return_sequences: whether to return the states after all steps, (batch, steps, hidden_size), zero where a masked
            row has not begun; otherwise the last one, (batch, hidden_size).

    Raises:
        ValueError: a tensor with the wrong shape, dtype or device; padding of other rows or longer than the inputs;
            dropout masks together with padding that is shared.
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
        check_gates(
            4, self.inputs, self.weight_ih, self.weight_hh, (self.bias,), self.input_masks, self.recurrent_masks
        )
        if self.padding is not None:
            self.padding.check(*self.inputs.shape[:2])
        if self.has_gate_dropout and self.padding is not None and not self.padding.masked:
            raise ValueError(
                "padding is not masked; with dropout masks, which differ from row to row, allowed are None and masked "
                "padding"
            )

    @property
    def hidden_size(self) -> int:
        return self.weight_hh.shape[1]

    @property
    def has_gate_dropout(self) -> bool:
        return self.input_masks is not None or self.recurrent_masks is not None

    @property
    def has_masked_padding(self) -> bool:
        return self.padding is not None and self.padding.masked

    def joint_weight(self) -> torch.Tensor:
        """Concatenate [W, b, U], (4 * hidden_size, input_size + 1 + hidden_size), under autograd."""
        return torch.cat([self.weight_ih, self.bias.unsqueeze(1), self.weight_hh], dim=1)

    def joint_masks(self) -> torch.Tensor | None:
        """Build each gate's factors of [x, 1, h], (4, batch, input_size + 1 + hidden_size); None for no dropout."""
        if not self.has_gate_dropout:
            return None
        batch, _, input_size = self.inputs.shape
        masks = self.inputs.new_ones(4, batch, input_size + 1 + self.hidden_size)
        if self.input_masks is not None:
            masks[:, :, :input_size] = self.input_masks
        if self.recurrent_masks is not None:
            masks[:, :, input_size + 1 :] = self.recurrent_masks
        return masks


def check_gates(
    gates: int,
    inputs: torch.Tensor,
    weight_ih: torch.Tensor,
    weight_hh: torch.Tensor,
    biases: tuple[torch.Tensor, ...],
    input_masks: torch.Tensor | None,
    recurrent_masks: torch.Tensor | None,
) -> None:
    """Check that inputs, weights and masks of a layer with gates fit each other.

    Raises:
        ValueError: a tensor has the wrong shape, dtype or device; the message gives the right ones.
    """
    hidden_size = weight_hh.shape[-1]
    check_sequence("inputs", inputs, weight_ih.shape[-1])
    batch, _, input_size = inputs.shape
    check_tensor("weight_ih", weight_ih, (gates * hidden_size, input_size), inputs)
    check_tensor("weight_hh", weight_hh, (gates * hidden_size, hidden_size), inputs)
    for bias in biases:
        check_tensor("bias", bias, (gates * hidden_size,), inputs)
    if input_masks is not None:
        check_tensor("input_masks", input_masks, (gates, batch, input_size), inputs)
    if recurrent_masks is not None:
        check_tensor("recurrent_masks", recurrent_masks, (gates, batch, hidden_size), inputs)
