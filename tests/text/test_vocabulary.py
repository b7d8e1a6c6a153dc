import json
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import Tokenizer, Vocabulary

WORDS = ("the", "and", "a", "of", "to", "is", "br", "in", "it", "i")
RANKS = {word: rank for rank, word in enumerate(WORDS, 1)}


def keras_ids(ranks, *, num_words, skip_top, start_char, oov_char, index_from):
    """Keras 3's `load_data` for one text of known ranks, in its own order: shift, then the two limits."""
    ids = [rank + index_from for rank in ranks]
    if start_char is not None:
        ids = [start_char, *ids]
    limit = sys.maxsize if num_words is None else num_words
    inside = [skip_top <= i < limit for i in ids]
    if oov_char is None:
        return [i for i, keep in zip(ids, inside, strict=True) if keep]
    return [i if keep else oov_char for i, keep in zip(ids, inside, strict=True)]


@given(
    words=st.lists(st.sampled_from(WORDS)),
    num_words=st.none() | st.integers(4, 16),
    skip_top=st.integers(0, 9),
    start_char=st.none() | st.integers(0, 5),
    oov_char=st.none() | st.integers(0, 3),
    index_from=st.integers(0, 6),
)
def test_equal_to_keras_on_all_options(words, **options):
    vocabulary = Vocabulary(WORDS, **options)
    ids = vocabulary.encode(words)
    assert ids == keras_ids([RANKS[word] for word in words], **options)
    assert all(i < vocabulary.num_ids for i in ids)


def test_the_limit_holds_for_shifted_ids():
    vocabulary = Vocabulary(WORDS, num_words=7)
    assert vocabulary.encode(["the", "and", "a", "of", "to"]) == [1, 4, 5, 6, 2, 2]
    assert vocabulary.num_ids == 7


def test_skip_top_holds_for_shifted_ids_and_for_the_start():
    assert Vocabulary(WORDS, skip_top=6).encode(["the", "a"]) == [2, 2, 6]
    assert Vocabulary(WORDS, skip_top=6, oov_char=None).encode(["the", "a"]) == [6]


def test_without_limit_the_rarest_word_keeps_its_id():
    vocabulary = Vocabulary(WORDS)
    assert vocabulary.encode(["i"]) == [1, 13]
    assert vocabulary.num_ids == 14


@pytest.mark.parametrize(
    ("unseen_words", "oov_char", "expected"),
    [("skip", 2, [1, 4, 5]), ("oov", 2, [1, 4, 2, 5]), ("skip", None, [1, 4, 5]), ("oov", None, [1, 4, 5])],
)
def test_unseen_words(unseen_words, oov_char, expected):
    vocabulary = Vocabulary(WORDS, unseen_words=unseen_words, oov_char=oov_char)
    assert vocabulary.encode(["the", "zebra", "and"]) == expected


def test_num_ids_covers_marks_above_the_words():
    assert Vocabulary(("a",), start_char=50).num_ids == 51
    assert Vocabulary(("a",), oov_char=60).num_ids == 61
    assert Vocabulary(("a",), start_char=None, oov_char=None, index_from=0).num_ids == 2
    assert Vocabulary(("a",), num_words=5000).num_ids == 5000


@given(words=st.lists(st.sampled_from([*WORDS, "zebra"])), num_words=st.none() | st.integers(4, 16))
def test_decode_undoes_encode(words, num_words):
    vocabulary = Vocabulary(WORDS, num_words=num_words)
    known = [word for word in words if word != "zebra"]
    expected = [word if RANKS[word] + 3 < (num_words or 99) else "<oov>" for word in known]
    ids = vocabulary.encode(words)
    assert vocabulary.decode(ids) == ["<start>", *expected]
    assert vocabulary.decode(ids, marks=False) == [word for word in expected if word != "<oov>"]
    assert vocabulary.decode([0, 0, *ids, 0]) == vocabulary.decode(ids)


@pytest.mark.parametrize("wrong", [3, 14, -1, 10**9])
def test_decode_refuses_ids_that_stand_for_nothing(wrong):
    with pytest.raises(InputError, match=rf"id {wrong} is not a word: .* 10 words have ids from 4 on, below 14"):
        Vocabulary(WORDS).decode([1, 4, wrong])


def test_decode_refuses_words_beyond_num_words():
    with pytest.raises(InputError, match="id 8 is not a word"):
        Vocabulary(WORDS, num_words=8).decode([8])


def test_decode_reads_the_mark_where_an_id_means_both():
    vocabulary = Vocabulary(WORDS, index_from=0)
    assert vocabulary.encode(["the", "and", "a"]) == [1, 1, 2, 3]
    assert vocabulary.decode([1, 1, 2, 3]) == ["<start>", "<start>", "<oov>", "a"]


def test_from_texts_ranks_by_count_then_first_appearance():
    vocabulary = Vocabulary.from_texts(["b a c", "C b", "d"], Tokenizer(), num_words=6)
    assert vocabulary.words == ("b", "c", "a", "d")
    assert vocabulary.num_words == 6


def test_from_texts_needs_words():
    with pytest.raises(InputError, match="the training texts have no words"):
        Vocabulary.from_texts(["", "..."], Tokenizer())


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"num_words": 0}, "num_words is 0; allowed are whole numbers from 1 on and None"),
        ({"num_words": True}, "num_words is True"),
        ({"num_words": 5e3}, r"num_words is 5000\.0"),
        ({"skip_top": -1}, "skip_top is -1; allowed are whole numbers from 0 on$"),
        ({"skip_top": None}, "skip_top is None"),
        ({"start_char": -1}, "start_char is -1"),
        ({"oov_char": "2"}, "oov_char is '2'"),
        ({"index_from": -1}, "index_from is -1"),
        ({"unseen_words": "drop"}, "unseen_words is 'drop'; allowed are 'skip', 'oov'"),
        ({"num_words": 2}, "oov_char is 2; num_words=2 allows ids from 0 to 1"),
    ],
)
def test_wrong_options(option, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(WORDS, **option)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "at least one word"),
        (("a", "b c"), "word 2 of the vocabulary is 'b c'; it has to be a str without spaces"),
        (("a", ""), "word 2 of the vocabulary is ''"),
        (("a", 3), "word 2 of the vocabulary is 3"),
        (("a", "b", "a"), "contains the word 'a' 2 times"),
    ],
)
def test_wrong_words(words, message):
    with pytest.raises(InputError, match=message):
        Vocabulary(words)


def test_from_keras_word_index_sorts_by_rank(tmp_path):
    path = tmp_path / "index.json"
    path.write_text(json.dumps({"b": 2, "é": 3, "a": 1}))
    assert Vocabulary.from_keras_word_index(path, num_words=9).words == ("a", "b", "é")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "is not JSON"),
        (b"\xff\xfe\xff", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b'["a"]', r"JSON object that maps words to ranks, not \['a'\]"),
        (b"{}", "JSON object that maps words to ranks"),
        (b'{"a": 1, "b": 3}', "the rank of 'b' is 3; 2 words have the ranks 1 to 2"),
        (b'{"a": 0, "b": 1}', "the rank of 'a' is 0"),
        (b'{"a": 1, "b": 1}', "the words 'a' and 'b' have the same rank 1"),
        (b'{"a": true}', "the rank of 'a' is True"),
        (b'{"a": 1.0}', r"the rank of 'a' is 1\.0"),
        (b'{"a": "1"}', "the rank of 'a' is '1'"),
        (b'{"a b": 1}', "word 1 of the vocabulary is 'a b'"),
        (b'{"a": NaN}', "the rank of 'a' is nan"),
    ],
)
def test_a_wrong_word_index_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "index.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as error:
        Vocabulary.from_keras_word_index(path)
    assert str(path) in str(error.value)


def test_a_missing_word_index(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the word index .*nowhere\.json: No such file"):
        Vocabulary.from_keras_word_index(tmp_path / "nowhere.json")
    with pytest.raises(InputError, match=r"cannot read the word index .*: Is a directory"):
        Vocabulary.from_keras_word_index(tmp_path)


@pytest.mark.imdb
def test_the_rule_gives_the_words_and_counts_of_keras_own_index(imdb_texts, keras_word_index):
    texts = imdb_texts["train"].texts
    ours = Vocabulary.from_texts(texts, Tokenizer())
    theirs = Vocabulary.from_keras_word_index(keras_word_index)
    assert len(ours.words) == 88_584
    assert set(ours.words) == set(theirs.words)
    counts = Counter(word for words in Tokenizer().map(texts) for word in words)
    # Ranks are ranks by count: along their order the counts never rise, so only ties can differ from ours.
    assert [counts[word] for word in theirs.words] == [counts[word] for word in ours.words]


def test_rare_words_can_be_left_out():
    texts = ["a b a c", "b a"]
    assert Vocabulary.from_texts(texts, Tokenizer(), min_count=2).words == ("a", "b")
    assert Vocabulary.from_texts(texts, Tokenizer(), min_count=3).words == ("a",)
    with pytest.raises(InputError, match=r"min_count is 4, but the most frequent word, 'a', .* 3 times"):
        Vocabulary.from_texts(texts, Tokenizer(), min_count=4)
    with pytest.raises(InputError, match="min_count is 0; allowed are whole numbers from 1 on"):
        Vocabulary.from_texts(texts, Tokenizer(), min_count=0)


@given(
    num_words=st.none() | st.integers(4, 16),
    skip_top=st.integers(0, 9),
    start_char=st.none() | st.integers(0, 5),
    oov_char=st.none() | st.integers(0, 3),
    index_from=st.integers(0, 6),
)
def test_ids_of_their_own_are_those_that_decode_to_the_word(**options):
    vocabulary = Vocabulary(WORDS, **options)
    expected = {}
    for word in WORDS:
        ids = Vocabulary(WORDS, **{**options, "start_char": None}).encode([word])
        if ids and ids[0] not in (options["start_char"], options["oov_char"]):
            expected[word] = ids[0]
            assert vocabulary.decode(ids) == [word]
    assert vocabulary.word_ids() == expected
