"""What a batch of requests becomes, without any HTTP."""

import json

import pytest

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.serving.answering import answer_all
from seqclass.serving.limits import Limits

LIMITS = Limits(max_explained_words=10)
TEXTS = ["a wonderful film", "the dull story", "an awful scene, boring music", "superb"]


@pytest.fixture(scope="module")
def classifier(checkpoint):
    return TextClassifier.load(checkpoint)


def asked(*texts, explain=False):
    return {"texts": list(texts), "explain": explain}


def answered(classifier, requests, **options):
    return [json.loads(body)["answers"] for body in answer_all(classifier, requests, LIMITS, batch_size=3, **options)]


def test_a_batch_of_requests_is_answered_as_each_text_alone(classifier):
    found = answered(classifier, [asked(*TEXTS[:1]), asked(*TEXTS[1:])])
    assert [len(answers) for answers in found] == [1, 3]
    for text, answer in zip(TEXTS, [answer for answers in found for answer in answers], strict=True):
        (alone,) = classifier.classify([text])
        assert answer["labels"] == list(alone.labels)
        assert answer["probability"] == pytest.approx(alone.probability, abs=1e-6)
        assert answer["probabilities"] == pytest.approx(alone.probabilities, abs=1e-6)
        assert answer["known_words"] is True
        assert "explanation" not in answer


@pytest.mark.filterwarnings("error")
def test_texts_without_a_known_word_are_marked_and_draw_no_warning(classifier):
    ((known, unknown, empty),) = answered(classifier, [asked("a film", "zzz", "")])
    assert known["known_words"]
    assert not unknown["known_words"]
    assert not empty["known_words"]


def test_explains_the_texts_of_the_request_that_asks_for_it(classifier):
    (plain,), (explained,) = answered(classifier, [asked("a film"), asked("a wonderful, superb film", explain=True)])
    assert "explanation" not in plain
    assert explained["explanation"]["label"] == "pos"
    words = [(entry["word"], entry["weight"]) for entry in explained["explanation"]["words"]]
    assert words == word_importance(classifier, "a wonderful, superb film", "pos")


def test_of_several_labels_the_most_probable_is_explained(labels_checkpoint):
    classifier = TextClassifier.load(labels_checkpoint)
    ((both, none),) = answered(classifier, [asked("a superb, awful film", "the story", explain=True)])
    assert sorted(both["labels"]) == ["bad", "good"]
    assert none["labels"] == []
    for answer in (both, none):
        assert answer["probabilities"][answer["explanation"]["label"]] == answer["probability"]


def test_one_request_that_cannot_be_answered_leaves_the_others_theirs(classifier):
    long = "film " * 11
    good, wrong, also_good = answer_all(
        classifier, [asked("a film"), asked(long, explain=True), asked(long)], LIMITS, batch_size=3
    )
    assert isinstance(wrong, InputError)
    assert str(wrong) == "the model reads 12 words of a text; at most 10 can be explained"
    assert len(json.loads(good)["answers"]) == len(json.loads(also_good)["answers"]) == 1
