"""A classifier's layers one by one, whichever stack it has: the descriptions and weights of a `Chain`."""

from typing import Any

import numpy as np
from torch import nn

from seqclass.classifier import TextClassifier
from seqclass.models import Chain, Stack
from seqclass.nn import GRU, LSTM, Bidirectional, Convolution, ParallelConvolutions, Stacked

State = dict[str, Any]


def as_chain(classifier: TextClassifier) -> tuple[list[dict[str, Any]], State]:
    """Describe the layers of a classifier, and give their weights by their names in a `Chain`, as float32 arrays.

    A named stack that leaves its padding out of `Bidirectional` or a pooling without masking it is another function
    than the chain: see `check_representable` of the export that asks.
    """
    stack = classifier.stack
    if isinstance(stack, Chain):
        descriptions: list[dict[str, Any]] = list(stack.descriptions)  # type: ignore[arg-type]
        return descriptions, {name: array(value) for name, value in stack.state_dict().items()}
    return _of_stack(stack)


def array(parameter: Any) -> Any:
    """Return a tensor as a float32 array."""
    return np.ascontiguousarray(parameter.detach().float().cpu().numpy())


def _of_stack(stack: Stack) -> tuple[list[dict[str, Any]], State]:
    layers: list[dict[str, Any]] = []
    state: State = {}

    def add(kind: str, options: dict[str, Any], weights: dict[str, Any] | None = None) -> None:
        for name, value in (weights or {}).items():
            state[f"layers.{len(layers)}.{name}"] = array(value)
        layers.append({"layer": kind, **options})

    embedding = stack.embedding
    sizes = {"num_embeddings": embedding.num_embeddings, "embedding_dim": embedding.embedding_dim}
    rules = {"mask_zero": stack.mask_padding, "dropout": embedding.dropout}
    add("embedding", sizes | rules, {"table.weight": embedding.weight})
    if stack.embedded_dropout is not None:
        add("dropout", {"rate": stack.embedded_dropout.rate, "kind": "numbers"})
    if stack.convolution is not None:
        _add_convolution(add, stack.convolution)
    if stack.max_pooling is not None:
        size = stack.max_pooling.size
        add("pooling", {"kind": "max", "size": size, "stride": size, "padding": "valid"})
    levels: list[nn.Module] = (
        list(stack.recurrent.layers) if isinstance(stack.recurrent, Stacked) else [stack.recurrent]
    )
    between = stack.recurrent.dropout.rate if isinstance(stack.recurrent, Stacked) else 0
    for number, level in enumerate(levels, 1):
        is_last = number == len(levels)
        _add_recurrent(add, level, sequences=not is_last or stack.pooling is not None)
        if between and not is_last:
            add("dropout", {"rate": between, "kind": "numbers"})
    if stack.pooling is not None:
        add("global_pooling", {"kind": stack.pooling.kind})
    if stack.output_dropout is not None:
        add("dropout", {"rate": stack.output_dropout.rate, "kind": "numbers"})
    output = stack.output
    features = {"in_features": output.in_features, "out_features": output.out_features}
    add(
        "dense",
        features | {"activation": "linear", "bias": True},
        {"linear.weight": output.weight, "linear.bias": output.bias},
    )
    return layers, state


def _add_convolution(add: Any, layer: Convolution | ParallelConvolutions) -> None:
    convolutions = layer.layers if isinstance(layer, ParallelConvolutions) else [layer]
    described = [
        {
            "layer": "convolution",
            "in_channels": each.in_channels,
            "out_channels": each.out_channels,
            "kernel_size": each.window,
            "stride": 1,
            "dilation": 1,
            "groups": 1,
            "padding": "same",
            "activation": "relu",
            "bias": True,
        }
        for each in convolutions
    ]
    if len(convolutions) == 1:
        options = {name: value for name, value in described[0].items() if name != "layer"}
        add("convolution", options, {"convolution.weight": layer.weight, "convolution.bias": layer.bias})
        return
    weights: dict[str, Any] = {}
    for number, each in enumerate(convolutions):
        weights[f"branches.{number}.0.convolution.weight"] = each.weight
        weights[f"branches.{number}.0.convolution.bias"] = each.bias
    add("branches", {"branches": [[each] for each in described]}, weights)


def _add_recurrent(add: Any, layer: nn.Module, *, sequences: bool) -> None:
    if isinstance(layer, Bidirectional):
        ways = {"forward_layer": layer.forward_layer, "backward_layer": layer.backward_layer}
        described = {
            way: _recurrent(each, sequences=sequences, backwards=way == "backward_layer", zero_masked=sequences)
            for way, each in ways.items()
        }
        weights = {
            f"{way}.layer.{name}": value for way, each in ways.items() for name, value in each.named_parameters()
        }
        add("bidirectional", {**described, "merge": "concat"}, weights)
        return
    weights = {f"layer.{name}": value for name, value in layer.named_parameters()}
    add("recurrent", _recurrent(layer, sequences=sequences, backwards=False, zero_masked=False), weights)


def _recurrent(layer: nn.Module, *, sequences: bool, backwards: bool, zero_masked: bool) -> dict[str, Any]:
    assert isinstance(layer, LSTM | GRU)
    return {
        "cell": "lstm" if isinstance(layer, LSTM) else "gru",
        "input_size": layer.input_size,
        "hidden_size": layer.hidden_size,
        "activation": "tanh",
        "recurrent_activation": layer.recurrent_activation,
        "bias": True,
        "backwards": backwards,
        "return_sequences": sequences,
        "zero_masked": zero_masked,
        "dropout": layer.dropout,
        "recurrent_dropout": layer.recurrent_dropout,
    }
