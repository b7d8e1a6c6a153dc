import numpy as np
import pytest

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.evaluation.attribution import word_importance
from seqclass.evaluation.prediction import predict
from seqclass.evaluation.texts import LabelledText


@pytest.fixture(scope="module")
def one(checkpoint):
    return TextClassifier.load(checkpoint)


@pytest.fixture(scope="module")
def several(labels_checkpoint):
    return TextClassifier.load(labels_checkpoint)


def test_mistakes_are_the_most_confident_ones(one):
    texts = [
        ("a wonderful film", "pos"),
        ("a wonderful superb moving film", "neg"),
        ("the film", "neg"),
        ("dull", "pos"),
    ]
    found = predict(one, [LabelledText(text, text, (label,)) for text, label in texts], keep_mistakes=2)
    wrong = [
        (p.max(), text)
        for p, (text, _), right in zip(found.probabilities, texts, found.correct, strict=True)
        if not right
    ]
    assert [(mistake.confidence, mistake.item.text) for mistake in found.mistakes] == sorted(wrong, reverse=True)[:2]
    assert all(mistake.said for mistake in found.mistakes)


def test_several_labels_a_text(several):
    texts = [
        LabelledText("0", "a superb film", ("good",)),
        LabelledText("1", "the dull story of a brilliant actor", ("bad", "good")),
        LabelledText("2", "the scene", ()),
        LabelledText("3", "an awful scene", ("good",)),
    ]
    found = predict(several, texts, batch_size=3)
    assert found.label_names == ("bad", "good")
    assert found.labels.tolist() == [[0, 1], [1, 1], [0, 0], [0, 1]]
    assert found.predicted.tolist() == [[0, 1], [1, 1], [0, 0], [1, 0]]
    assert found.correct.tolist() == [True, True, True, False]
    (mistake,) = found.mistakes
    assert mistake.item is texts[3]
    errors = np.abs(found.probabilities[3] - [0, 1])
    assert mistake.confidence == errors.max()
    assert (mistake.label, mistake.said) == (("bad", True) if errors.argmax() == 0 else ("good", False))


def test_words_of_a_label_among_several(several):
    """Each label has its own words, whatever the others are."""
    text = "the dull story of a brilliant actor"
    for label, word in (("bad", "dull"), ("good", "brilliant")):
        assert max(word_importance(several, text, label), key=lambda entry: entry[1])[0] == word


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("pos", "neg"), r"a\.csv:2 has 2 labels \('pos', 'neg'\); this model gives each text one"),
        ((), r"a\.csv:2 has 0 labels"),
        (("fine",), r"a\.csv:2: the label 'fine' is none of the checkpoint's: 'neg', 'pos'$"),
    ],
)
def test_labels_that_are_not_one(one, labels, message):
    with pytest.raises(InputError, match=message):
        predict(one, [LabelledText("a.csv:2", "a film", labels)])


def test_labels_that_are_not_separated(several):
    with pytest.raises(InputError, match=r"the label 'good;bad' is none .* `label_separator` separates several"):
        predict(several, [LabelledText("a.csv:2", "a film", ("good;bad",))])


def test_no_texts(one):
    with pytest.raises(InputError, match="there are no texts"):
        predict(one, [])
