"""One GRU layer, with dropout within its gates.

    r = a(W_r x + b_r + U_r h + b'_r)      z = a(W_z x + b_z + U_z h + b'_z)
    n = tanh(W_n x + b_n + r (U_n h + b'_n))      h' = z h + (1 - z) n

with `a` the recurrent activation (Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for
Statistical Machine Translation", 2014, with the reset behind the product). It is PyTorch's GRU, and that of Keras 3
(`reset_after=True`) and cuDNN; the GRU of Keras 1 resets the state before the product, and is another function.
"""

import torch
from torch import nn

from seqclass.nn.blockwise import run_blockwise
from seqclass.nn.denormals import flush_denormals, flush_in_backward
from seqclass.nn.initializers import Initializer, initialize_gru
from seqclass.nn.lstm_kernels import Kernel, builtin_refuses
from seqclass.nn.recurrent import GatedLayer
from seqclass.nn.recurrent_activations import RecurrentActivation, activate
from seqclass.nn.shared_padding import LeadingPadding

_KERNELS: tuple[Kernel, ...] = ("auto", "reference", "builtin")


class GRU(GatedLayer):
    """Reads a sequence, and returns the state after its last step, or all states.

    It has two bias vectors, as Keras 3's and PyTorch's have: the one that is added to the state's product of n is
    multiplied by the reset gate, so that the two are not one. For r and z, where they are only added, that doubles the
    optimizer's effective step on the bias, in Keras 3 and here alike; the LSTM has no such need, and one bias.

    The dropout within its gates is that of `GatedLayer`; the h that z keeps is never dropped.

    Args:
        input_size: features of a step.
        hidden_size: units.
        dropout: rate for the inputs of the gates.
        recurrent_dropout: rate for the state on its way into the gates.
        recurrent_activation: function of the gates r and z, as in `LSTM`. cuDNN and oneDNN have only the sigmoid.
        initializer: the scheme of the initial values: `keras1`, `keras` or `torch`.
        kernel: `builtin` is PyTorch's own layer; `reference` is a loop over the steps under autograd, slow, for every
            option; `auto` takes the first where it can.

    Attributes:
        weight_ih: (3 * hidden_size, input_size), gates in PyTorch's order r, z, n (Keras: z, r, h).
        weight_hh: (3 * hidden_size, hidden_size).
        bias_ih: (3 * hidden_size,).
        bias_hh: (3 * hidden_size,).

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
        super().__init__(
            3,
            input_size,
            hidden_size,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        )
        self.bias_ih = nn.Parameter(torch.empty(3 * hidden_size))
        self.bias_hh = nn.Parameter(torch.empty(3 * hidden_size))
        self.reset_parameters()
        if kernel not in _KERNELS:
            raise ValueError(f"kernel={kernel!r} is for the LSTM: for a GRU it must be one of {', '.join(_KERNELS)}")
        reason = builtin_refuses(recurrent_activation, gate_dropout=self.has_gate_dropout)
        if kernel == "builtin" and reason is not None:
            raise ValueError(f"kernel='builtin' cannot run {reason}; use 'reference' or 'auto'")

    def reset_parameters(self) -> None:
        """Draw the initial values anew."""
        initialize_gru(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.initializer)

    def _run(
        self,
        inputs: torch.Tensor,
        padding: LeadingPadding | None,
        input_masks: torch.Tensor | None,
        recurrent_masks: torch.Tensor | None,
        *,
        return_sequences: bool,
    ) -> torch.Tensor:
        if inputs.device.type == "cpu":
            flush_denormals()
        drops = input_masks is not None or recurrent_masks is not None
        if self.kernel == "reference" or drops or self.recurrent_activation != "sigmoid":
            states = self._loop(inputs, padding, input_masks, recurrent_masks)
            last = states[:, -1] if states.shape[1] else inputs.new_zeros(len(inputs), self.hidden_size)
            result = states if return_sequences else last
        else:
            result = self._builtin(inputs, padding, return_sequences)
        return flush_in_backward(result)

    def _builtin(self, inputs: torch.Tensor, padding: LeadingPadding | None, return_sequences: bool) -> torch.Tensor:
        """PyTorch's own layer, block by block where padding need not be computed row by row."""
        weights: list[torch.Tensor] = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
        training = torch.is_grad_enabled() and any(tensor.requires_grad for tensor in (inputs, *weights))

        def run(x: torch.Tensor, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
            sequence, hidden = torch.gru(x, states[0].unsqueeze(0), weights, True, 1, 0.0, training, False, True)
            return sequence, (hidden.squeeze(0),)

        if padding is not None and not padding.masked and inputs.is_cuda:
            # On a GPU each step waits for the one before, not for its rows.
            padding = None
        return run_blockwise(
            inputs,
            padding,
            run,
            hidden_size=self.hidden_size,
            num_states=1,
            return_sequences=return_sequences,
        )

    def _loop(
        self,
        inputs: torch.Tensor,
        padding: LeadingPadding | None,
        input_masks: torch.Tensor | None,
        recurrent_masks: torch.Tensor | None,
    ) -> torch.Tensor:
        """One step after the other under autograd; returns all states, (batch, steps, hidden_size)."""
        batch, steps, _ = inputs.shape
        by_gate = self.weight_hh.view(3, self.hidden_size, self.hidden_size).transpose(1, 2)
        bias = self.bias_hh.view(3, 1, self.hidden_size)
        projected = self._project(inputs, input_masks).unbind(1)
        hidden = inputs.new_zeros(batch, self.hidden_size)
        states = []
        for step in range(steps):
            from_state = hidden.expand(3, -1, -1)
            if recurrent_masks is not None:
                from_state = from_state * recurrent_masks
            to_r, to_z, to_n = torch.baddbmm(bias, from_state, by_gate)
            x_r, x_z, x_n = projected[step].unbind(1)
            r = activate(x_r + to_r, self.recurrent_activation)
            z = activate(x_z + to_z, self.recurrent_activation)
            n = (x_n + r * to_n).tanh()
            new = n + z * (hidden - n)
            if padding is not None and padding.masked:
                new = torch.where((step >= padding.counts).unsqueeze(1), new, hidden)
            hidden = new
            states.append(hidden)
        return torch.stack(states, dim=1) if states else inputs.new_zeros(batch, 0, self.hidden_size)

    def _project(self, inputs: torch.Tensor, input_masks: torch.Tensor | None) -> torch.Tensor:
        """What the inputs give to each gate at each step, (batch, steps, 3, hidden_size)."""
        batch, steps, _ = inputs.shape
        if input_masks is None:
            return nn.functional.linear(inputs, self.weight_ih, self.bias_ih).view(batch, steps, 3, self.hidden_size)
        gates = zip(input_masks, self.weight_ih.chunk(3), self.bias_ih.chunk(3), strict=True)
        return torch.stack([nn.functional.linear(inputs * m.unsqueeze(1), w, b) for m, w, b in gates], dim=2)
