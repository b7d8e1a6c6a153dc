"""A classifier's layers as Keras has them: which there are, their settings by Keras' own names, and their arrays."""

from collections import Counter
from typing import Any

from torch import nn

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop.keras.layouts import KERAS1_GATES, convolution_to_keras, lstm_to_keras1, recurrent_to_keras
from seqclass.interop.keras.model import Array, Backend, KerasLayer
from seqclass.interop.keras.names import snake_case
from seqclass.models import Stack
from seqclass.nn import GRU, LSTM, Bidirectional, Convolution, GlobalPooling, Stacked

_ACTIVATIONS = {1: ("sigmoid", "hard_sigmoid"), 3: ("sigmoid", "hard_sigmoid_keras3")}


def keras_layers(classifier: TextClassifier, keras: int, backend: Backend) -> list[KerasLayer]:
    """Make the layers, in order and with the names that Keras gives them.

    Arrays are called after their place in a file: by their own names in Keras 1, by a path below the layer in Keras 3.

    Raises:
        InputError: this version of Keras has no such layer, or computes another function by it.
    """
    check_representable(classifier, keras)
    stack, first = classifier.stack, keras == 1
    embedding: dict[str, Any] = {
        "input_dim": stack.embedding.num_embeddings,
        "output_dim": stack.embedding.embedding_dim,
        "mask_zero": stack.mask_padding,
    }
    if first:
        embedding["dropout"] = stack.embedding.dropout
    layers = [KerasLayer("Embedding", "", embedding, _named(keras, "W", [_array(stack.embedding.weight)]))]
    if stack.embedded_dropout is not None:
        layers.append(_dropout(stack.embedded_dropout.rate, keras))
    if isinstance(stack.convolution, Convolution):
        layers.append(_convolution(stack.convolution, keras, backend))
    if stack.max_pooling is not None:
        size = stack.max_pooling.size
        settings: dict[str, Any] = (
            {"pool_length": size, "stride": size, "border_mode": "valid"}
            if first
            else {"pool_size": [size], "strides": [size], "padding": "valid"}
        )
        layers.append(KerasLayer("MaxPooling1D", "", settings))
    layers += _recurrent(stack, keras)
    if isinstance(stack.pooling, GlobalPooling):
        layers.append(KerasLayer("GlobalAveragePooling1D", "", {}))
    if stack.output_dropout is not None:
        layers.append(_dropout(stack.output_dropout.rate, keras))
    units = stack.output.out_features
    last = "sigmoid" if units == 1 or classifier.options.multi_label else "softmax"
    arrays = [_array(stack.output.weight).T, _array(stack.output.bias)]
    settings = {"output_dim" if first else "units": units, "activation": last}
    layers.append(KerasLayer("Dense", "", settings, _named(keras, "Wb", arrays)))
    return _with_names(layers)


def check_representable(classifier: TextClassifier, keras: int) -> None:
    """Refuse what this version of Keras does not have, or has as another function.

    Raises:
        InputError: the option, its value and the reason.
    """
    options = vars(classifier.options)
    activation = options["recurrent_activation"]
    if activation not in _ACTIVATIONS[keras]:
        has = " and ".join(_ACTIVATIONS[keras])
        raise InputError(f"Keras {keras} has no recurrent_activation {activation!r}; it has {has}")
    masked = bool(options["mask_padding"])
    refused: list[tuple[str, bool, str]] = [
        ("cell", keras == 1 and options["cell"] != "lstm", "Keras 1's GRU is another function"),
        ("num_layers", keras == 1 and options["num_layers"] > 1, "only the notebook's layers are written for Keras 1"),
        (
            "bidirectional",
            options["bidirectional"] and (keras == 1 or not masked),
            "only the notebook's layers are written for Keras 1"
            if keras == 1
            else "backward, Keras reads the padding last, and here it comes first; with mask_padding they agree",
        ),
        ("pooling", options["pooling"] == "max", "Keras takes the maximum over the padding too"),
        (
            "pooling",
            options["pooling"] == "mean" and (keras == 1 or not masked),
            "Keras takes the mean over the padding too" + ("" if keras == 1 else ", unless it is masked"),
        ),
        (
            "kernel_size",
            isinstance(options["kernel_size"], list | tuple) and len(options["kernel_size"]) > 1,
            "a Sequential model has no convolutions side by side",
        ),
    ]
    for option, differs, reason in refused:
        if differs:
            raise InputError(f"{option}={options[option]!r} cannot be exported to Keras {keras}: {reason}")


def _convolution(layer: Convolution, keras: int, backend: Backend) -> KerasLayer:
    kernel = convolution_to_keras(_array(layer.weight), keras=keras, flipped=keras == 1 and backend == "theano")
    arrays = [kernel, _array(layer.bias)]
    settings: dict[str, Any] = (
        {"nb_filter": layer.out_channels, "filter_length": layer.window, "border_mode": "same", "bias": True}
        if keras == 1
        else {"filters": layer.out_channels, "kernel_size": [layer.window], "padding": "same"}
    )
    kind = "Convolution1D" if keras == 1 else "Conv1D"
    return KerasLayer(kind, "", {**settings, "activation": "relu"}, _named(keras, "Wb", arrays))


def _recurrent(stack: Stack, keras: int) -> list[KerasLayer]:
    """Build what reads the sequence; all but the uppermost layer return their states after all steps."""
    levels: list[nn.Module] = (
        list(stack.recurrent.layers) if isinstance(stack.recurrent, Stacked) else [stack.recurrent]
    )
    between = stack.recurrent.dropout.rate if isinstance(stack.recurrent, Stacked) else 0
    layers: list[KerasLayer] = []
    for number, level in enumerate(levels, 1):
        every = number < len(levels) or stack.pooling is not None
        layers.append(_both_ways(level, every) if isinstance(level, Bidirectional) else _cell(level, keras, every))
        if between and number < len(levels):
            layers.append(_dropout(between, keras))
    return layers


def _both_ways(layer: Bidirectional, return_sequences: bool) -> KerasLayer:
    """Keras 3's `Bidirectional` around one of its layers; it makes the backward one of it."""
    ways = {
        "forward_layer": _cell(layer.forward_layer, 3, return_sequences),
        "backward_layer": _cell(layer.backward_layer, 3, return_sequences),
    }
    arrays = {f"{way}/{path}": array for way, inner in ways.items() for path, array in inner.arrays.items()}
    inner = ways["forward_layer"]
    layer_entry = {
        "module": "keras.layers",
        "class_name": inner.kind,
        "config": {"name": snake_case(inner.kind), **(inner.config or {})},
        "registered_name": None,
    }
    return KerasLayer("Bidirectional", "", {"merge_mode": "concat", "layer": layer_entry}, arrays)


def _cell(layer: nn.Module, keras: int, return_sequences: bool) -> KerasLayer:
    assert isinstance(layer, LSTM | GRU)
    activation = "hard_sigmoid" if layer.recurrent_activation.startswith("hard_sigmoid") else "sigmoid"
    settings: dict[str, Any] = (
        {"output_dim": layer.hidden_size, "inner_activation": activation, "dropout_W": layer.dropout}
        | {"dropout_U": layer.recurrent_dropout, "input_dim": layer.input_size}
        if keras == 1
        else {"units": layer.hidden_size, "recurrent_activation": activation, "dropout": layer.dropout}
        | {"recurrent_dropout": layer.recurrent_dropout, "return_sequences": return_sequences}
    )
    settings["activation"] = "tanh"
    state = {name: _array(value) for name, value in layer.named_parameters()}
    if isinstance(layer, GRU):
        return KerasLayer(
            "GRU",
            "",
            {**settings, "reset_after": True},
            _numbered("cell/vars", recurrent_to_keras("gru", state, bias=True)),
        )
    if keras == 1:
        names = [f"{part}_{gate}" for gate in KERAS1_GATES for part in "WUb"]
        return KerasLayer("LSTM", "", settings, dict(zip(names, lstm_to_keras1(state), strict=True)))
    return KerasLayer("LSTM", "", settings, _numbered("cell/vars", recurrent_to_keras("lstm", state, bias=True)))


def _dropout(rate: float, keras: int) -> KerasLayer:
    return KerasLayer("Dropout", "", {"p" if keras == 1 else "rate": rate})


def _array(parameter: Any) -> Array:
    array: Array = parameter.detach().float().cpu().numpy()
    return array


def _named(keras: int, names: str, arrays: list[Array]) -> dict[str, Array]:
    """Keras 1 calls each array by a letter."""
    return dict(zip(names, arrays, strict=True)) if keras == 1 else _numbered("vars", arrays)


def _numbered(group: str, arrays: list[Array]) -> dict[str, Array]:
    return {f"{group}/{number}": array for number, array in enumerate(arrays)}


def _with_names(layers: list[KerasLayer]) -> list[KerasLayer]:
    """Name each layer after its class, counting from the second on."""
    seen: Counter[str] = Counter()
    for layer in layers:
        base = snake_case(layer.kind)
        layer.name = f"{base}_{seen[base]}" if seen[base] else base
        seen[base] += 1
    return layers
