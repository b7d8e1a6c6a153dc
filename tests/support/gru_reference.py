"""A GRU as Keras 3 defines it (`reset_after=True`), one row and one step after the other, to be held against."""

import torch

SLOPES = {"hard_sigmoid": 0.2, "hard_sigmoid_keras3": 1 / 6}


def gru_states(
    inputs: torch.Tensor,
    weights: dict[str, torch.Tensor],
    *,
    activation: str = "sigmoid",
    input_masks: torch.Tensor | None = None,
    recurrent_masks: torch.Tensor | None = None,
    begins: torch.Tensor | None = None,
) -> torch.Tensor:
    """The states after all steps, (batch, steps, H).

    Args:
        inputs: (batch, steps, E).
        weights: those of `seqclass.nn.GRU`, by their names; gates r, z, n.
        activation: of r and z.
        input_masks: (3, batch, E).
        recurrent_masks: (3, batch, H).
        begins: (batch,), rows are zero before that step.
    """
    hidden_size = weights["weight_hh"].shape[1]
    w, u, b, b_u = (weights[name].split(hidden_size) for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    rows = []
    for row, sequence in enumerate(inputs):
        h = inputs.new_zeros(hidden_size)
        states = []
        for step, x in enumerate(sequence):
            if begins is None or step >= begins[row]:
                xs = [x if input_masks is None else x * input_masks[gate, row] for gate in range(3)]
                hs = [h if recurrent_masks is None else h * recurrent_masks[gate, row] for gate in range(3)]
                r = _activate(w[0] @ xs[0] + b[0] + u[0] @ hs[0] + b_u[0], activation)
                z = _activate(w[1] @ xs[1] + b[1] + u[1] @ hs[1] + b_u[1], activation)
                n = torch.tanh(w[2] @ xs[2] + b[2] + r * (u[2] @ hs[2] + b_u[2]))
                h = z * h + (1 - z) * n
            states.append(h)
        rows.append(torch.stack(states))
    return torch.stack(rows)


def _activate(total: torch.Tensor, activation: str) -> torch.Tensor:
    if activation == "sigmoid":
        return 1 / (1 + torch.exp(-total))
    return torch.clip(SLOPES[activation] * total + 0.5, 0, 1)
