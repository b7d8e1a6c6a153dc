"""Vocabularies to torchtext and back: the same id for every word, and nothing lost."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support.torchtext import needs_torchtext

from seqclass.errors import InputError
from seqclass.interop.torchtext import from_torchtext, to_torchtext
from seqclass.interop.torchtext.vocabulary import from_tokens, to_tokens
from seqclass.text import Vocabulary
from seqclass.text.torchtext_library import import_torchtext

WORDS = ("the", "a", "film", "née", "<br")


def looked_up(tokens, default_index, words):
    """What `Vocab.lookup_indices` gives; None where it raises an error."""
    index = {token: i for i, token in enumerate(tokens)}
    return [index.get(word, default_index) for word in words]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"unseen_words": "oov"},
        {"start_char": None},
        {"start_char": None, "oov_char": None, "index_from": 0},
        {"index_from": 7, "oov_char": 5},
        {"num_words": 20},
        {"num_words": 9, "unseen_words": "oov"},
        {"start_char": None, "oov_char": 0, "index_from": 0, "unseen_words": "oov"},
        {"start_char": 0, "oov_char": 1, "index_from": 1},
    ],
)
def test_comes_back_as_it_was(options):
    vocabulary = Vocabulary(WORDS, **options)
    tokens, default_index = to_tokens(vocabulary)
    assert len(tokens) == vocabulary.num_ids
    again = from_tokens(tokens, default_index)
    assert replace(again, num_words=vocabulary.num_words) == vocabulary
    assert again.num_ids == vocabulary.num_ids


@given(
    num_words=st.none() | st.integers(1, 14),
    skip_top=st.integers(0, 9),
    start_char=st.none() | st.integers(0, 4),
    oov_char=st.none() | st.integers(0, 4),
    index_from=st.integers(0, 5),
    unseen_words=st.sampled_from(["skip", "oov"]),
)
def test_every_word_keeps_its_id_whatever_the_options(**options):
    try:
        vocabulary = Vocabulary(WORDS, **options)
        tokens, default_index = to_tokens(vocabulary)
    except InputError:
        assume(False)
    start = 0 if vocabulary.start_char is None else 1
    for word in (*WORDS, "unseen"):
        (found,) = looked_up(tokens, default_index, [word])
        assert vocabulary.encode([word])[start:] == ([] if found is None else [found]), word
    again = from_tokens(tokens, default_index) if any(word in tokens for word in WORDS) else vocabulary
    for word in (*WORDS, "unseen"):
        assert again.encode([word]) == vocabulary.encode([word])


@pytest.mark.parametrize(
    ("tokens", "default_index"),
    [
        (["<unk>", "the", "a"], 0),
        (["<pad>", "<unk>", "the"], 1),
        (["<unk>", "<pad>", "<bos>", "<eos>", "the"], 0),
        (["<unk>", "<pad>", "the"], None),
        (["<pad>", "the", "a", "<unk>"], 3),
        (["<pad>", "the", "a"], 2),
    ],
)
def test_a_vocabulary_of_torchtext_comes_back_as_it_was(tokens, default_index):
    vocabulary = from_tokens(tokens, default_index)
    assert to_tokens(vocabulary) == (tokens, default_index)
    words = [*tokens[1:], "unseen"]
    expected = [i for i in looked_up(tokens, default_index, words) if i is not None]
    assert vocabulary.encode(words) == expected


@pytest.mark.parametrize(
    ("tokens", "default_index", "message"),
    [
        (["the", "a"], None, r"begins with \['the'\]; its first token has to be a mark"),
        ([], None, r"begins with \[\]"),
        (["<pad>", "two words"], None, "word 1 of the vocabulary is 'two words'"),
        (["<pad>", ""], None, "word 1 of the vocabulary is ''"),
        (["<pad>", "the"], -1, "the default index is -1; the vocabulary has ids from 0 to 1"),
        (["<pad>"], None, "needs at least one word"),
    ],
)
def test_what_cannot_be_one_of_ours_is_refused(tokens, default_index, message):
    with pytest.raises(InputError, match=message):
        from_tokens(tokens, default_index)


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (WORDS, {"num_words": 6}, r"num_words=6 and skip_top=0 .*replace\(vocabulary, unseen_words='oov'\)"),
        (WORDS, {"start_char": 5}, "start_char=5 has another meaning too"),
        (WORDS, {"skip_top": 2, "unseen_words": "oov"}, "start_char=1 .* none below skip_top"),
        (("<pad>", "the"), {}, "the word '<pad>' of the vocabulary is the name of a mark too"),
    ],
)
def test_what_torchtext_cannot_say_is_refused(words, options, message):
    with pytest.raises(InputError, match=message):
        to_tokens(Vocabulary(words, **options))


@needs_torchtext
class TestRealTorchtext:
    def test_ours_there_and_back(self):
        vocabulary = Vocabulary(WORDS, unseen_words="oov")
        vocab = to_torchtext(vocabulary)
        assert vocab.lookup_indices(["film", "unseen", "the"]) == [6, 2, 4]
        assert vocabulary.encode(["film", "unseen", "the"]) == [1, 6, 2, 4]
        assert from_torchtext(vocab) == vocabulary

    def test_unseen_words_that_are_left_out_are_an_error_there(self):
        vocab = to_torchtext(Vocabulary(WORDS))
        assert vocab.get_default_index() is None
        with pytest.raises(RuntimeError, match="unseen"):
            vocab.lookup_indices(["unseen"])

    def test_theirs_here_and_back(self):
        texts = [["a", "film", "a"], ["the", "film"], ["a"]]
        build = import_torchtext("vocab").build_vocab_from_iterator
        vocab = build(texts, specials=["<pad>", "<unk>"])
        vocab.set_default_index(vocab["<unk>"])
        vocabulary = from_torchtext(vocab)
        for text in texts:
            assert vocabulary.encode([*text, "unseen"]) == vocab([*text, "unseen"])
        again = to_torchtext(vocabulary)
        assert again.get_itos() == vocab.get_itos()
        assert again.get_default_index() == vocab.get_default_index()
