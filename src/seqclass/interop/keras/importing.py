"""From a Keras file to a classifier: one of the notebook's stacks if it is one, else a chain of the same layers."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop.keras.described import Described
from seqclass.interop.keras.describing import describe_layers
from seqclass.interop.keras.files import read_keras
from seqclass.interop.keras.named import as_named_stack
from seqclass.interop.keras.outputs import take_output
from seqclass.interop.keras.report import ImportReport
from seqclass.interop.keras.texts import TextOptions, text_pipeline
from seqclass.interop.keras.unsaid import Unsaid
from seqclass.models import StackOptions
from seqclass.models.chain import ChainOptions
from seqclass.nn import Initializer

_SHOWN = ("num_embeddings", "num_classes", "layers", "multi_label")


def import_keras(
    file: str | Path,
    *,
    labels: list[str] | None = None,
    multi_label: bool | None = None,
    **options: Any,
) -> tuple[TextClassifier, ImportReport]:
    """Read a model, or a model's weights, that Keras 1, 2 or 3 has written.

    Args:
        file: `.keras`, or `.h5` with a whole model or with weights only.
        labels: names of the classes, the one of the smallest output first; None for 0, 1 and so on.
        multi_label: whether a text may have several labels, where the model ends in several logits; None for no.
        **options: those of `Unsaid`, for files of weights, and of `TextOptions`, for texts.

    Returns:
        The classifier, in evaluation mode, and what was read.

    Raises:
        InputError: the file is missing or damaged, holds what is not read, or options do not fit it; the message names
            the layer.
        TypeError: an unknown option.
    """
    texts = {field.name: options.pop(field.name) for field in fields(TextOptions) if field.name in options}
    unsaid, text_options = Unsaid(**options), TextOptions(**texts)
    model = read_keras(file, unsaid)
    described = describe_layers(model)
    if not described.layers or described.layers[0]["layer"] != "embedding":
        first = described.layers[0]["layer"] if described.layers else "nothing"
        raise InputError(f"{file} begins with {first}: a classifier of texts begins with an Embedding of ids")
    _override(described, unsaid)
    activation, several, of_output = take_output(described, model.source, multi_label=multi_label)
    outputs = described.layers[-1]["out_features"]
    if model.assumed:
        of_output = []  # said there already
    found = as_named_stack(described, multi_label=several)
    wanted = unsaid.stack
    if wanted == "lstm_gate_dropout" and found and found["stack"] == "lstm" and model.assumed:
        found["stack"] = wanted
        model.assumed.append("rates of dropout, taken as the stack's own (they change training alone)")
    stack = "chain" if found is None else found["stack"]
    if wanted not in (None, stack):
        raise InputError(f"{file} holds the stack {stack}, not {wanted}")
    if stack == "lstm" and model.assumed and wanted is None:
        model.assumed.append("dropout within the gates, taken as none (--stack lstm_gate_dropout otherwise)")
    pipeline, of_texts = text_pipeline(model, text_options, described.layers[0]["num_embeddings"])
    try:
        options_here = _options(described, found, multi_label=several, keras=model.keras)
        names = _label_names(labels, options_here.num_classes)
        classifier = TextClassifier(options_here, pipeline=pipeline, label_names=names)
        state = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in described.state.items()}
        classifier.stack.load_state_dict(state)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{file}: {' '.join(str(error).split())}") from error
    # What an export back to Keras has to know, beside the layers.
    classifier.record["keras"] = {"version": model.keras, "output_activation": activation, "outputs": outputs}
    shown = {name: value for name, value in options_here.values().items() if name in (*_SHOWN, *(found or {}))}
    shown.pop("stack", None)
    report = ImportReport(model.keras, stack, shown, described.arrays, [*model.assumed, *of_output], list(model.notes))
    (report.notes if pipeline is None else report.assumed).extend(of_texts)
    if described.policies:
        report.notes.append(f"the file's policy is {', '.join(sorted(described.policies))}; here all is float32")
    if found is None:
        report.notes.append("a chain classifies, evaluates and exports; no recipe of the project trains it")
    return classifier.eval(), report


def _options(
    described: Described, found: dict[str, Any] | None, *, multi_label: bool, keras: int
) -> StackOptions | ChainOptions:
    if found is None:
        return ChainOptions(layers=described.layers, multi_label=multi_label)
    initializer: Initializer = "keras1" if keras == 1 else "keras"
    return StackOptions(
        num_embeddings=described.layers[0]["num_embeddings"],
        num_classes=max(described.layers[-1]["out_features"], 2),
        initializer=initializer,
        **found,
    )


def _label_names(labels: list[str] | None, number: int) -> list[str]:
    names = labels or [str(place) for place in range(number)]
    if len(names) != number or len(set(names)) < len(names):
        raise InputError(f"labels={names} does not fit: {number} different names are needed")
    return names


def _override(described: Described, unsaid: Unsaid) -> None:
    """Put in what may be given in place of what the file says."""
    for layer in _every(described.layers):
        if unsaid.mask_padding is not None and layer.get("layer") == "embedding":
            layer["mask_zero"] = unsaid.mask_padding
        if unsaid.recurrent_activation is not None and layer.get("cell", "simple") != "simple":
            layer["recurrent_activation"] = unsaid.recurrent_activation


def _every(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List all layers, those within others too."""
    found = []
    for layer in layers:
        inner = [layer[way] for way in ("forward_layer", "backward_layer") if way in layer]
        found += [layer, *inner]
        for branch in layer.get("branches", []):
            found += _every(branch)
    return found
