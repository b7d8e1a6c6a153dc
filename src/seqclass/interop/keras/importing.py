"""From a Keras file to a classifier: one of the notebook's stacks if it is one, else a chain of the same layers."""

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop.keras.describing import Described, describe_layers
from seqclass.interop.keras.files import read_keras
from seqclass.interop.keras.model import KerasModel
from seqclass.interop.keras.named import as_named_stack
from seqclass.interop.keras.outputs import take_output
from seqclass.interop.keras.texts import TextOptions, text_pipeline
from seqclass.interop.keras.unsaid import Unsaid
from seqclass.models import StackOptions
from seqclass.models.chain import ChainOptions
from seqclass.nn import Initializer


@dataclass
class ImportReport:
    """What an import has read.

    Attributes:
        keras: major version that wrote the file.
        stack: which of the project's stacks it is, or `chain`.
        options: the stack's sizes, rates and activation, or a chain's layers.
        arrays: for each array its name in the file, its shape there, and the weights it became.
        assumed: what the file does not say, and what was taken instead.
        notes: what else is worth knowing.
    """

    keras: int
    stack: str
    options: dict[str, Any]
    arrays: list[tuple[str, tuple[int, ...], str]] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"Keras {self.keras} file, stack {self.stack}"]
        for name, value in self.options.items():
            if name == "layers":
                lines += [f"  layer {place}: {_in_words(layer)}" for place, layer in enumerate(value)]
            else:
                lines.append(f"  {name} = {value}")
        lines += [f"  {name} {shape} -> {target}" for name, shape, target in self.arrays]
        lines += [f"  not in the file: {line}" for line in self.assumed]
        lines += [f"  note: {line}" for line in self.notes]
        return "\n".join(lines)


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
    initializer: Initializer = "keras1" if model.keras == 1 else "keras"
    try:
        classifier, report = _built(model, described, found, several, initializer, labels, text_options, of_output)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{file}: {' '.join(str(error).split())}") from error
    # What an export back to Keras has to know, beside the layers.
    classifier.record["keras"] = {"version": model.keras, "output_activation": activation, "outputs": outputs}
    return classifier, report


def _built(
    model: KerasModel,
    described: Described,
    found: dict[str, Any] | None,
    several: bool,
    initializer: Initializer,
    labels: list[str] | None,
    text_options: TextOptions,
    of_output: list[str],
) -> tuple[TextClassifier, ImportReport]:
    options: StackOptions | ChainOptions
    if found is None:
        shown: dict[str, Any] = {"layers": described.layers, "multi_label": several}
        options = ChainOptions(layers=described.layers, multi_label=several)
    else:
        outputs = described.layers[-1]["out_features"]
        sizes = {"num_embeddings": described.layers[0]["num_embeddings"], "num_classes": max(outputs, 2)}
        shown = {**sizes, **{name: value for name, value in found.items() if name != "stack"}}
        options = StackOptions(stack=found["stack"], initializer=initializer, **shown)
    names = labels or [str(number) for number in range(options.num_classes)]
    if len(names) != options.num_classes or len(set(names)) < len(names):
        raise InputError(f"labels={names} does not fit: {options.num_classes} different names are needed")
    pipeline, of_texts = text_pipeline(model, text_options, options.num_embeddings)
    classifier = TextClassifier(options, pipeline=pipeline, label_names=names)
    state = {name: torch.tensor(np.ascontiguousarray(array)) for name, array in described.state.items()}
    classifier.stack.load_state_dict(state)
    report = ImportReport(model.keras, options.stack, shown, described.arrays)
    report.assumed = [*model.assumed, *of_output]
    report.notes = list(model.notes)
    (report.notes if pipeline is None else report.assumed).extend(of_texts)
    if described.policies:
        report.notes.append(f"the file's policy is {', '.join(sorted(described.policies))}; here all is float32")
    if found is None:
        report.notes.append("a chain classifies, evaluates and exports; no recipe of the project trains it")
    return classifier.eval(), report


def _override(described: Described, unsaid: Unsaid) -> None:
    """Return what may be given in place of what the file says."""
    for layer in _every(described.layers):
        if unsaid.mask_padding is not None and layer["layer"] == "embedding":
            layer["mask_zero"] = unsaid.mask_padding
        if unsaid.recurrent_activation is not None and layer.get("cell", "simple") != "simple":
            layer["recurrent_activation"] = unsaid.recurrent_activation


def _every(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All layers, those within others too."""
    found = []
    for layer in layers:
        inner = [layer[way] for way in ("forward_layer", "backward_layer") if way in layer]
        found += [layer, *inner]
        for branch in layer.get("branches", []):
            found += _every(branch)
    return found


def _in_words(layer: dict[str, Any]) -> str:
    kind = layer["layer"]
    if kind == "branches":
        inner = [", ".join(map(_in_words, branch)) or "as it is" for branch in layer["branches"]]
        return f"side by side: {'; '.join(inner)}"
    if kind == "bidirectional":
        ways = ", ".join(_in_words({"layer": way, **layer[way]}) for way in ("forward_layer", "backward_layer"))
        return f"bidirectional ({layer['merge']}): {ways}"
    return " ".join([kind, *(f"{name}={value}" for name, value in layer.items() if name != "layer")])
