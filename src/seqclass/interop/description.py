"""What another program needs to use an exported model: labels, and how a text becomes ids."""

from typing import Any

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.models import Stack
from seqclass.nn import AffixEmbedding


def describe(classifier: TextClassifier) -> dict[str, Any]:
    """Plain values: `labels`, and `pipeline` as `TextPipeline.state` gives it (None for a model of bare ids).

    Its words are one string, most frequent first; the word of rank r (from 1) has the id r + index_from.
    """
    return {
        "labels": list(classifier.label_names),
        "pipeline": None if classifier.pipeline is None else classifier.pipeline.state(),
    }


def exportable_stack(classifier: TextClassifier, form: str) -> Stack:
    """Return the classifier's stack if an exporter can write all that it does.

    Args:
        classifier: the model.
        form: name of the format, for the message.

    Raises:
        InputError: it has parts that the exporter would leave out: another kind of model, segments, n-grams, affixes.
    """
    stack = classifier.stack
    if not isinstance(stack, Stack):
        raise InputError(f"a model of the kind {classifier.options.stack!r} cannot be written as {form}")
    parts = {
        "segment_length": stack.segment_length is not None,
        "ngrams": stack.ngrams is not None,
        "affix_buckets": isinstance(stack.embedding, AffixEmbedding),
        "pooling='max_mean'": stack.pooling is not None and stack.pooling.kind == "max_mean",
    }
    if found := [name for name, present in parts.items() if present]:
        raise InputError(f"a stack with {', '.join(found)} cannot be written as {form}; safetensors holds every model")
    return stack
