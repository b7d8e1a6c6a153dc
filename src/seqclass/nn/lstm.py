"""One LSTM layer, with dropout within its gates."""

from torch import nn

from seqclass.nn.initializers import initialize_lstm
from seqclass.nn.kernels import LSTMArguments
from seqclass.nn.recurrent import GatedLayer


class LSTM(GatedLayer):
    """Read a sequence, and return the state after its last step, or all states.

    Unlike `torch.nn.LSTM` it has a single bias vector, as in Keras: the sum of two would double the optimizer's
    effective step on the bias.

    Dropout within the gates is described at `GatedLayer`.

    Args:
        input_size: features of a step.
        hidden_size: number of units.
        dropout: rate for the inputs of the gates.
        recurrent_dropout: rate for the state on its way into the gates.
        recurrent_activation: function of the gates i, f and o. `sigmoid` (default of Keras 2 and 3); `hard_sigmoid`,
            clip(0.2 x + 0.5, 0, 1) (default of Keras 1, and called so in Keras 2); `hard_sigmoid_keras3`,
            clip(x / 6 + 0.5, 0, 1) (called hard_sigmoid in Keras 3 and PyTorch). cuDNN and oneDNN have only the
            sigmoid.
        initializer: scheme of the initial values: `keras1`, `keras` or `torch`.
        kernel: the implementation to run, see `seqclass.nn.kernels`; `auto` uses the fastest that can.

    Attributes:
        weight_ih: (4 * hidden_size, input_size), gates in PyTorch's order i, f, g (Keras: c), o.
        weight_hh: (4 * hidden_size, hidden_size).
        bias: (4 * hidden_size,).

    Raises:
        ValueError: a size below 1, a rate outside 0 to 1, an unknown name, or a kernel without the requested options.
    """

    cell = LSTMArguments
    bias: nn.Parameter

    def reset_parameters(self) -> None:
        initialize_lstm(self.weight_ih, self.weight_hh, self.bias, self.initializer)
