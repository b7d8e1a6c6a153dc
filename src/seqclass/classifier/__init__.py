"""The trained model as one thing: stack, text pipeline, label names and task. Plain PyTorch."""

from seqclass.classifier.checkpoint import Checkpoint, read_checkpoint
from seqclass.classifier.tasks import Classification, MultiLabel, SingleLabel, Task, probabilities
from seqclass.classifier.text_classifier import TextClassifier

__all__ = [
    "Checkpoint",
    "Classification",
    "MultiLabel",
    "SingleLabel",
    "Task",
    "TextClassifier",
    "probabilities",
    "read_checkpoint",
]
