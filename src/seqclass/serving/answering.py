"""From the requests of a batch to the bodies of their responses."""

import json
from collections.abc import Sequence
from typing import Any

from seqclass.classifier import Classification, TextClassifier
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.serving.limits import Limits

Request = dict[str, Any]
"""A `TextsRequest` as plain values."""


def answer_all(
    classifier: TextClassifier, requests: Sequence[Request], limits: Limits, *, batch_size: int
) -> list[bytes | InputError]:
    """Answer the requests of a batch, their texts computed together.

    Args:
        classifier: with its text pipeline.
        requests: of which each may have any number of texts.
        limits: those of explanations are looked at here, where the number of words is known.
        batch_size: texts computed at a time.

    Returns:
        For each request its JSON, or why it cannot be answered: one wrong text does not spoil the others' answers.
    """
    try:
        return list[bytes | InputError](_answered(classifier, requests, limits, batch_size))
    except InputError as error:
        if len(requests) == 1:
            return [error]
    return [
        answer for request in requests for answer in answer_all(classifier, [request], limits, batch_size=batch_size)
    ]


def _answered(classifier: TextClassifier, requests: Sequence[Request], limits: Limits, batch_size: int) -> list[bytes]:
    texts = [text for request in requests for text in request["texts"]]
    explain = [request["explain"] for request in requests for _ in request["texts"]]
    pipeline = classifier.text_pipeline
    encoded = pipeline.encode_all(texts)
    known = (~pipeline.without_words(encoded)).tolist()
    lengths = pipeline.cut(encoded).lengths.tolist()
    for length, explained in zip(lengths, explain, strict=True):
        if explained and length > limits.max_explained_words:
            raise InputError(
                f"the model reads {length:,} words of a text; at most {limits.max_explained_words:,} can be explained"
            )
    results = classifier.classify_encoded(encoded, batch_size)
    answers = iter([_answer(classifier, *parts) for parts in zip(texts, results, known, explain, strict=True)])
    return [_to_json({"answers": [next(answers) for _ in request["texts"]]}) for request in requests]


def _answer(
    classifier: TextClassifier, text: str, result: Classification, known: bool, explain: bool
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "labels": result.labels,
        "probability": result.probability,
        "probabilities": result.probabilities,
        "known_words": known,
    }
    if explain:
        label = max(result.probabilities, key=result.probabilities.__getitem__)
        words = [{"word": word, "weight": weight} for word, weight in word_importance(classifier, text, label)]
        answer["explanation"] = {"label": label, "words": words}
    return answer


def _to_json(values: dict[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
