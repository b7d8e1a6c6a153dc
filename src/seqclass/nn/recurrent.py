"""What recurrent layers share: how they are called, and the weights and dropout of those with gates."""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import nn

from seqclass.checks import check_choice, check_positive, check_rate
from seqclass.nn.dropout import dropout_mask
from seqclass.nn.initializers import INITIALIZERS, Initializer
from seqclass.nn.kernels import KERNELS, CellArguments, Kernel, check_kernel, run_kernel
from seqclass.nn.recurrent_activations import RECURRENT_ACTIVATIONS, RecurrentActivation
from seqclass.nn.shared_padding import LeadingPadding
from seqclass.nn.tensor_checks import check_sequence


class RecurrentLayer(nn.Module, ABC):
    """Read a sequence, and return the state after its last step, or the states after all steps.

    Attributes:
        input_size: features of a step.
        output_size: size of a state.
    """

    input_size: int
    output_size: int

    @property
    @abstractmethod
    def keeps_padding_shared(self) -> bool:
        """Whether the next pass gives equal states to rows that are equal in their leading padding."""

    @abstractmethod
    def forward(
        self, inputs: torch.Tensor, padding: LeadingPadding | None = None, *, return_sequences: bool = False
    ) -> torch.Tensor:
        """Run over all steps.

        Args:
            inputs: (batch, steps, input_size).
            padding: leading steps of the rows; None if there are none, or if they are to be computed like all others.
            return_sequences: whether to return the states after all steps; those of masked padding are zero.

        Returns:
            The last state, (batch, output_size), or all of them, (batch, steps, output_size).
        """


class GatedLayer(RecurrentLayer):
    """A layer whose cell has gates: an LSTM or a GRU.

    Dropout is that of Keras (`dropout_W` and `dropout_U` in Keras 1): in training, each batch draws for each sample and
    each gate one mask over the inputs and one over the state, the same at all steps, scaled by 1/(1-p) (Gal and
    Ghahramani, 2016). Neither weights nor the layer's output are dropped.

    Args:
        input_size: features of a step.
        hidden_size: number of units.
        dropout: rate for the inputs of the gates.
        recurrent_dropout: rate for the state on its way into the gates.
        recurrent_activation: see `seqclass.nn.recurrent_activations`.
        initializer: scheme of the initial values.
        kernel: the implementation to run.

    Raises:
        ValueError: a size below 1, a rate outside 0 to 1, an unknown name, or a kernel without the requested options.
    """

    cell: ClassVar[type[CellArguments]]
    """What its kernels are given, which says how many gates and bias vectors it has."""

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
        self.output_size = hidden_size
        self.dropout = check_rate("dropout", dropout)
        self.recurrent_dropout = check_rate("recurrent_dropout", recurrent_dropout)
        check_choice("recurrent_activation", recurrent_activation, RECURRENT_ACTIVATIONS)
        self.recurrent_activation: RecurrentActivation = recurrent_activation
        check_choice("initializer", initializer, INITIALIZERS)
        self.initializer: Initializer = initializer
        check_choice("kernel", kernel, KERNELS)
        self.kernel: Kernel = kernel
        check_kernel(self.cell, kernel, recurrent_activation, gate_dropout=self.has_gate_dropout)
        units = self.cell.gates * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(units, input_size))
        self.weight_hh = nn.Parameter(torch.empty(units, hidden_size))
        for name in self.cell.bias_names:
            self.register_parameter(name, nn.Parameter(torch.empty(units)))
        self.reset_parameters()

    @abstractmethod
    def reset_parameters(self) -> None:
        """Redraw the initial values."""

    @property
    def has_gate_dropout(self) -> bool:
        """Whether the layer drops anything within its gates in training."""
        return self.dropout > 0 or self.recurrent_dropout > 0

    @property
    def drops_in_gates(self) -> bool:
        """Whether the next pass draws masks, so that no two samples can share a state."""
        return self.training and self.has_gate_dropout

    @property
    def keeps_padding_shared(self) -> bool:
        return not self.drops_in_gates

    def input_masks(self, batch: int) -> torch.Tensor | None:
        """Draw masks of the inputs, (gates, batch, input_size); None if nothing is dropped."""
        return self._draw_masks(self.dropout, batch, self.input_size)

    def recurrent_masks(self, batch: int) -> torch.Tensor | None:
        """Draw masks of the state, (gates, batch, hidden_size); None if nothing is dropped."""
        return self._draw_masks(self.recurrent_dropout, batch, self.hidden_size)

    def forward(
        self,
        inputs: torch.Tensor,
        padding: LeadingPadding | None = None,
        *,
        return_sequences: bool = False,
        input_masks: torch.Tensor | None = None,
        recurrent_masks: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run over all steps.

        Args:
            inputs: (batch, steps, input_size).
            padding: leading steps of the rows; if None, or neither masked nor shared, every step of every row is
                computed.
            return_sequences: whether to return the states after all steps; those of masked padding are zero.
            input_masks: (gates, batch, input_size), scaled dropout masks to use instead of drawing them.
            recurrent_masks: (gates, batch, hidden_size), likewise.

        Returns:
            The last state, (batch, hidden_size), or all of them, (batch, steps, hidden_size).

        Raises:
            ValueError: a tensor with the wrong shape, dtype or device, or padding that does not fit the inputs.
        """
        check_sequence("inputs", inputs, self.input_size, self.weight_ih)
        batch, steps, _ = inputs.shape
        if padding is not None:
            padding.check(batch, steps)
        # Under autocast the inputs may be half precision; the kernels compute in the precision of the weights.
        inputs = inputs.to(self.weight_ih.dtype)
        input_masks = self.input_masks(batch) if input_masks is None else input_masks
        recurrent_masks = self.recurrent_masks(batch) if recurrent_masks is None else recurrent_masks
        drops = input_masks is not None or recurrent_masks is not None
        if padding is not None and not padding.masked and (drops or not padding.shared):
            # With dropout, each row's padding has a mask of its own.
            padding = None
        arguments = self.cell(
            inputs=inputs,
            weight_ih=self.weight_ih,
            weight_hh=self.weight_hh,
            **{name: getattr(self, name) for name in self.cell.bias_names},
            recurrent_activation=self.recurrent_activation,
            input_masks=input_masks,
            recurrent_masks=recurrent_masks,
            padding=padding,
            return_sequences=return_sequences,
        )
        return run_kernel(arguments, self.kernel)

    def _draw_masks(self, rate: float, batch: int, size: int) -> torch.Tensor | None:
        if not self.training or rate == 0:
            return None
        return dropout_mask(rate, (self.cell.gates, batch, size), self.weight_ih)

    def extra_repr(self) -> str:
        return (
            f"{self.input_size}, {self.hidden_size}, dropout={self.dropout}, "
            f"recurrent_dropout={self.recurrent_dropout}, recurrent_activation={self.recurrent_activation!r}, "
            f"kernel={self.kernel!r}"
        )
