"""Recurrent layers for what the fast ones of `seqclass.nn` lack: any activation, the first GRU, simple RNNs.

| cell | next state h' from input x and state h |
|---|---|
| `lstm` | i, f, o = a(...), g = t(...); c' = f c + i g; h' = o t(c') |
| `gru` | r, z = a(...); n = t(W x + b + r (U h + b')); h' = z h + (1 - z) n |
| `gru_reset_before` | the same with n = t(W x + b + U (r h)): the state is reset before the product (Cho et al. 2014) |
| `simple` | h' = t(W x + b + U h) |

with a the recurrent activation and t the activation. Computed step by step under autograd: exact, and slow.
"""

from typing import Literal

import torch
from torch import nn

from seqclass.checks import check_choice, check_positive
from seqclass.models.chain.pointwise import ACTIVATIONS
from seqclass.nn.denormals import flush_denormals
from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.shared_padding import LeadingPadding

PlainCell = Literal["lstm", "gru", "gru_reset_before", "simple"]
GATES: dict[str, int] = {"lstm": 4, "gru": 3, "gru_reset_before": 3, "simple": 1}


class PlainRecurrent(RecurrentLayer):
    """One layer that reads a sequence step by step. It has no dropout.

    Args:
        cell: see above.
        input_size: features of a step.
        hidden_size: units.
        activation: one of `ACTIVATIONS`.
        recurrent_activation: likewise, of the gates.

    Attributes:
        weight_ih: (gates * hidden_size, input_size), gates as in `seqclass.nn`: i, f, g, o or r, z, n.
        weight_hh: (gates * hidden_size, hidden_size).
        bias: (gates * hidden_size,); `bias_ih` and `bias_hh` instead in a `gru`; else None.

    Raises:
        ValueError: a size below 1, or an unknown name.
    """

    def __init__(
        self, cell: PlainCell, input_size: int, hidden_size: int, *, activation: str, recurrent_activation: str
    ) -> None:
        super().__init__()
        check_choice("cell", cell, tuple(GATES))
        check_choice("activation", activation, tuple(ACTIVATIONS))
        check_choice("recurrent_activation", recurrent_activation, tuple(ACTIVATIONS))
        self.cell = cell
        self.input_size = check_positive("input_size", input_size)
        self.hidden_size = check_positive("hidden_size", hidden_size)
        self.output_size = hidden_size
        self.activation = activation
        self.recurrent_activation = recurrent_activation
        size = GATES[cell] * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(size, input_size))
        self.weight_hh = nn.Parameter(torch.empty(size, hidden_size))
        self.bias = None if cell == "gru" else nn.Parameter(torch.zeros(size))
        self.bias_ih = nn.Parameter(torch.zeros(size)) if cell == "gru" else None
        self.bias_hh = nn.Parameter(torch.zeros(size)) if cell == "gru" else None
        nn.init.xavier_uniform_(self.weight_ih)
        nn.init.orthogonal_(self.weight_hh)

    @property
    def keeps_padding_shared(self) -> bool:
        return True

    def forward(
        self, inputs: torch.Tensor, padding: LeadingPadding | None = None, *, return_sequences: bool = False
    ) -> torch.Tensor:
        """Run over all steps; see `RecurrentLayer`."""
        if inputs.device.type == "cpu":
            flush_denormals()
        projected = nn.functional.linear(inputs, self.weight_ih, self.input_bias)
        hidden = inputs.new_zeros(inputs.shape[0], self.hidden_size)
        state: tuple[torch.Tensor, ...] = (hidden, hidden) if self.cell == "lstm" else (hidden,)
        states = []
        for step in range(inputs.shape[1]):
            new = self.advance(projected[:, step], state)
            if padding is not None and padding.masked:
                word = (step >= padding.counts.to(inputs.device)).unsqueeze(1)
                new = tuple(torch.where(word, after, before) for after, before in zip(new, state, strict=True))
            state = new
            states.append(state[0])
        if not return_sequences:
            return state[0]
        return torch.stack(states, dim=1) if states else inputs.new_zeros(inputs.shape[0], 0, self.hidden_size)

    @property
    def input_bias(self) -> torch.Tensor:
        """The bias of the products with the inputs."""
        bias = self.bias_ih if self.cell == "gru" else self.bias
        assert bias is not None
        return bias

    def advance(self, x: torch.Tensor, state: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        """One step.

        Args:
            x: what the inputs give to the gates, (batch, gates * hidden_size).
            state: h, and an LSTM's c, each (batch, hidden_size).

        Returns:
            The next state.
        """
        gate, act = ACTIVATIONS[self.recurrent_activation], ACTIVATIONS[self.activation]
        hidden = state[0]
        if self.cell == "simple":
            return (act(x + hidden @ self.weight_hh.t()),)
        if self.cell == "lstm":
            i, f, g, o = (x + hidden @ self.weight_hh.t()).chunk(4, dim=1)
            cell = gate(f) * state[1] + gate(i) * act(g)
            return gate(o) * act(cell), cell
        x_r, x_z, x_n = x.chunk(3, dim=1)
        if self.cell == "gru":
            to_r, to_z, to_n = nn.functional.linear(hidden, self.weight_hh, self.bias_hh).chunk(3, dim=1)
            r, z = gate(x_r + to_r), gate(x_z + to_z)
            n = act(x_n + r * to_n)
        else:
            u_r, u_z, u_n = self.weight_hh.chunk(3)
            r, z = gate(x_r + hidden @ u_r.t()), gate(x_z + hidden @ u_z.t())
            n = act(x_n + (r * hidden) @ u_n.t())
        return (n + z * (hidden - n),)

    def extra_repr(self) -> str:
        return f"{self.cell}, {self.input_size}, {self.hidden_size}, {self.activation}, {self.recurrent_activation}"
