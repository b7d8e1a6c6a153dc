import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.data import OwnTexts
from seqclass.data.inspection import inspect_texts
from seqclass.data.sources import Reading
from seqclass.errors import InputError
from seqclass.text import Tokenizer

TOKENIZER = Tokenizer()


def inspect(train, **others):
    return inspect_texts(OwnTexts(train, **others, empty_texts="keep"), TOKENIZER)


def test_what_stands_in_each_part(capsys):
    train = (["a b c", "a b", "a b", "?!", " ", "d"], ["x", "x", "y", "x", "y", "x"])
    found = inspect(train, test=(["a b", "q q a", "a b"], ["x", "z", "x"]))
    part = found.parts["train"]
    assert part.class_counts == {"x": 4, "y": 2}
    assert (part.texts, part.empty, part.wordless, part.duplicates, part.contradictions) == (6, 1, 1, 1, 1)
    assert (part.lengths, part.unknown_share, part.from_training) == ((0, 2, 3, 3), 0.0, 0)
    test = found.parts["test"]
    assert (test.texts, test.duplicates, test.contradictions, test.from_training) == (3, 1, 0, 2)
    assert test.unknown_share == pytest.approx(2 / 7)
    assert found.distinct_words == 4
    assert "1 empty texts of train are kept" in capsys.readouterr().err


def test_each_of_several_labels_counts():
    part = inspect((["a", "b", "c"], ["x;y", "", "y"]), reading=Reading(label_separator=";")).parts["train"]
    assert (part.texts, part.class_counts) == (3, {"y": 2, "x": 1})
    assert part.combinations == {"x;y": 1, "": 1, "y": 1}
    assert inspect((["a", "b"], ["x", "y"])).parts["train"].combinations == {}


def test_unknown_words_are_those_of_the_size_and_tokenizer_asked_for():
    train = (["a a a b", "a b c"], ["x", "y"])
    source = OwnTexts(train, test=(["a c d"], ["x"]))
    found = inspect_texts(source, TOKENIZER, num_words=6)  # two words beside the four marks
    assert (found.num_words, found.distinct_words) == (6, 3)
    assert found.parts["train"].unknown_share == pytest.approx(1 / 7)
    assert found.parts["test"].unknown_share == pytest.approx(2 / 3)
    characters = Tokenizer(kind="characters", filters="")
    assert inspect_texts(source, characters).parts["test"].lengths == (5, 5, 5, 5)
    with pytest.raises(InputError, match="num_words is 4; allowed are whole numbers from 5 on and None"):
        inspect_texts(source, TOKENIZER, num_words=4)


def test_recommended_sizes_cover_what_they_say():
    draw = np.random.default_rng(3)
    texts = [" ".join(f"w{n}" for n in draw.zipf(1.3, size) if n < 50_000) for size in draw.integers(5, 80, 400)]
    found = inspect((texts, ["x", "y"] * 200))
    assert 0 <= found.parts["train"].unknown_share <= 0.02
    assert found.num_words < found.distinct_words
    assert found.num_words % 100 == 0
    lengths = np.array([len(TOKENIZER(text)) + 1 for text in texts])
    assert (lengths <= found.maxlen).mean() >= 0.95
    assert (lengths <= found.maxlen - 10).mean() < 0.96


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c d"]), st.sampled_from("xyz")), min_size=1))
def test_duplicates_and_contradictions_as_a_dictionary_counts_them(pairs):
    part = inspect(tuple(map(list, zip(*pairs, strict=True)))).parts["train"]
    labels = {text: {label for other, label in pairs if other == text} for text, _ in pairs}
    assert part.duplicates == len(pairs) - len(labels)
    assert part.contradictions == sum(len(found) > 1 for found in labels.values())


@pytest.mark.parametrize(("texts", "what"), [([], "texts"), (["?", "!"], "words")])
def test_nothing_to_inspect(texts, what):
    with pytest.raises(InputError, match=f"train holds no {what}"):
        inspect((texts, ["x"] * len(texts)))
