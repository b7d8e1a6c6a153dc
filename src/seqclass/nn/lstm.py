"""One LSTM layer that returns its last state, with dropout within its gates."""

import torch
from torch import nn

from seqclass.nn.checks import check_choice, check_positive, check_rate
from seqclass.nn.dropout import dropout_mask
from seqclass.nn.initializers import Initializer, initialize_lstm
from seqclass.nn.lstm_kernels import (
    KERNELS,
    RECURRENT_ACTIVATIONS,
    Kernel,
    LSTMArguments,
    RecurrentActivation,
    builtin_refuses,
    run_lstm,
)
from seqclass.nn.shared_padding import LeadingPadding


class LSTM(nn.Module):
    """Reads a sequence, and returns the state after its last step.

    Unlike `torch.nn.LSTM` it has one bias vector, as Keras does: two of them, which are only ever added, would double
    the optimizer's effective step on the bias.

    The dropout is that of Keras (`dropout_W` and `dropout_U` in Keras 1): for each sample and each of the four gates
    one mask over the inputs and one over the state, drawn for each batch in training, the same at all steps, scaled by
    1/(1-p) (Gal and Ghahramani, 2016). It drops neither weights nor the layer's output.

    Args:
        input_size: features of a step.
        hidden_size: units.
        dropout: rate for the inputs of the gates.
        recurrent_dropout: rate for the state on its way into the gates.
        recurrent_activation: function of the gates i, f and o. `sigmoid` (Keras 2 and 3); `hard_sigmoid`, clip(0.2 x +
            0.5, 0, 1) (Keras 1, and by that name Keras 2); `hard_sigmoid_keras3`, clip(x / 6 + 0.5, 0, 1) (by the name
            of hard_sigmoid in Keras 3 and PyTorch). cuDNN and oneDNN have only the sigmoid.
        initializer: the scheme of the initial values: `keras1`, `keras` or `torch`.
        kernel: the way to run it; `auto` takes the fastest that can.

    Attributes:
        weight_ih: (4 * hidden_size, input_size), gates in PyTorch's order i, f, g (Keras: c), o.
        weight_hh: (4 * hidden_size, hidden_size).
        bias: (4 * hidden_size,).

    Raises:
        ValueError: a size below 1, a rate outside 0 to 1, an unknown name, or a kernel that lacks what is asked for.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        recurrent_activation: RecurrentActivation = "sigmoid",
        initializer: Initializer = "keras1",
        kernel: Kernel = "auto",
    ) -> None:
        super().__init__()
        self.input_size = check_positive("input_size", input_size)
        self.hidden_size = check_positive("hidden_size", hidden_size)
        self.dropout = check_rate("dropout", dropout)
        self.recurrent_dropout = check_rate("recurrent_dropout", recurrent_dropout)
        check_choice("recurrent_activation", recurrent_activation, RECURRENT_ACTIVATIONS)
        self.recurrent_activation: RecurrentActivation = recurrent_activation
        self.initializer = initializer
        check_choice("kernel", kernel, KERNELS)
        self.kernel: Kernel = kernel
        self.weight_ih = nn.Parameter(torch.empty(4 * hidden_size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.bias = nn.Parameter(torch.empty(4 * hidden_size))
        self.reset_parameters()
        reason = builtin_refuses(recurrent_activation, gate_dropout=dropout > 0 or recurrent_dropout > 0)
        if kernel == "builtin" and reason is not None:
            raise ValueError(f"kernel='builtin' cannot run {reason}; use 'fused' or 'auto'")

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        initialize_lstm(self.weight_ih, self.weight_hh, self.bias, self.initializer)

    @property
    def drops_in_gates(self) -> bool:
        """Whether the next pass draws masks, so that no two samples share a state."""
        return self.training and (self.dropout > 0 or self.recurrent_dropout > 0)

    def forward(
        self,
        inputs: torch.Tensor,
        padding: LeadingPadding | None = None,
        *,
        input_masks: torch.Tensor | None = None,
        recurrent_masks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run over all steps.

        Args:
            inputs: (batch, steps, input_size).
            padding: leading steps that are equal in all rows, or masked; None to compute every step of every row.
            input_masks: (4, batch, input_size), scaled dropout masks to use in place of drawn ones.
            recurrent_masks: (4, batch, hidden_size), likewise.

        Returns:
            (batch, hidden_size).
        """
        batch = inputs.shape[0]
        # Under autocast, what comes before may be half precision; the kernels work in that of the weights.
        inputs = inputs.to(self.weight_ih.dtype)
        if input_masks is None:
            input_masks = self._draw_masks(self.dropout, batch, self.input_size)
        if recurrent_masks is None:
            recurrent_masks = self._draw_masks(self.recurrent_dropout, batch, self.hidden_size)
        drops = input_masks is not None or recurrent_masks is not None
        if drops and padding is not None and not padding.masked:
            # Each row's padding has a mask of its own now, so it is not shared.
            padding = None
        arguments = LSTMArguments(
            inputs=inputs,
            weight_ih=self.weight_ih,
            weight_hh=self.weight_hh,
            bias=self.bias,
            recurrent_activation=self.recurrent_activation,
            input_masks=input_masks,
            recurrent_masks=recurrent_masks,
            padding=padding,
        )
        return run_lstm(arguments, self.kernel)

    def _draw_masks(self, rate: float, batch: int, size: int) -> torch.Tensor | None:
        if not self.training or rate == 0:
            return None
        return dropout_mask(rate, (4, batch, size), self.weight_ih)

    def extra_repr(self) -> str:
        return (
            f"{self.input_size}, {self.hidden_size}, dropout={self.dropout}, "
            f"recurrent_dropout={self.recurrent_dropout}, recurrent_activation={self.recurrent_activation!r}, "
            f"kernel={self.kernel!r}"
        )
