from hypothesis import given
from hypothesis import strategies as st

from seqclass.text import in_chunks, pieces
from seqclass.text.numbered import number_words
from seqclass.text.pieces import number_pieces

LETTERS = st.sampled_from("ab\x00é\u4f60\ud800")
PIECES = st.one_of(st.text(LETTERS, max_size=3), st.text(LETTERS, min_size=5, max_size=9))
TEXTS = st.lists(st.lists(PIECES, max_size=8).map(" ".join), max_size=8)


def assert_as_split(texts):
    found = number_pieces([text.encode("utf-8", "surrogatepass") for text in texts])
    expected = number_words(text.split(" ") for text in texts)
    assert found.words == expected.words
    assert found.numbers.values.tolist() == expected.numbers.values.tolist()
    assert found.numbers.offsets.tolist() == expected.numbers.offsets.tolist()


@given(TEXTS)
def test_the_same_as_splitting_and_a_dict(texts):
    assert_as_split(texts)


def test_pieces_about_the_length_of_a_key():
    words = [letter * length for length in range(20) for letter in "aab"] + ["a" * 15 + "b", "a" * 14 + "b"]
    assert_as_split([" ".join(words), " ".join(reversed(words)), "", " "])


def test_whatever_collides(monkeypatch):
    words = " ".join(f"{number:x}" for number in range(300))
    monkeypatch.setattr(pieces, "_MULTIPLIERS", (0, 0))  # all share one slot
    assert_as_split([words, words])


def test_chunks_end_with_the_text_that_reaches_a_limit(monkeypatch):
    monkeypatch.setattr(pieces, "CHUNK_CHARACTERS", 5)
    monkeypatch.setattr(pieces, "CHUNK_TEXTS", 3)
    texts = ["ab", "cde", "f", "", "g", "h" * 9, "i"]
    assert list(in_chunks(texts, len)) == [["ab", "cde"], ["f", "", "g"], ["h" * 9], ["i"]]
    assert list(in_chunks([], len)) == []
