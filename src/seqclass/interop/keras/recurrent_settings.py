"""What the settings of Keras' recurrent layers mean: the cell, its options, and the arrays that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn

from seqclass.interop.keras.names import class_of

CELLS = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "simple", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru"}
_CELL_CLASSES = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
_GATES = {"lstm": 4, "gru": 3, "gru_reset_before": 3, "simple": 1}


@dataclass(frozen=True)
class RecurrentSettings:
    """One recurrent layer in one direction.

    Attributes:
        kind: its class.
        options: of a `RecurrentChainLayer`, all but the sizes, which the arrays have.
        dims: numbers of axes of its arrays, in their order.
        cudnn: whether its arrays are in the layout of the CuDNN layers.
    """

    kind: str
    options: dict[str, Any]
    dims: list[int]
    cudnn: bool


def recurrent_settings(
    kind: str,
    config: dict[str, Any],
    *,
    keras: int,
    in_bidirectional: bool,
    function: Callable[[str, Any], str],
    refuse: Callable[[str], NoReturn],
) -> RecurrentSettings:
    """Read the settings.

    Args:
        kind: class of the layer.
        config: as in the file.
        keras: the major version that wrote it.
        in_bidirectional: whether it is one of two directions, where Keras makes outputs of masked steps zero.
        function: from the name of a setting and its value to the name of a function here.
        refuse: raises an error with the reason.
    """
    if kind == "RNN" and isinstance(config.get("cell"), dict):
        kind = _CELL_CLASSES.get(class_of(config["cell"]), kind)
        config = {**config["cell"].get("config", {}), **config}
    if kind not in CELLS:
        refuse(f"a {kind} within it is not among the layers that are read")
    for setting in ("stateful", "time_major"):
        if config.get(setting):
            refuse(f"{setting} is {config[setting]!r:.80}, and here always False")
    cudnn = kind.startswith("CuDNN")
    cell = CELLS[kind]
    if cell == "gru" and not cudnn and not config.get("reset_after", False):
        cell = "gru_reset_before"
    bias = cudnn or config.get("use_bias", True) is not False
    gates = config.get(
        "recurrent_activation", config.get("inner_activation", "hard_sigmoid" if keras == 1 else "sigmoid")
    )
    sequences = bool(config.get("return_sequences", False))
    options = {
        "cell": cell,
        "activation": function("activation", config.get("activation", "tanh")),
        "recurrent_activation": "sigmoid" if cell == "simple" else function("recurrent_activation", gates),
        "bias": bias,
        "backwards": bool(config.get("go_backwards", False)),
        "return_sequences": sequences,
        "zero_masked": sequences if in_bidirectional else bool(config.get("zero_output_for_mask", False)),
        "dropout": float(config.get("dropout", config.get("dropout_W", 0)) or 0),
        "recurrent_dropout": float(config.get("recurrent_dropout", config.get("dropout_U", 0)) or 0),
    }
    if keras == 1:
        dims = [2, 2, 1] * _GATES[cell]
    else:
        dims = [2, 2, *([2 if cell == "gru" and not cudnn else 1] if bias else [])]
    return RecurrentSettings(kind, options, dims, cudnn)
