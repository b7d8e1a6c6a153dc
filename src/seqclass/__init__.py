"""The Keras IMDB LSTM notebook in plain PyTorch, and text classification with recurrent networks beyond it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqclass.classifier import Classification, TextClassifier
    from seqclass.data import IMDBDataModule, TextDataModule
    from seqclass.training import SequenceClassifier, new_classifier

__version__ = "0.2.0"

# Imported when they are asked for: training needs Lightning, using a trained model does not.
_WHERE = {
    "Classification": "classifier",
    "IMDBDataModule": "data",
    "SequenceClassifier": "training",
    "TextClassifier": "classifier",
    "TextDataModule": "data",
    "new_classifier": "training",
}

__all__ = [
    "Classification",
    "IMDBDataModule",
    "SequenceClassifier",
    "TextClassifier",
    "TextDataModule",
    "__version__",
    "new_classifier",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"seqclass.{_WHERE[name]}"), name)
