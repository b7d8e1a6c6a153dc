"""Against what TensorFlow's string operations give, as `TextVectorization` of Keras 3.15.1 was seen to split."""

import pytest

from seqclass.errors import InputError
from seqclass.text import KerasTokenizer, TextPipeline, Vocabulary

TEXT = "Don't  STOP,\tnow É-tude a_b\x0bc\u00a0d!"


@pytest.mark.parametrize(
    ("options", "tokens"),
    [
        ({}, ["dont", "stop", "now", "Étude", "ab", "c\u00a0d"]),
        ({"standardize": "lower"}, ["don't", "stop,", "now", "É-tude", "a_b", "c\u00a0d!"]),
        ({"standardize": "strip_punctuation"}, ["Dont", "STOP", "now", "Étude", "ab", "c\u00a0d"]),
        ({"standardize": None}, ["Don't", "STOP,", "now", "É-tude", "a_b", "c\u00a0d!"]),
        ({"split": None}, ["dont▁▁stop\tnow▁Étude▁ab\x0bc\u00a0d"]),
        ({"ngrams": (1, 3)}, ["dont", "stop", "now", "Étude", "ab", "c\u00a0d", *["dont▁stop▁now", "stop▁now▁Étude"],
                              "now▁Étude▁ab", "Étude▁ab▁c\u00a0d"]),
    ],
)  # fmt: skip
def test_tokens(options, tokens):
    assert KerasTokenizer(**options)(TEXT) == tokens


def test_characters():
    assert KerasTokenizer(split="character")("A b!é") == ["a", "▁", "b", "é"]


@pytest.mark.parametrize("options", [{}, {"split": "character"}, {"split": None}])
def test_nothing(options):
    assert KerasTokenizer(**options)("") == []


def test_lone_surrogates_pass():
    assert KerasTokenizer()("a \ud800b") == ["a", "\ud800b"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"standardize": "upper"}, "standardize is 'upper'; allowed are"),
        ({"split": "words"}, "split is 'words'; allowed are"),
        ({"ngrams": (0,)}, "ngrams is 0; allowed are"),
        ({"ngrams": (101,)}, "ngrams has 101; at most 100"),
    ],
)
def test_wrong_option(options, message):
    with pytest.raises(InputError, match=message):
        KerasTokenizer(**options)


def test_not_a_text():
    with pytest.raises(InputError, match="a text has to be a str, not bytes"):
        KerasTokenizer()(b"bytes")


@pytest.mark.parametrize("options", [{}, {"standardize": None, "split": None, "ngrams": [1, 2]}])
def test_saved_in_a_pipeline(options):
    pipeline = TextPipeline(tokenizer=KerasTokenizer(**options), vocabulary=Vocabulary(("a",)), maxlen=None)
    assert TextPipeline.from_state(pipeline.state()) == pipeline
