"""The recurrent part of a stack: a cell, in one direction or both, in one layer or several."""

from typing import Literal, get_args

from seqclass.checks import check_choice, check_positive
from seqclass.nn import (
    GRU,
    LSTM,
    Bidirectional,
    Initializer,
    Kernel,
    RecurrentActivation,
    RecurrentLayer,
    Stacked,
)

Cell = Literal["lstm", "gru"]
CELLS: tuple[Cell, ...] = get_args(Cell)
_LAYERS: dict[Cell, type[LSTM] | type[GRU]] = {"lstm": LSTM, "gru": GRU}


def build_recurrent(
    input_size: int,
    hidden_size: int,
    *,
    cell: Cell,
    num_layers: int,
    bidirectional: bool,
    initializer: Initializer,
    recurrent_activation: RecurrentActivation,
    kernel: Kernel,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
    dropout_between: float = 0.0,
) -> RecurrentLayer:
    """Build it; the plain case is the bare layer.

    Args:
        input_size: features of a step.
        hidden_size: units of each layer in each direction.
        cell: `lstm` or `gru`.
        num_layers: how many, each reading the states of the one below after all steps.
        bidirectional: whether each layer reads forward and backward, and so returns 2 * hidden_size numbers.
        initializer: as in `seqclass.nn.LSTM`, like the next four.
        recurrent_activation: of the gates.
        kernel: the way to run each layer.
        dropout: rate for the inputs of the gates, in every layer.
        recurrent_dropout: rate for the states on their way into the gates, in every layer.
        dropout_between: rate, element-wise, on the states between two layers.

    Raises:
        ValueError: an unknown name, or a value outside its range.
    """
    check_choice("cell", cell, CELLS)
    check_positive("num_layers", num_layers)

    def layer(size: int) -> RecurrentLayer:
        return _LAYERS[cell](
            size,
            hidden_size,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            recurrent_activation=recurrent_activation,
            initializer=initializer,
            kernel=kernel,
        )

    def both_ways(size: int) -> RecurrentLayer:
        return Bidirectional(layer(size), layer(size)) if bidirectional else layer(size)

    lowest = both_ways(input_size)
    if num_layers == 1:
        return lowest
    upper = (both_ways(lowest.output_size) for _ in range(num_layers - 1))
    return Stacked([lowest, *upper], dropout=dropout_between)
