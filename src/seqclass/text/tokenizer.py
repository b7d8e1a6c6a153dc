"""From a text to its tokens: words, matches of a regular expression, or characters."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from seqclass.checks import check_choice
from seqclass.errors import InputError
from seqclass.text.base_tokenizer import BaseTokenizer, check_text, checked_texts
from seqclass.text.numbered import NumberedTexts, number_words
from seqclass.text.pieces import number_pieces
from seqclass.text.token_pattern import TokenPattern

TokenizerKind = Literal["words", "regex", "characters"]
Lower = Literal["ascii", "unicode", "none"]
StripHtml = bool | Literal["breaks"]

KERAS_FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
"""What Keras replaces by a space: ASCII punctuation except the apostrophe, tab and newline."""

OTHER_WHITE_SPACE = "\r\f\v\x1c\x1d\x1e\x1f\x85\xa0\u1680" + (
    "\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
"""All white space of Unicode but the space and what Keras replaces."""

SPACE_MARK = "▁"
"""Replaces a space within a token (U+2581, as in SentencePiece): vocabularies are kept with spaces between words."""

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_LINE_BREAK = re.compile(r"</?br\s*/?>", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Tokenizer(BaseTokenizer):
    """Splits a text into tokens; by default as Keras did for its IMDB data.

    HTML is replaced, letters are lower-cased, each character of `filters` becomes a space, and then the text is split:

    - "words" splits on spaces. Only the space splits: other white space (carriage return, no-break space) stays
      inside its word unless it is in `filters`.
    - "regex" takes what `token_pattern` matches; see `TokenPattern`.
    - "characters" takes every character (code point); white space in a row is one, and none at the ends.

    A space within a token becomes "▁". The defaults are the rule that gives the 88,584 words of Keras' IMDB index,
    with the same counts.

    Args:
        kind: "words", "regex" or "characters".
        token_pattern: the regular expression of "regex", such as `\\w+|[.!?]`; None for the others.
        lower: "ascii" lower-cases A to Z only, so that É stays É (the rule behind Keras' IMDB index);
            "unicode" lower-cases every letter (Keras' `text_to_word_sequence`); "none" keeps the case.
        filters: the characters that are replaced by a space, after lower-casing.
        strip_html: replace tags by a space first: "breaks" only line breaks such as `<br />`, True all of them. Keras'
            rule does not, and so turns `<br />` into the word "br".

    Raises:
        InputError: if an option has a wrong value.
    """

    kind: TokenizerKind = "words"
    token_pattern: str | None = None
    lower: Lower = "ascii"
    filters: str = KERAS_FILTERS
    strip_html: StripHtml = False

    def __post_init__(self) -> None:
        check_choice("tokenizer", self.kind, get_args(TokenizerKind))
        check_choice("lower", self.lower, get_args(Lower))
        if not isinstance(self.filters, str):
            raise InputError(f"filters is {self.filters!r}; it has to be a str of the characters to replace")
        if not isinstance(self.strip_html, bool) and self.strip_html != "breaks":
            raise InputError(f"strip_html is {self.strip_html!r}; allowed are True, False and 'breaks'")
        if (self.token_pattern is not None) != (self.kind == "regex"):
            raise InputError(
                f"token_pattern is {self.token_pattern!r:.80} and the tokenizer {self.kind!r}; 'regex' needs a "
                "pattern, and the others take none"
            )
        if self.kind == "regex":
            self._pattern  # reports a wrong one now  # noqa: B018

    def __call__(self, text: str) -> list[str]:
        """Return the tokens of `text` in order; none of them is empty or contains a space.

        Raises:
            InputError: if `text` is not a str, or `token_pattern` takes too long on it.
        """
        check_text(text)
        normal = self._normal(text)
        if self.kind == "words":
            return list(filter(None, normal.split(" ")))
        if self.kind == "characters":
            return list(SPACE_MARK.join(normal.split()))
        return [token.replace(" ", SPACE_MARK) for token in self._pattern.tokens(normal)]

    def pieces(self, texts: Sequence[str]) -> NumberedTexts:
        """Split texts at the spaces, unless a word may reach beyond one; see `BaseTokenizer`."""
        if self._words_are_within_pieces:
            return number_pieces([self._normal_bytes(text) for text in checked_texts(texts)])
        return super().pieces(texts)

    def words_of_pieces(self, pieces: Sequence[str]) -> NumberedTexts:
        """Return the words of distinct pieces; see `BaseTokenizer`."""
        if self.kind == "regex" and self._pattern.is_within_pieces:
            return self._pattern.tokens_of_pieces(pieces)
        return number_words([piece] if piece else [] for piece in pieces)  # between two spaces there is none

    @property
    def _words_are_within_pieces(self) -> bool:
        return self.kind == "words" or (self.kind == "regex" and self._pattern.is_within_pieces)

    def _normal(self, text: str) -> str:
        """Return the text without HTML, lower-cased, and with spaces for the filters."""
        return self._normal_bytes(text).decode("utf-8", "surrogatepass")

    def _normal_bytes(self, text: str) -> bytes:
        """Return the same as UTF-8."""
        if self.strip_html:
            text = (_LINE_BREAK if self.strip_html == "breaks" else _TAG).sub(" ", text)
        if self.lower == "unicode":
            text = text.lower()
        if self._wide_table:
            text = text.translate(self._wide_table)
        # bytes.translate does lower-casing and filters in one pass, nearly twice as fast as str.translate.
        # "surrogatepass" leaves lone surrogates, which a str may contain, unchanged.
        return text.encode("utf-8", "surrogatepass").translate(self._byte_table)

    @cached_property
    def _pattern(self) -> TokenPattern:
        return TokenPattern(self.token_pattern)

    @cached_property
    def _byte_table(self) -> bytes:
        """What each byte of the UTF-8 form becomes; bytes from 128 on, parts of longer characters, stay."""
        table = bytearray(range(256))
        for code in range(128):
            char = chr(code).lower() if self.lower == "ascii" else chr(code)
            table[code] = ord(" " if char in self.filters else char)
        return bytes(table)

    @cached_property
    def _wide_table(self) -> dict[int, str]:
        """The filters outside ASCII, which the table of bytes cannot hold."""
        return {ord(char): " " for char in self.filters if not char.isascii()}
