"""One step of an LSTM and of a GRU, and the loop over the steps: the definitions, in plain PyTorch.

Autograd differentiates them, and `torch.export` traces them for any batch and number of steps, since they never branch
on a tensor's numbers.

An LSTM (Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, with the forget gate of Gers et al., 2000):

    i = a(W_i x + b_i + U_i h)      f = a(W_f x + b_f + U_f h)      o = a(W_o x + b_o + U_o h)
    g = tanh(W_g x + b_g + U_g h)   c' = f c + i g                  h' = o tanh(c')

A GRU (Cho et al., "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
2014, with the reset behind the product):

    r = a(W_r x + b_r + U_r h + b'_r)       z = a(W_z x + b_z + U_z h + b'_z)
    n = tanh(W_n x + b_n + r (U_n h + b'_n))    h' = z h + (1 - z) n

`a` is the recurrent activation. With dropout masks, x and h are multiplied by each gate's mask on their way into it.
W x + b does not depend on earlier steps, so `project_inputs` computes it for all steps at once.
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from seqclass.nn.recurrent_activations import RecurrentActivation, activate
from seqclass.nn.shared_padding import LeadingPadding

# Each (batch, hidden_size); the first is the layer's output.
States = tuple[torch.Tensor, ...]


def project_inputs(
    inputs: torch.Tensor, weight_ih: torch.Tensor, bias: torch.Tensor, masks: torch.Tensor | None = None
) -> torch.Tensor:
    """Compute W x + b of each gate at each step.

    Args:
        inputs: (batch, steps, input_size).
        weight_ih: (gates * hidden_size, input_size).
        bias: (gates * hidden_size,).
        masks: (gates, batch, input_size); None for no dropout.

    Returns:
        (batch, steps, gates * hidden_size).
    """
    if masks is None:
        return F.linear(inputs, weight_ih, bias)
    gates = zip(masks, weight_ih.chunk(len(masks)), bias.chunk(len(masks)), strict=True)
    return torch.cat([F.linear(inputs * mask.unsqueeze(1), w, b) for mask, w, b in gates], dim=2)


def lstm_step(
    projected: torch.Tensor,
    states: States,
    weight_hh: torch.Tensor,
    *,
    recurrent_activation: RecurrentActivation,
    masks: torch.Tensor | None = None,
) -> States:
    """Advance an LSTM by one step.

    Args:
        projected: (batch, 4 * hidden_size), this step of `project_inputs`, gates in the order i, f, g, o.
        states: h and c, each (batch, hidden_size).
        weight_hh: (4 * hidden_size, hidden_size).
        recurrent_activation: the function of the gates i, f and o.
        masks: (4, batch, hidden_size), dropout masks of h on its way into the gates; None for no dropout.

    Returns:
        The next h and c.
    """
    hidden, cell = states
    from_inputs, from_state = projected.chunk(4, dim=1), _project_state(hidden, weight_hh, None, masks)
    i, f, g, o = (x + h for x, h in zip(from_inputs, from_state, strict=True))
    i, f, o = (activate(gate, recurrent_activation) for gate in (i, f, o))
    cell = f * cell + i * g.tanh()
    return o * cell.tanh(), cell


def gru_step(
    projected: torch.Tensor,
    states: States,
    weight_hh: torch.Tensor,
    bias_hh: torch.Tensor,
    *,
    recurrent_activation: RecurrentActivation,
    masks: torch.Tensor | None = None,
) -> States:
    """Advance a GRU by one step.

    Args:
        projected: (batch, 3 * hidden_size), this step of `project_inputs`, gates in the order r, z, n.
        states: h alone, (batch, hidden_size).
        weight_hh: (3 * hidden_size, hidden_size).
        bias_hh: (3 * hidden_size,).
        recurrent_activation: the function of the gates r and z.
        masks: (3, batch, hidden_size), dropout masks of h on its way into the gates; None for no dropout.

    Returns:
        The next h, in a tuple.
    """
    (hidden,) = states
    x_r, x_z, x_n = projected.chunk(3, dim=1)
    h_r, h_z, h_n = _project_state(hidden, weight_hh, bias_hh, masks)
    r, z = activate(x_r + h_r, recurrent_activation), activate(x_z + h_z, recurrent_activation)
    n = (x_n + r * h_n).tanh()
    return (n + z * (hidden - n),)


def run_steps(
    step: Callable[[torch.Tensor, States], States],
    projected: torch.Tensor,
    states: States,
    padding: LeadingPadding | None,
    *,
    return_sequences: bool,
) -> torch.Tensor:
    """Run one step after the other, every row at every step.

    Args:
        step: the cell: one step of `projected`, and the states before it -> the states after it.
        projected: (batch, steps, gates * hidden_size), from `project_inputs`.
        states: the states before the first step.
        padding: if it is masked, padded steps leave the states unchanged.
        return_sequences: whether to return the states after all steps.

    Returns:
        The first of the states after the last step, (batch, hidden_size), or after each, (batch, steps, hidden_size).
    """
    begins = padding.counts.to(projected.device) if padding is not None and padding.masked else None
    sequence = []
    for number, x in enumerate(projected.unbind(1)):
        after = step(x, states)
        if begins is not None:
            begun = (number >= begins).unsqueeze(1)
            after = tuple(torch.where(begun, new, old) for new, old in zip(after, states, strict=True))
        states = after
        sequence.append(states[0])
    if not return_sequences:
        return states[0]
    return torch.stack(sequence, dim=1) if sequence else states[0].unsqueeze(1)[:, :0]


def _project_state(
    hidden: torch.Tensor, weight_hh: torch.Tensor, bias_hh: torch.Tensor | None, masks: torch.Tensor | None
) -> tuple[torch.Tensor, ...]:
    """Compute U h + b of each gate, each (batch, hidden_size)."""
    hidden_size = weight_hh.shape[1]
    gates = weight_hh.shape[0] // hidden_size
    if masks is None:
        return F.linear(hidden, weight_hh, bias_hh).chunk(gates, dim=1)
    products = torch.bmm(hidden * masks, weight_hh.view(gates, hidden_size, hidden_size).transpose(1, 2))
    if bias_hh is not None:
        products = products + bias_hh.view(gates, 1, hidden_size)
    return products.unbind(0)
