"""What every kernel is given, checked, and what it is to return."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

import torch

from seqclass.nn.recurrent_activations import RecurrentActivation
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.tensor_checks import check_sequence, check_tensor


@dataclass(frozen=True)
class CellArguments(ABC):
    """One layer's inputs, weights and dropout masks; G gates, in PyTorch's order.

    Kernels rely on what is checked here, and check no shape of their own.

    Attributes:
        inputs: (batch, steps, input_size).
        weight_ih: (G * hidden_size, input_size).
        weight_hh: (G * hidden_size, hidden_size).
        recurrent_activation: the function of the gates other than the candidate (LSTM: g, GRU: n).
        input_masks: (G, batch, input_size), factors of the inputs on their way into each gate, the same at all steps;
            None for no dropout.
        recurrent_masks: (G, batch, hidden_size), likewise for the state.
        padding: the leading steps of each row that need not be computed row by row; None to compute them all.
        return_sequences: whether to return the states after all steps, (batch, steps, hidden_size), zero where a masked
            row has not begun; otherwise the last one, (batch, hidden_size).

    Raises:
        ValueError: a tensor with the wrong shape, dtype or device; padding of other rows or longer than the inputs;
            dropout masks together with padding that is shared.
    """

    name: ClassVar[str]
    gates: ClassVar[int]
    bias_names: ClassVar[tuple[str, ...]]
    joint_gates: ClassVar[tuple[int, int, int, int]]
    """The gate of each of the joint weight's four parts."""

    inputs: torch.Tensor
    weight_ih: torch.Tensor
    weight_hh: torch.Tensor
    recurrent_activation: RecurrentActivation = field(default="sigmoid", kw_only=True)
    input_masks: torch.Tensor | None = field(default=None, kw_only=True)
    recurrent_masks: torch.Tensor | None = field(default=None, kw_only=True)
    padding: LeadingPadding | None = field(default=None, kw_only=True)
    return_sequences: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        hidden_size = self.weight_hh.shape[-1]
        check_sequence("inputs", self.inputs, self.weight_ih.shape[-1])
        batch, steps, input_size = self.inputs.shape
        check_tensor("weight_ih", self.weight_ih, (self.gates * hidden_size, input_size), self.inputs)
        check_tensor("weight_hh", self.weight_hh, (self.gates * hidden_size, hidden_size), self.inputs)
        for bias in self.biases:
            check_tensor("bias", bias, (self.gates * hidden_size,), self.inputs)
        if self.input_masks is not None:
            check_tensor("input_masks", self.input_masks, (self.gates, batch, input_size), self.inputs)
        if self.recurrent_masks is not None:
            check_tensor("recurrent_masks", self.recurrent_masks, (self.gates, batch, hidden_size), self.inputs)
        if self.padding is not None:
            self.padding.check(batch, steps)
        if self.has_gate_dropout and self.padding is not None and not self.padding.masked:
            raise ValueError(
                "padding is not masked; with dropout masks, which differ from row to row, allowed are None and masked "
                "padding"
            )

    @property
    def biases(self) -> tuple[torch.Tensor, ...]:
        """The bias vectors, each (G * hidden_size,)."""
        return tuple(getattr(self, name) for name in self.bias_names)

    @abstractmethod
    def joint_weight(self) -> torch.Tensor:
        """Concatenate [W, b, U], (4 * hidden_size, input_size + 1 + hidden_size), under autograd."""

    @property
    def hidden_size(self) -> int:
        return self.weight_hh.shape[1]

    @property
    def has_gate_dropout(self) -> bool:
        return self.input_masks is not None or self.recurrent_masks is not None

    @property
    def has_masked_padding(self) -> bool:
        return self.padding is not None and self.padding.masked

    @property
    def trains(self) -> bool:
        """Whether there will be a backward pass."""
        tensors = (self.inputs, self.weight_ih, self.weight_hh, *self.biases)
        return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)

    def joint_masks(self) -> torch.Tensor | None:
        """Build each part's factors of [x, 1, h], (4, batch, input_size + 1 + hidden_size); None for no dropout."""
        if not self.has_gate_dropout:
            return None
        batch, _, input_size = self.inputs.shape
        masks = self.inputs.new_ones(4, batch, input_size + 1 + self.hidden_size)
        for mask, gate in zip(masks, self.joint_gates, strict=True):
            if self.input_masks is not None:
                mask[:, :input_size] = self.input_masks[gate]
            if self.recurrent_masks is not None:
                mask[:, input_size + 1 :] = self.recurrent_masks[gate]
        return masks


@dataclass(frozen=True)
class LSTMArguments(CellArguments):
    """Those of an LSTM, with the gates i, f, g (Keras: c), o, which are the parts of the joint weight too.

    Attributes:
        bias: (4 * hidden_size,).
    """

    name = "LSTM"
    gates = 4
    bias_names = ("bias",)
    joint_gates = (0, 1, 2, 3)

    bias: torch.Tensor

    def joint_weight(self) -> torch.Tensor:
        return torch.cat([self.weight_ih, self.bias.unsqueeze(1), self.weight_hh], dim=1)


@dataclass(frozen=True)
class GRUArguments(CellArguments):
    """Those of a GRU, with the gates r, z, n.

    The parts of the joint weight are n's of the inputs, r, z, and n's of the state, which r multiplies.

    Attributes:
        bias_ih: (3 * hidden_size,).
        bias_hh: (3 * hidden_size,).
    """

    name = "GRU"
    gates = 3
    bias_names = ("bias_ih", "bias_hh")
    joint_gates = (2, 0, 1, 2)

    bias_ih: torch.Tensor
    bias_hh: torch.Tensor

    def joint_weight(self) -> torch.Tensor:
        """Concatenate [W, b, U]; zero where a part has no inputs or no state."""
        split = 2 * self.hidden_size
        w_rz, w_n = self.weight_ih[:split], self.weight_ih[split:]
        u_rz, u_n = self.weight_hh[:split], self.weight_hh[split:]
        b_rz = self.bias_ih[:split] + self.bias_hh[:split]
        of_inputs = torch.cat([w_n, w_rz, torch.zeros_like(w_n)])
        biases = torch.cat([self.bias_ih[split:], b_rz, self.bias_hh[split:]])
        of_state = torch.cat([torch.zeros_like(u_n), u_rz, u_n])
        return torch.cat([of_inputs, biases.unsqueeze(1), of_state], dim=1)
