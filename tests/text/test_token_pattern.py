import copy
import pickle
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import token_pattern
from seqclass.text.token_pattern import TokenPattern


@pytest.mark.parametrize(
    ("pattern", "tokens"),
    [
        (r"\w+|[.!?]", ["Don", "t", "stop", "3", ".", "5", "née", "!"]),
        (r"\p{Lu}\w*", ["Don"]),
        (r"(?:\d)\.(\d)", ["5"]),
        (r"x*", []),
    ],
)
def test_what_is_matched_or_in_the_group_is_a_token(pattern, tokens):
    assert TokenPattern(pattern).tokens("Don't stop: 3.5 née!") == tokens


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (None, "token_pattern is None; it has to be a regular expression of 1 to 1000 characters"),
        ("", "token_pattern is ''; it has to be"),
        ("a" * 1001, "token_pattern is 'aaaa.*; it has to be"),
        (r"\w+|(", r"token_pattern '\\\\w\+\|\(' is not a regular expression: missing \) at position 5"),
        ("[z-a]", r"is not a regular expression: bad character range at position 4"),
        (r"(a)(b)", r"token_pattern '\(a\)\(b\)' has 2 groups; at most one"),
    ],
)
def test_what_is_no_pattern(pattern, message):
    with pytest.raises(InputError, match=message):
        TokenPattern(pattern)


def test_a_pattern_that_backtracks_without_end_is_stopped(monkeypatch):
    monkeypatch.setattr(token_pattern, "SECONDS_PER_TEXT", 0.2)
    started = time.perf_counter()
    with pytest.raises(InputError, match=r"token_pattern '\(\?:a\|a\)\+b' took more than 0\.2 s on a text of 64 char"):
        TokenPattern("(?:a|a)+b").tokens("a" * 64)
    assert time.perf_counter() - started < 10


def test_can_be_copied_and_pickled():
    pattern = TokenPattern(r"\w+")
    for again in (copy.deepcopy(pattern), pickle.loads(pickle.dumps(pattern))):
        assert again.tokens("a b") == ["a", "b"]


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_the_pattern_it_is_tokens_or_one_clear_error(pattern, text):
    try:
        tokens = TokenPattern(pattern).tokens(text)
    except InputError as error:
        assert "token_pattern" in str(error)  # noqa: PT017
    else:
        assert all(token and token in text for token in tokens)


USUAL = [
    r"\w+",
    r"\w+|[^\w\s]",
    r"\w+(?:'\w+)?|[^\w\s]",
    r"[a-z0-9]+(?:'[a-z]+)*|[.,!?]",
    r"\w|\d+(?:[.,]\d+)*|\$|[é-ž]+(?:-\w)?",
]


@pytest.mark.parametrize("pattern", USUAL)
@pytest.mark.parametrize("text", ["a" * 300_000, "a'" * 300_000, "'" * 300_000, "a'a " * 100_000, "é́" * 300_000])
def test_the_usual_patterns_need_no_time_limit(pattern, text):
    began = time.process_time()
    assert TokenPattern(pattern).is_within_pieces
    TokenPattern(pattern).tokens(text)
    assert time.process_time() - began < token_pattern.SECONDS_PER_TEXT / 4


@pytest.mark.parametrize("pattern", USUAL)
def test_without_a_time_limit_they_find_the_same(pattern):
    text = "It's 5 o'clock; don''t (yet) 'quote' \u00e9t\u00e9_1 \u4f60\u597d ... rock'n'roll\n"
    limited = TokenPattern(f"(?:{pattern})")
    assert not limited.is_within_pieces
    assert TokenPattern(pattern).tokens(text) == limited.tokens(text)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\w+ \w+", r"\S+", r"\W", r".", r"a.c", r"[^a]+", r"[^\w]", r"[ -~]+", "[\x01-z]+", r"\s+", r"[\s\w]+"),
        *(r"\bno\b", r"^\w+", r"\w+$", r"(?<=a)b", r"a(?= )", r"\w+(?! )", r"\p{L}+", r"[[:space:]]+"),
        *(r"(\w)+", r"(?:a+)+b", r"\w+\w+x", r"\w+(?:'\w+)", r"a*", r"a?", r"a{2,}", r"(?i)a", r"a||b", r"\w+?", "a|"),
    ],
)
def test_what_could_match_a_space_look_around_or_backtrack_is_none_of_them(pattern):
    assert not TokenPattern(pattern).is_within_pieces


CHARACTERS = st.sampled_from([r"\w", r"\d", "a", "'", "é", r"\.", "[a-c']", "[^\\w\\s]", "[^a\\s.]", "[.!?]", r"[\d-]"])
ALTERNATIVES = st.tuples(
    CHARACTERS,
    st.sampled_from(["", "+"]),
    st.one_of(
        st.just(""),
        st.tuples(CHARACTERS, CHARACTERS, st.sampled_from([")?", "+)?", ")*", "+)*"])).map(
            lambda parts: f"(?:{''.join(parts)}"
        ),
    ),
).map("".join)


@given(
    pattern=st.lists(ALTERNATIVES, min_size=1, max_size=3).map("|".join),
    pieces=st.lists(st.text(st.sampled_from("ab'é.1-\u0301\x00\n\u2003\ud800")), max_size=5),
)
def test_the_tokens_of_pieces_are_those_of_the_text(pattern, pieces):
    usual = TokenPattern(pattern)
    assert usual.is_within_pieces
    found = usual.tokens_of_pieces(pieces)
    assert len(found) == len(pieces)
    for number, piece in enumerate(pieces):
        assert [found.words[i] for i in found.numbers[number]] == usual.tokens(piece)
    assert len(set(found.words)) == len(found.words)
    whole = TokenPattern(f"(?:{pattern})")  # searched as a whole
    assert [found.words[i] for i in found.numbers.values] == whole.tokens(" ".join(pieces))
