"""The LSTM as its definition reads: one step after the other, differentiated by autograd.

Slow, and made to be held against: `tests/nn` compares the other kernels with it in float64.

    i = a(W_i x + U_i h + b_i)      f = a(W_f x + U_f h + b_f)      o = a(W_o x + U_o h + b_o)
    g = tanh(W_g x + U_g h + b_g)   c' = f c + i g                  h' = o tanh(c')

with `a` the recurrent activation, and each x and h multiplied by the mask of its gate where there is one (Hochreiter
and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al., 2000).
"""

import torch

from seqclass.nn.lstm_kernels.arguments import LSTMArguments
from seqclass.nn.recurrent_activations import activate


def reference_lstm(arguments: LSTMArguments) -> torch.Tensor:
    """Run every step of every row.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs, padding = arguments.inputs, arguments.padding
    batch, steps, _ = inputs.shape
    hidden = inputs.new_zeros(batch, arguments.hidden_size)
    cell = torch.zeros_like(hidden)
    states = []
    for step in range(steps):
        i, f, g, o = _gates(inputs[:, step], hidden, arguments)
        new_cell = f * cell + i * g
        new_hidden = o * new_cell.tanh()
        if padding is not None and padding.masked:
            begun = (step >= padding.counts).unsqueeze(1)
            new_cell, new_hidden = torch.where(begun, new_cell, cell), torch.where(begun, new_hidden, hidden)
        cell, hidden = new_cell, new_hidden
        states.append(hidden)
    if arguments.return_sequences:
        return torch.stack(states, dim=1) if states else inputs.new_zeros(batch, 0, arguments.hidden_size)
    return hidden


def _gates(inputs: torch.Tensor, hidden: torch.Tensor, arguments: LSTMArguments) -> list[torch.Tensor]:
    """The four gates, each (batch, hidden_size), from one step's inputs, (batch, input_size), and the state."""
    gates = []
    for gate, (weight_ih, weight_hh, bias) in enumerate(
        zip(arguments.weight_ih.chunk(4), arguments.weight_hh.chunk(4), arguments.bias.chunk(4), strict=True)
    ):
        x = inputs if arguments.input_masks is None else inputs * arguments.input_masks[gate]
        h = hidden if arguments.recurrent_masks is None else hidden * arguments.recurrent_masks[gate]
        total = x @ weight_ih.t() + h @ weight_hh.t() + bias
        gates.append(total.tanh() if gate == 2 else activate(total, arguments.recurrent_activation))
    return gates
