"""One GRU layer, with dropout within its gates.

Its step is `seqclass.nn.cells.gru_step`, that of PyTorch, cuDNN and Keras 3 (`reset_after=True`). The GRU of Keras 1
resets the state before the product, and is another function.
"""

from torch import nn

from seqclass.nn.initializers import initialize_gru
from seqclass.nn.kernels import GRUArguments
from seqclass.nn.recurrent import GatedLayer


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
        kernel: the implementation to run, `auto`, `reference`, `builtin` or `compiled`: see `seqclass.nn.kernels`;
            `auto` uses the fastest that can.

    Attributes:
        weight_ih: (3 * hidden_size, input_size), gates in PyTorch's order r, z, n (Keras: z, r, h).
        weight_hh: (3 * hidden_size, hidden_size).
        bias_ih: (3 * hidden_size,).
        bias_hh: (3 * hidden_size,).

    Raises:
        ValueError: a size below 1, a rate outside 0 to 1, an unknown name, or a kernel without the requested options.
    """

    cell = GRUArguments
    bias_ih: nn.Parameter
    bias_hh: nn.Parameter

    def reset_parameters(self) -> None:
        initialize_gru(self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh, self.initializer)
