"""A stack that is trained, tested, saved, and asked about raw texts."""

from seqclass.classifier.checkpoint import read_checkpoint
from seqclass.classifier.sequence_classifier import SequenceClassifier
from seqclass.classifier.tasks import Classification, probabilities

__all__ = ["Classification", "SequenceClassifier", "probabilities", "read_checkpoint"]
