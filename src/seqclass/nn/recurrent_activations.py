"""The activation functions of an LSTM's or a GRU's gates: the sigmoid, and two cheaper approximations of it.

A hard sigmoid is clip(slope * x + 0.5, 0, 1). `hard_sigmoid` is that of Keras 1 and 2; Keras 3 and PyTorch use the name
for the other one.
"""

from typing import Literal, get_args

import torch

RecurrentActivation = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras3"]
RECURRENT_ACTIVATIONS: tuple[RecurrentActivation, ...] = get_args(RecurrentActivation)

HARD_SIGMOID_SLOPES: dict[str, float] = {"hard_sigmoid": 0.2, "hard_sigmoid_keras3": 1 / 6}


def activate(total: torch.Tensor, recurrent_activation: RecurrentActivation) -> torch.Tensor:
    """Apply the function of this name to each element."""
    if recurrent_activation == "sigmoid":
        return total.sigmoid()
    return (HARD_SIGMOID_SLOPES[recurrent_activation] * total + 0.5).clamp(0, 1)
