"""The initial values of Keras 1, of Keras 2 and 3, and of PyTorch, for each kind of layer.

The three schemes draw (U(a) is uniform in [-a, a]; Glorot is U(sqrt(6 / (fan_in + fan_out)))):

| | `keras1` | `keras` (2 and 3) | `torch` |
|---|---|---|---|
| embedding | U(0.05) | U(0.05) | N(0, 1) |
| LSTM, GRU `weight_ih` | Glorot per gate (fans E, H) | Glorot, all gates at once (fans E, gates * H) | U(1/sqrt(H)) |
| their `weight_hh` | orthogonal per gate, times 1.1 | orthogonal, all gates at once | U(1/sqrt(H)) |
| LSTM `bias` | 0; forget gate 1 | 0; forget gate 1 | U(1/sqrt(H)) |
| GRU `bias_ih`, `bias_hh` | 0 | 0 | U(1/sqrt(H)) |
| Conv1d `weight` | Glorot with fans in*out, k*in*out | Glorot with fans k*in, k*out | as `torch.nn.Conv1d` |
| Linear `weight` | Glorot | Glorot | as `torch.nn.Linear` |
| their biases | 0 | 0 | as in `torch.nn` |

Sources: Keras 1.0.8, 1.1.2 and 1.2.2 (`initializations.py`, `layers/recurrent.py`, `layers/convolutional.py`); Keras 3
(`initializers/random_initializers.py`, `layers/rnn/lstm.py`, `layers/rnn/gru.py`); `torch.nn`. The fans of Keras 1's
convolution are those that its code computes, a narrower range than Glorot's rule gives. See Glorot and Bengio,
"Understanding the difficulty of training deep feedforward neural networks" (2010); Saxe et al., "Exact solutions to the
nonlinear dynamics of learning in deep linear neural networks" (2013).
"""

import math
from typing import Literal, get_args

import torch
from torch import nn

from seqclass.checks import check_choice

Initializer = Literal["keras1", "keras", "torch"]
INITIALIZERS: tuple[Initializer, ...] = get_args(Initializer)

# Keras 1 scales its orthogonal matrices by this gain.
_KERAS1_ORTHOGONAL_GAIN = 1.1
_EMBEDDING_LIMIT = 0.05


def initialize_embedding(weight: torch.Tensor, initializer: Initializer) -> None:
    """Fill an embedding's table, (num_embeddings, embedding_dim), in place."""
    check_choice("initializer", initializer, INITIALIZERS)
    if initializer == "torch":
        nn.init.normal_(weight)
    else:
        nn.init.uniform_(weight, -_EMBEDDING_LIMIT, _EMBEDDING_LIMIT)


def initialize_lstm(
    weight_ih: torch.Tensor, weight_hh: torch.Tensor, bias: torch.Tensor, initializer: Initializer
) -> None:
    """Fill an LSTM's weights in place, with the gates in PyTorch's order i, f, g, o.

    Args:
        weight_ih: (4 * hidden_size, input_size).
        weight_hh: (4 * hidden_size, hidden_size).
        bias: (4 * hidden_size,).
        initializer: the scheme.
    """
    if _initialize_gates(weight_ih, weight_hh, (bias,), initializer):
        with torch.no_grad():
            bias.chunk(4)[1].fill_(1.0)


def initialize_gru(
    weight_ih: torch.Tensor,
    weight_hh: torch.Tensor,
    bias_ih: torch.Tensor,
    bias_hh: torch.Tensor,
    initializer: Initializer,
) -> None:
    """Fill a GRU's weights in place, with the gates in PyTorch's order r, z, n.

    Args:
        weight_ih: (3 * hidden_size, input_size).
        weight_hh: (3 * hidden_size, hidden_size).
        bias_ih: (3 * hidden_size,).
        bias_hh: (3 * hidden_size,).
        initializer: the scheme.
    """
    _initialize_gates(weight_ih, weight_hh, (bias_ih, bias_hh), initializer)


def _initialize_gates(
    weight_ih: torch.Tensor, weight_hh: torch.Tensor, biases: tuple[torch.Tensor, ...], initializer: Initializer
) -> bool:
    """Fill the weights of a layer with gates, and return whether one of Keras' schemes was used."""
    check_choice("initializer", initializer, INITIALIZERS)
    units, input_size = weight_ih.shape
    hidden_size = weight_hh.shape[1]
    if initializer == "torch":
        limit = 1 / math.sqrt(hidden_size)
        for parameter in (weight_ih, weight_hh, *biases):
            nn.init.uniform_(parameter, -limit, limit)
        return False
    if initializer == "keras1":
        _glorot_uniform(weight_ih, fan_in=input_size, fan_out=hidden_size)
        with torch.no_grad():
            for gate in weight_hh.split(hidden_size):
                nn.init.orthogonal_(gate, gain=_KERAS1_ORTHOGONAL_GAIN)
    else:
        _glorot_uniform(weight_ih, fan_in=input_size, fan_out=units)
        nn.init.orthogonal_(weight_hh)
    for bias in biases:
        nn.init.zeros_(bias)
    return True


def initialize_conv1d(layer: nn.Conv1d, initializer: Initializer) -> None:
    """Fill the weight, (out, in, kernel), and the bias of a convolution in place."""
    check_choice("initializer", initializer, INITIALIZERS)
    if initializer == "torch":
        layer.reset_parameters()
        return
    out_channels, in_channels, kernel_size = layer.weight.shape
    if initializer == "keras1":
        channels = in_channels * out_channels
        _glorot_uniform(layer.weight, fan_in=channels, fan_out=kernel_size * channels)
    else:
        _glorot_uniform(layer.weight, fan_in=kernel_size * in_channels, fan_out=kernel_size * out_channels)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


def initialize_linear(layer: nn.Linear, initializer: Initializer) -> None:
    """Fill the weight, (out, in), and the bias of a dense layer in place."""
    check_choice("initializer", initializer, INITIALIZERS)
    if initializer == "torch":
        layer.reset_parameters()
        return
    _glorot_uniform(layer.weight, fan_in=layer.in_features, fan_out=layer.out_features)
    nn.init.zeros_(layer.bias)


def _glorot_uniform(weight: torch.Tensor, *, fan_in: int, fan_out: int) -> None:
    limit = math.sqrt(6 / (fan_in + fan_out))
    nn.init.uniform_(weight, -limit, limit)
