"""Names of classes: whose they are, and Keras' rule for those of groups within a file."""

import re
from collections.abc import Mapping
from typing import Any

# Keras 1's names of the classes that Keras 2 and 3 call otherwise, and other spellings.
_KINDS = {
    "Convolution1D": "Conv1D",
    "MaxPool1D": "MaxPooling1D",
    "AvgPool1D": "AveragePooling1D",
    "GlobalMaxPool1D": "GlobalMaxPooling1D",
    "GlobalAvgPool1D": "GlobalAveragePooling1D",
    "Merge": "Concatenate",
    "LSTMV1": "LSTM",
    "GRUV1": "GRU",
    "BatchNormalizationV1": "BatchNormalization",
}


def class_of(entry: Mapping[str, Any]) -> str:
    """Return the class of a layer in a configuration, by its name in Keras 2 and 3.

    One that is not Keras' own keeps its module in front, so that it is not taken for the class of the same name.
    """
    name, module = str(entry["class_name"]), entry.get("module")
    if isinstance(module, str) and module.split(".")[0] not in ("keras", "tf_keras", "tensorflow"):
        return f"{module}.{name}"
    return _KINDS.get(name, name)


def snake_case(kind: str) -> str:
    """Keras' own rule: `MaxPooling1D` becomes `max_pooling1d`."""
    kind = re.sub(r"\W+", "", kind)
    kind = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)
    return re.sub("([a-z])([A-Z])", r"\1_\2", kind).lower()
