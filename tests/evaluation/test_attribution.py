import pytest

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.models import StackOptions


def test_finds_the_words_that_decide(checkpoint):
    classifier = TextClassifier.load(checkpoint)
    found = word_importance(classifier, "the film story Wonderful music and the scene", "pos")
    assert [word for word, _ in found] == ["the", "film", "story", "wonderful", "music", "the", "scene"]
    assert max(found, key=lambda entry: entry[1])[0] == "wonderful"
    # The same word, asked for the other class: the other sign, to float32's rounding.
    other = word_importance(classifier, "the film story Wonderful music and the scene", "neg")
    assert [value for _, value in other] == pytest.approx([-value for _, value in found], abs=1e-5)


def test_words_that_are_cut_off_are_not_there(checkpoint):
    classifier = TextClassifier.load(checkpoint)
    found = word_importance(classifier, "wonderful " * 3 + "film " * 30, "pos")
    assert [word for word, _ in found] == ["film"] * classifier.pipeline.maxlen


def test_model_of_bare_ids():
    classifier = TextClassifier(StackOptions(num_embeddings=5, num_classes=2, embedding_dim=2, hidden_size=2))
    with pytest.raises(InputError, match="has no text pipeline"):
        word_importance(classifier, "a film", "pos")
