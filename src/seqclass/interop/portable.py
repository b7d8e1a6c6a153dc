"""Which classifiers ONNX and torch.export are written for."""

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.models import Stack
from seqclass.nn import AffixEmbedding


def portable_stack(classifier: TextClassifier, form: str) -> Stack:
    """Return the named stack of a classifier if it is one that can be written.

    Args:
        classifier: with its weights.
        form: of the file, for the message.

    Raises:
        InputError: it cannot; the message says what it has that has no counterpart there.
    """
    stack = classifier.stack
    reason = None
    assert isinstance(stack, Stack)
    if stack.segment_length is not None:
        reason = f"segments (segment_length={stack.segment_length})"
    elif stack.ngrams is not None:
        reason = "a branch of n-grams"
    elif isinstance(stack.embedding, AffixEmbedding):
        reason = "vectors of prefixes and suffixes (affix_buckets)"
    elif stack.pooling is not None and stack.pooling.kind == "max_mean":
        reason = "a pooling of maxima and means (pooling='max_mean')"
    if reason is not None:
        raise InputError(f"{form} cannot be written for {reason}")
    return stack
