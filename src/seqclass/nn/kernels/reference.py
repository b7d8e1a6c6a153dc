"""LSTM and GRU as their definitions read (`seqclass.nn.cells`): one step after the other, differentiated by autograd.

Slow, and here to compare the other kernels with: `tests/nn` does so in float64.
"""

from typing import Any

import torch

from seqclass.nn.cells import States, gru_step, lstm_step, project_inputs, run_steps
from seqclass.nn.denormals import flush_denormals, flush_in_backward
from seqclass.nn.kernels.arguments import CellArguments, LSTMArguments
from seqclass.nn.tensor_checks import is_fake


def run_reference(arguments: CellArguments) -> torch.Tensor:
    """Run every step of every row; without a compiler a GRU with gate dropout has no other kernel.

    Returns:
        The state after the last step, or all of them, as the arguments say.
    """
    inputs = arguments.inputs
    flushes = inputs.device.type == "cpu" and not is_fake(inputs)
    if flushes:
        flush_denormals()
    options: dict[str, Any] = {
        "recurrent_activation": arguments.recurrent_activation,
        "masks": arguments.recurrent_masks,
    }
    zeros = inputs.new_zeros(inputs.shape[0], arguments.hidden_size)
    bias, *biases_of_state = arguments.biases

    def step(projected: torch.Tensor, states: States) -> States:
        if isinstance(arguments, LSTMArguments):
            return lstm_step(projected, states, arguments.weight_hh, **options)
        return gru_step(projected, states, arguments.weight_hh, *biases_of_state, **options)

    projected = project_inputs(inputs, arguments.weight_ih, bias, arguments.input_masks)
    states = (zeros, zeros) if isinstance(arguments, LSTMArguments) else (zeros,)
    result = run_steps(step, projected, states, arguments.padding, return_sequences=arguments.return_sequences)
    return flush_in_backward(result) if flushes else result
