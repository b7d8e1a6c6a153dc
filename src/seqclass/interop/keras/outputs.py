"""What the last layer's numbers mean: a probability, one class of several, or several labels."""

from typing import Any

from seqclass.errors import InputError
from seqclass.interop.keras.described import Described


def take_output(described: Described, source: str, *, multi_label: bool | None) -> tuple[str, bool, list[str]]:
    """Take the last activation off, so that the chain gives logits, and say what they mean.

    Args:
        described: its last layers change.
        source: the file, for messages.
        multi_label: whether a text may have several labels, where the last layer does not say.

    Returns:
        The activation, whether a text may have several labels, and what was assumed.

    Raises:
        InputError: the outputs are neither probabilities nor logits.
    """
    layers = described.layers
    functions: list[str] = []
    while layers and layers[-1]["layer"] in ("dropout", "activation"):
        functions.append(layers.pop().get("activation", "linear"))
    last: dict[str, Any] = layers[-1] if layers else {"layer": "missing"}
    functions = [name for name in [*functions, last.get("activation", "linear")] if name != "linear"]
    activation = functions[0] if functions else "linear"
    if last["layer"] != "dense" or len(functions) > 1 or activation not in ("sigmoid", "softmax", "linear"):
        what = " and ".join([f"a {last['layer']} layer", *map(repr, reversed(functions))])
        raise InputError(
            f"{source} ends in {what}: a classifier ends in a dense layer, and sigmoid, softmax or no activation"
        )
    layers[-1] = {**last, "activation": "linear"}
    if last["out_features"] == 1:
        return activation, False, _one_output(source, activation, multi_label)
    several, assumed = _several_outputs(source, last["out_features"], activation, multi_label)
    return activation, several, assumed


def as_one_logit(described: Described) -> None:
    """Make one logit of a softmax over two outputs, the difference of the two: the same probabilities."""
    place = len(described.layers) - 1
    for name in ("weight", "bias"):
        key = f"layers.{place}.linear.{name}"
        if key in described.state:
            described.state[key] = described.state[key][1:] - described.state[key][:1]
    described.layers[-1] = {**described.layers[-1], "out_features": 1}


def _one_output(source: str, activation: str, multi_label: bool | None) -> list[str]:
    if activation == "softmax":
        raise InputError(f"{source} ends in a softmax over one output, which is always 1")
    if multi_label:
        raise InputError(f"multi_label=True does not fit: {source} has one output")
    unsaid = "activation of the output, taken as none: a logit, whose sigmoid is the probability of the second class"
    return [unsaid] if activation == "linear" else []


def _several_outputs(source: str, units: int, activation: str, multi_label: bool | None) -> tuple[bool, list[str]]:
    stated = {"sigmoid": True, "softmax": False}.get(activation)
    if stated is not None and multi_label not in (None, stated):
        raise InputError(f"multi_label={multi_label} does not fit: {source} ends in {activation}")
    several = bool(multi_label) if stated is None else stated
    assumed = []
    if stated is None and multi_label is None:
        assumed.append(f"activation of the {units} outputs, taken as softmax (--multi_label true for a sigmoid each)")
    return several, assumed
