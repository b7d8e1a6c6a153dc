"""Which of the notebook's stacks a chain is, if it is one."""

from typing import Any

from seqclass.interop.keras.described import Described
from seqclass.interop.keras.outputs import as_one_logit
from seqclass.nn.recurrent_activations import RECURRENT_ACTIVATIONS

# What the layers of a named stack are called, beside the names of their weights in a chain.
_WEIGHTS = {
    "embedding": ("embedding", {"table.weight": "weight"}),
    "convolution": ("convolution", {"convolution.weight": "weight", "convolution.bias": "bias"}),
    "recurrent": (
        "recurrent",
        {"layer.weight_ih": "weight_ih", "layer.weight_hh": "weight_hh", "layer.bias": "bias"},
    ),
    "dense": ("output", {"linear.weight": "weight", "linear.bias": "bias"}),
}
_PLAIN: dict[str, dict[str, Any]] = {
    "convolution": {"stride": 1, "dilation": 1, "groups": 1, "padding": "same", "activation": "relu", "bias": True},
    "pooling": {"kind": "max", "padding": "valid"},
    "dropout": {"kind": "numbers"},
    "dense": {"activation": "linear", "bias": True},
    "recurrent": {"cell": "lstm", "activation": "tanh", "bias": True, "backwards": False, "return_sequences": False},
}


def as_named_stack(described: Described, *, multi_label: bool) -> dict[str, Any] | None:
    """Return the options of the named stack that a chain is, or None if it is none of them.

    The numbers of ids and of classes are not among them. Its weights and the targets of its arrays are renamed to
    that stack's.
    """
    by_kind: dict[str, dict[str, Any]] = {}
    for layer in described.layers:
        if layer["layer"] != "dropout":
            by_kind[layer["layer"]] = layer
        plain = _PLAIN.get(layer["layer"], {})
        if any(layer[name] != value for name, value in plain.items()):
            return None
    order = tuple(layer["layer"] for layer in described.layers)
    rates = [layer["rate"] for layer in described.layers if layer["layer"] == "dropout"]
    options = _options(order, by_kind, rates)
    if options is not None:
        if multi_label:
            options["multi_label"] = True
        elif by_kind["dense"]["out_features"] == 2:
            as_one_logit(described)
        _rename(described)
    return options


def _options(order: tuple[str, ...], layers: dict[str, dict[str, Any]], rates: list[float]) -> dict[str, Any] | None:
    if order not in _ORDERS:
        return None
    embedding, recurrent = layers["embedding"], layers["recurrent"]
    if recurrent["recurrent_activation"] not in RECURRENT_ACTIVATIONS:
        return None
    words = embedding["dropout"]
    gates = {"dropout": recurrent["dropout"], "recurrent_dropout": recurrent["recurrent_dropout"]}
    options: dict[str, Any] = {
        "stack": _ORDERS[order],
        "embedding_dim": embedding["embedding_dim"],
        "hidden_size": recurrent["hidden_size"],
        "recurrent_activation": recurrent["recurrent_activation"],
    }
    if "convolution" in layers:
        kernel, pooling = layers["convolution"], layers["pooling"]
        if words or any(gates.values()) or embedding["mask_zero"] or pooling["stride"] != pooling["size"]:
            return None
        return options | {
            "channels": kernel["out_channels"],
            "kernel_size": kernel["kernel_size"],
            "pool_size": pooling["size"],
        }
    options["mask_padding"] = embedding["mask_zero"]
    if rates:
        if any(gates.values()) or len(set(rates)) > 1:
            return None
        return options | {"word_dropout": words, "dropout": rates[0]}
    if words or any(gates.values()):
        return options | {"stack": "lstm_gate_dropout", "word_dropout": words, **gates}
    return options


_ORDERS: dict[tuple[str, ...], str] = {
    ("embedding", "recurrent", "dense"): "lstm",
    ("embedding", "dropout", "recurrent", "dropout", "dense"): "lstm_dropout",
    ("embedding", "convolution", "pooling", "recurrent", "dense"): "cnn_lstm",
}


def _rename(described: Described) -> None:
    names: dict[str, str] = {}
    for place, layer in enumerate(described.layers):
        if layer["layer"] in _WEIGHTS:
            here, weights = _WEIGHTS[layer["layer"]]
            names |= {f"layers.{place}.{theirs}": f"{here}.{own}" for theirs, own in weights.items()}
    described.state = {names[name]: array for name, array in described.state.items()}
    described.arrays = [(name, shape, names[target]) for name, shape, target in described.arrays]
