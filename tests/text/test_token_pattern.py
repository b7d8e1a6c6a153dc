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


@pytest.mark.parametrize("pattern", sorted(token_pattern._WITHOUT_BACKTRACKING))
@pytest.mark.parametrize("text", ["a" * 300_000, "a'" * 300_000, "'" * 300_000, "a'a " * 100_000, "é́" * 300_000])
def test_the_usual_patterns_need_no_time_limit(pattern, text):
    began = time.process_time()
    TokenPattern(pattern).tokens(text)
    assert time.process_time() - began < token_pattern.SECONDS_PER_TEXT / 4


@pytest.mark.parametrize("pattern", sorted(token_pattern._WITHOUT_BACKTRACKING))
def test_without_a_time_limit_they_find_the_same(pattern):
    text = "It's 5 o'clock; don''t (yet) 'quote' \u00e9t\u00e9_1 \u4f60\u597d ... rock'n'roll\n"
    assert TokenPattern(pattern).tokens(text) == TokenPattern(f"(?:{pattern})").tokens(text)
