"""What another program needs to use an exported model: labels, and how a text becomes ids."""

from typing import Any

from seqclass.classifier import TextClassifier


def describe(classifier: TextClassifier) -> dict[str, Any]:
    """Plain values: `labels`, and `pipeline` as `TextPipeline.state` gives it (None for a model of bare ids).

    Its words are one string, most frequent first; the word of rank r (from 1) has the id r + index_from.
    """
    return {
        "labels": list(classifier.label_names),
        "pipeline": None if classifier.pipeline is None else classifier.pipeline.state(),
    }
