"""What of a named stack Keras computes otherwise, which is refused rather than written."""

from typing import Any

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.models import StackOptions

_ACTIVATIONS = {1: ("sigmoid", "hard_sigmoid"), 3: ("sigmoid", "hard_sigmoid_keras3")}
_NOTEBOOK = "only the notebook's layers are written for Keras 1"


def check_representable(classifier: TextClassifier, keras: int) -> None:
    """Refuse what this version of Keras does not have, or has as another function.

    Raises:
        InputError: the option, its value and the reason.
    """
    if not isinstance(classifier.options, StackOptions):
        return
    options = vars(classifier.options)
    activation = options["recurrent_activation"]
    if activation not in _ACTIVATIONS[keras]:
        has = " and ".join(_ACTIVATIONS[keras])
        raise InputError(f"Keras {keras} has no recurrent_activation {activation!r}; it has {has}")
    for option, differs, reason in _refusals(options, first=keras == 1):
        if differs:
            raise InputError(f"{option}={options[option]!r} cannot be exported to Keras {keras}: {reason}")


def _refusals(options: dict[str, Any], *, first: bool) -> list[tuple[str, bool, str]]:
    masked = bool(options["mask_padding"])
    pooling = options["pooling"]
    backward = "backward, Keras reads the padding last, and here it comes first; with mask_padding they agree"
    sizes = options["kernel_size"]
    return [
        ("segment_length", bool(options.get("segment_length")), "Keras has no segments"),
        ("ngrams", bool(options.get("ngrams")), "Keras has no branch of n-grams"),
        ("cell", first and options["cell"] != "lstm", "Keras 1's GRU is another function"),
        ("num_layers", first and options["num_layers"] > 1, _NOTEBOOK),
        ("bidirectional", options["bidirectional"] and (first or not masked), _NOTEBOOK if first else backward),
        ("pooling", pooling in ("max", "max_mean"), "Keras takes the maximum over the padding too"),
        (
            "pooling",
            pooling == "mean" and (first or not masked),
            "Keras takes the mean over the padding too" + ("" if first else ", unless it is masked"),
        ),
        (
            "kernel_size",
            isinstance(sizes, list) and len(sizes) > 1,
            "a Sequential model has no convolutions side by side",
        ),
    ]
