"""PyTorch's own layers: cuDNN on a GPU; on a CPU oneDNN for the LSTM, single steps in C++ for the GRU.

cuDNN has a persistent kernel for small hidden sizes, which PyTorch uses only for inputs that are neither packed nor
float64, and up to 192 units forward and 128 backward (`get_algo` in `aten/src/ATen/native/cudnn/RNN.cpp`). So padding
is never packed here; only where that kernel is the slower one, all rows are packed in full, to avoid it. On a CPU
shared padding is computed once instead; on a GPU, where a step waits for the one before it however many rows there
are, all rows are computed.
"""

import warnings

import torch

from seqclass.nn.blockwise import RunBlock, run_blockwise
from seqclass.nn.denormals import flush_denormals, flush_in_backward
from seqclass.nn.kernels.arguments import CellArguments, LSTMArguments
from seqclass.nn.kernels.reference import run_reference
from seqclass.nn.recurrent_activations import RecurrentActivation

# cuDNN needs all weights in one piece of memory, and copies ours, 200 KB, on each call: a few microseconds.
warnings.filterwarnings("ignore", message="RNN module weights are not part of single contiguous chunk")


def builtin_refusal(
    recurrent_activation: RecurrentActivation, *, gate_dropout: bool, masked_padding: bool = False
) -> str | None:
    """Why this kernel cannot run such a layer; None if it can."""
    if recurrent_activation != "sigmoid":
        return f"recurrent_activation={recurrent_activation!r}: cuDNN and oneDNN have the sigmoid only"
    if gate_dropout:
        return "dropout within the gates: cuDNN and oneDNN have none"
    if masked_padding:
        return "masked padding: it would need packed inputs, which leave the fast kernels"
    return None


def persistent_kernel_is_slow(hidden_size: int, rows: int) -> bool:
    """Tell whether cuDNN's persistent kernel for small layers is slower than its standard one.

    PyTorch takes it for up to 192 units, forward. It was measured when it was added (PyTorch, pull request 62143,
    float32, forward): 2.9 times slower with 160 units and 44 rows, 3.0 with 152 and 45, 5.2 with 168 and 62; as fast
    or faster with 152 and 160 units and up to 9 rows, and 2 to 12 times faster at all widths up to 128, with up to 55
    rows.
    """
    return 128 < hidden_size <= 192 and rows >= 44


def run_builtin(arguments: CellArguments) -> torch.Tensor:
    """Run the layer block by block, computing shared padding once and leaving out masked padding.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs = arguments.inputs
    if inputs.device.type == "cpu":
        flush_denormals()
    run_block, num_states = (
        (_lstm_block(arguments), 2) if isinstance(arguments, LSTMArguments) else (_gru_block(arguments), 1)
    )
    result = run_blockwise(
        inputs,
        None if inputs.is_cuda and not arguments.has_masked_padding else arguments.padding,
        run_block,
        hidden_size=arguments.hidden_size,
        num_states=num_states,
        return_sequences=arguments.return_sequences,
    )
    if arguments.trains and not result.requires_grad:  # padding alone: no step ran that has a gradient
        return run_reference(arguments)
    return flush_in_backward(result)


def _lstm_block(arguments: LSTMArguments) -> RunBlock:
    # PyTorch's layer has a second bias vector: zero here, and not a parameter (see `LSTM`).
    weights = [arguments.weight_ih, arguments.weight_hh, arguments.bias, torch.zeros_like(arguments.bias)]

    def run(x: torch.Tensor, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        before = tuple(state.unsqueeze(0) for state in states)
        if x.is_cuda and persistent_kernel_is_slow(arguments.hidden_size, x.shape[0]):
            sequence, hidden, cell = run_packed(x, before, weights, training=arguments.trains)
        else:
            sequence, hidden, cell = torch.lstm(x, before, weights, True, 1, 0.0, arguments.trains, False, True)
        return sequence, (hidden.squeeze(0), cell.squeeze(0))

    return run


def _gru_block(arguments: CellArguments) -> RunBlock:
    weights = [arguments.weight_ih, arguments.weight_hh, *arguments.biases]

    def run(x: torch.Tensor, states: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        before = states[0].unsqueeze(0)
        sequence, hidden = torch.gru(x, before, weights, True, 1, 0.0, arguments.trains, False, True)
        return sequence, (hidden.squeeze(0),)

    return run


def run_packed(
    x: torch.Tensor, states: tuple[torch.Tensor, ...], weights: list[torch.Tensor], *, training: bool
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Run PyTorch's layer over rows of equal length as if they were packed; cuDNN then takes its standard kernel.

    Args:
        x: (rows, steps, input_size).
        states: h and c, (1, rows, hidden_size) each.
        weights: as `torch.lstm` wants them.
        training: whether there will be a backward pass.

    Returns:
        All states, (rows, steps, hidden_size), and the last h and c.
    """
    rows, steps, input_size = x.shape
    packed = x.transpose(0, 1).reshape(steps * rows, input_size)
    rows_of_each_step = torch.full((steps,), rows)  # on the CPU, whatever the device
    states_of_all, hidden, cell = torch.lstm(packed, rows_of_each_step, states, weights, True, 1, 0.0, training, False)
    return states_of_all.view(steps, rows, -1).transpose(0, 1), hidden, cell
