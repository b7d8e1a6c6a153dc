"""The functions of the gates of an LSTM and a GRU: the sigmoid, and two that are like it and cheaper.

A hard sigmoid is clip(slope * x + 0.5, 0, 1). Keras 1 and 2 have the one named `hard_sigmoid` here, Keras 3 and PyTorch
call the other by that name.
"""

from typing import Literal, get_args

import torch

RecurrentActivation = Literal["sigmoid", "hard_sigmoid", "hard_sigmoid_keras3"]
RECURRENT_ACTIVATIONS: tuple[RecurrentActivation, ...] = get_args(RecurrentActivation)

HARD_SIGMOID_SLOPES: dict[str, float] = {"hard_sigmoid": 0.2, "hard_sigmoid_keras3": 1 / 6}


def activate(total: torch.Tensor, recurrent_activation: RecurrentActivation) -> torch.Tensor:
    """The function of that name, element by element."""
    if recurrent_activation == "sigmoid":
        return total.sigmoid()
    return (HARD_SIGMOID_SLOPES[recurrent_activation] * total + 0.5).clamp(0, 1)
