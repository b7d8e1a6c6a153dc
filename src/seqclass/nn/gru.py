"""One GRU layer, with dropout within its gates.

Its step is `seqclass.nn.cells.gru_step`, that of PyTorch, cuDNN and Keras 3 (`reset_after=True`). The GRU of Keras 1
resets the state before the product, and is another function.
"""

import torch
from torch import nn

from seqclass.nn.blockwise import run_blockwise
from seqclass.nn.cells import States, gru_step, project_inputs, run_steps
from seqclass.nn.denormals import flush_denormals, flush_in_backward
from seqclass.nn.initializers import initialize_gru
from seqclass.nn.kernels import Kernel, builtin_refusal, check_gates
from seqclass.nn.recurrent import GatedLayer, GateMasks
from seqclass.nn.shared_padding import LeadingPadding

_KERNELS: tuple[Kernel, ...] = ("auto", "reference", "builtin")


class GRU(GatedLayer):
    """Read a sequence, and return the state after its last step, or all states.

    Like Keras 3's and PyTorch's, it has two bias vectors: the one inside the reset gate's product cannot be merged with
    the other. For r and z, where the two are only added, this doubles the optimizer's effective step on the bias, here
    as in Keras 3; the LSTM needs only one.

    Dropout within the gates is described at `GatedLayer`; the h that z carries over is never dropped.

    Args:
        input_size, hidden_size, dropout, recurrent_dropout: as in `LSTM`.
        recurrent_activation: function of the gates r and z, as in `LSTM`. cuDNN and oneDNN have only the sigmoid.
        initializer: scheme of the initial values: `keras1`, `keras` or `torch`.
        kernel: `builtin` is PyTorch's own layer; `reference` is a loop over the steps under autograd, slow, but with
            every option; `auto` uses the first where it can.

    Attributes:
        weight_ih: (3 * hidden_size, input_size), gates in PyTorch's order r, z, n (Keras: z, r, h).
        weight_hh: (3 * hidden_size, hidden_size).
        bias_ih: (3 * hidden_size,).
        bias_hh: (3 * hidden_size,).

    Raises:
        ValueError: a size below 1, a rate outside 0 to 1, an unknown name, or a kernel without the requested options.
    """

    gates = 3

    def add_biases(self, units: int) -> None:
        self.bias_ih = nn.Parameter(torch.empty(units))
        self.bias_hh = nn.Parameter(torch.empty(units))

    def check_kernel(self) -> None:
        if self.kernel not in _KERNELS:
            raise ValueError(
                f"kernel={self.kernel!r} is for the LSTM: for a GRU it must be one of {', '.join(_KERNELS)}"
            )
        reason = builtin_refusal(self.recurrent_activation, gate_dropout=self.has_gate_dropout)
        if self.kernel == "builtin" and reason is not None:
            raise ValueError(f"kernel='builtin' cannot run {reason}; use 'reference' or 'auto'")

    def reset_parameters(self) -> None:
        initialize_gru(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.initializer)

    def _run(
        self, inputs: torch.Tensor, padding: LeadingPadding | None, masks: GateMasks, *, return_sequences: bool
    ) -> torch.Tensor:
        if inputs.device.type == "cpu":
            flush_denormals()
        biases = self.bias_ih, self.bias_hh
        check_gates(self.gates, inputs, self.weight_ih, self.weight_hh, biases, *masks)
        refused = builtin_refusal(self.recurrent_activation, gate_dropout=masks.drop) is not None
        if self.kernel == "reference" or refused:
            result = self._reference(inputs, padding, masks, return_sequences)
        else:
            result = self._builtin(inputs, padding, return_sequences)
        return flush_in_backward(result)

    def _reference(
        self, inputs: torch.Tensor, padding: LeadingPadding | None, masks: GateMasks, return_sequences: bool
    ) -> torch.Tensor:
        """Run one step after the other, under autograd."""

        def step(projected: torch.Tensor, states: States) -> States:
            return gru_step(
                projected,
                states,
                self.weight_hh,
                self.bias_hh,
                recurrent_activation=self.recurrent_activation,
                masks=masks.states,
            )

        projected = project_inputs(inputs, self.weight_ih, self.bias_ih, masks.inputs)
        zeros = inputs.new_zeros(inputs.shape[0], self.hidden_size)
        return run_steps(step, projected, (zeros,), padding, return_sequences=return_sequences)

    def _builtin(self, inputs: torch.Tensor, padding: LeadingPadding | None, return_sequences: bool) -> torch.Tensor:
        """Run PyTorch's own layer, block by block where padding need not be computed row by row."""
        weights: list[torch.Tensor] = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        training = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (inputs, *weights))

        def run(x: torch.Tensor, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            sequence, hidden = torch.gru(x, states[0].unsqueeze(0), weights, True, 1, 0.0, training, False, True)
            return sequence, (hidden.squeeze(0),)

        if padding is not None and not padding.masked and inputs.is_cuda:
            # On a GPU a step waits for the one before it; how many rows it has hardly matters.
            padding = None
        return run_blockwise(
            inputs,
            padding,
            run,
            hidden_size=self.hidden_size,
            num_states=1,
            return_sequences=return_sequences,
        )
