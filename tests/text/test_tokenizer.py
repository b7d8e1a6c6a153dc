import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import KERAS_FILTERS, Tokenizer


def keras_words(text: str, *, filters: str, lower: str) -> list[str]:
    """Keras' rule, one character after the other."""
    if lower == "unicode":
        text = text.lower()
    if lower == "ascii":
        text = "".join(c.lower() if "A" <= c <= "Z" else c for c in text)
    text = "".join(" " if c in filters else c for c in text)
    return [word for word in text.split(" ") if word]


def test_the_filters_are_those_of_keras():
    assert KERAS_FILTERS == '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
    assert "'" not in KERAS_FILTERS


def test_default_rule_lowers_ascii_only_and_keeps_the_apostrophe():
    assert Tokenizer()("It's CAFÉ-Élan, isn't it?\n(Yes)\t_10/10_") == [
        *("it's", "cafÉ", "Élan", "isn't", "it", "yes", "10", "10")
    ]


def test_the_rule_of_keras_leaves_other_white_space_in_words():
    assert Tokenizer()("thin\u2009space wide\u3000space line\u2028end") == [
        "thin\u2009space",
        "wide\u3000space",
        "line\u2028end",
    ]


def test_only_the_space_and_the_filters_split():
    assert Tokenizer()("a\rb\x0bc\x0cd\x1ce\x85f\xa0g h\u2003i") == ["a\rb\x0bc\x0cd\x1ce\x85f\xa0g", "h\u2003i"]


def test_br_becomes_a_word_unless_html_is_stripped():
    text = "bad.<br /><br />Good<BR>so<br/>so <b>x</b> 1 < 2 > 0 <3"
    assert Tokenizer()(text).count("br") == 4
    assert Tokenizer(strip_html=True)(text) == ["bad", "good", "so", "so", "x", "1", "2", "0", "3"]


@pytest.mark.parametrize("spelling", ["<br />", "<br/>", "<br>", "<BR>", "</br>", "<br\n/>"])
def test_line_breaks_alone_become_spaces(spelling):
    assert Tokenizer(strip_html="breaks")(f"bad{spelling}{spelling}good <b>x</b> <brand>") == [
        *("bad", "good", "b", "x", "b", "brand")
    ]


@pytest.mark.parametrize(
    ("lower", "expected"), [("ascii", "Éx"), ("unicode", "éx"), ("none", "ÉX")], ids=["ascii", "unicode", "none"]
)
def test_lower(lower, expected):
    assert Tokenizer(lower=lower)("ÉX") == [expected]


def test_every_alphabet_is_lower_cased_by_unicodes_own_rules():
    lowered = Tokenizer(lower="unicode")("STRASSE STRAẞE straße İSTANBUL ΟΔΟΣ ΣΑΣ ДЖЕДАЙ ǅ")
    # İ is an i and a dot above; a sigma at the end of a word is ς; ß is not ss.
    assert lowered == ["strasse", "straße", "straße", "i\u0307stanbul", "οδος", "σας", "джедай", "ǆ"]


class TestRegex:
    def test_punctuation_can_be_tokens(self):
        tokenizer = Tokenizer(kind="regex", token_pattern=r"\w+|[.!?]", lower="unicode", filters="")
        assert tokenizer("Is it GOOD?\nÉlan!") == ["is", "it", "good", "?", "élan", "!"]

    def test_the_pattern_sees_the_text_lower_cased_filtered_and_without_html(self):
        tokenizer = Tokenizer(kind="regex", token_pattern=r"\S+", filters="-", strip_html=True)
        assert tokenizer("A-b<br />C") == ["a", "b", "c"]

    def test_spaces_within_a_token_are_marked(self):
        assert Tokenizer(kind="regex", token_pattern=r"\w+ \w+")("new york is big") == ["new▁york", "is▁big"]

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"kind": "regex"}, "token_pattern is None and the tokenizer 'regex'; 'regex' needs a pattern"),
            ({"token_pattern": "x"}, "token_pattern is 'x' and the tokenizer 'words'"),
            ({"kind": "regex", "token_pattern": "("}, "token_pattern '\\(' is not a regular expression"),
            ({"kind": "subwords"}, "tokenizer is 'subwords'; allowed are 'words', 'regex', 'characters'"),
        ],
    )
    def test_wrong_options_are_refused_at_once(self, options, message):
        with pytest.raises(InputError, match=message):
            Tokenizer(**options)


def test_characters():
    tokenizer = Tokenizer(kind="characters", filters="", lower="unicode")
    assert tokenizer(" Né, \t\n\u3000so!") == [*"né,▁so!"]
    assert tokenizer("好的 \U0001f600") == ["好", "的", "▁", "\U0001f600"]


@given(
    text=st.text(st.characters(codec=None)),
    how=st.sampled_from([{"kind": "characters"}, {"kind": "regex", "token_pattern": r"\w+ ?|[^\w\s]"}]),
    strip_html=st.sampled_from([True, False, "breaks"]),
)
def test_whatever_the_text_its_tokens_hold_no_space(text, how, strip_html):
    assert all(token and " " not in token for token in Tokenizer(filters="", strip_html=strip_html, **how)(text))


def test_filters_outside_ascii_are_replaced_too():
    assert Tokenizer(filters="–é,")("a–b,cafés") == ["a", "b", "caf", "s"]


@given(
    text=st.text(st.characters(codec=None) | st.sampled_from("aB É\t\n\r,.\ud800")),
    filters=st.sampled_from([KERAS_FILTERS, "", "aé–", "A", "\x85\u2003"]),
    lower=st.sampled_from(["ascii", "unicode", "none"]),
)
def test_equal_to_the_rule_character_by_character(text, filters, lower):
    words = Tokenizer(filters=filters, lower=lower)(text)
    assert words == keras_words(text, filters=filters, lower=lower)
    assert all(word and " " not in word for word in words)


@pytest.mark.parametrize("empty", ["", "   ", "...!\n\t"])
def test_a_text_without_words(empty):
    assert Tokenizer()(empty) == []


def test_map_names_the_position_of_what_is_no_text():
    with pytest.raises(InputError, match=r"text 1 has to be a str, not float: nan"):
        list(Tokenizer().map(["a", float("nan")]))
    with pytest.raises(InputError, match="texts is a single str"):
        list(Tokenizer().map("a b"))
    with pytest.raises(InputError, match="has to be a str, not bytes"):
        Tokenizer()(b"a")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"lower": True}, "lower is True; allowed are 'ascii', 'unicode', 'none'"),
        ({"filters": None}, "filters is None"),
        ({"strip_html": 1}, "strip_html is 1; allowed are True, False and 'breaks'"),
        ({"strip_html": "tags"}, "strip_html is 'tags'"),
    ],
)
def test_wrong_options(option, message):
    with pytest.raises(InputError, match=message):
        Tokenizer(**option)


@given(
    text=st.text(),
    lower=st.sampled_from(["ascii", "unicode", "none"]),
    strip_html=st.sampled_from([True, False, "breaks"]),
)
def test_whatever_the_text_its_words_are_words(text, lower, strip_html):
    words = Tokenizer(lower=lower, strip_html=strip_html)(text)
    assert all(word and not set(word) & set(KERAS_FILTERS + " ") for word in words)
    assert Tokenizer(lower=lower)(" ".join(words)) == words


@given(
    texts=st.lists(st.text(st.characters(codec=None) | st.sampled_from("aB's.1 <>\t\n\u0301")), max_size=5),
    how=st.sampled_from(
        [
            {"kind": "words"},
            {"kind": "characters"},
            {"kind": "regex", "token_pattern": r"\w+(?:'\w+)?|[^\w\s]"},
            {"kind": "regex", "token_pattern": r"\w+ ?|\S"},
        ]
    ),
    filters=st.sampled_from(["", "é'", KERAS_FILTERS]),
    strip_html=st.sampled_from([True, False, "breaks"]),
)
def test_the_words_of_pieces_are_those_of_the_text(texts, how, filters, strip_html):
    tokenizer = Tokenizer(filters=filters, strip_html=strip_html, **how)
    pieces = tokenizer.pieces(texts)
    words = tokenizer.words_of_pieces(pieces.words)
    numbers = words.numbers.joined_rows(pieces.numbers)
    assert [[words.words[i] for i in numbers[row]] for row in range(len(numbers))] == list(map(tokenizer, texts))
    assert len(set(words.words)) == len(words.words)


def test_pieces_name_the_position_of_what_is_no_text():
    for kind in ("words", "characters"):
        with pytest.raises(InputError, match=r"text 1 has to be a str, not float: nan"):
            Tokenizer(kind=kind).pieces(["a", float("nan")])
