"""From a text to its tokens as Keras' `TextVectorization` does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal, get_args

from seqclass.checks import check_choice, check_whole
from seqclass.errors import InputError
from seqclass.text.base_tokenizer import BaseTokenizer, check_text
from seqclass.text.tokenizer import SPACE_MARK

Standardize = Literal["lower_and_strip_punctuation", "lower", "strip_punctuation"]
Split = Literal["whitespace", "character"]

_PUNCTUATION = b"!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'"
_LARGEST_NGRAM = 100


@dataclass(frozen=True, kw_only=True)
class KerasTokenizer(BaseTokenizer):
    """Splits a text as TensorFlow's string operations do for `TextVectorization`.

    Only the letters A to Z are lower-cased, and only ASCII counts as white space. Punctuation, the apostrophe included,
    is removed, not replaced by a space: "don't" becomes "dont", and "well-made" becomes "wellmade". A space within a
    token becomes "▁", as in `Tokenizer`.

    Args:
        standardize: what happens before the text is split; None for nothing.
        split: at white space, or into characters (code points); None leaves the text whole.
        ngrams: lengths of the runs of tokens that are given, those of the first length first, joined by spaces; None
            for the tokens alone.

    Raises:
        InputError: an option has a wrong value.
    """

    standardize: Standardize | None = "lower_and_strip_punctuation"
    split: Split | None = "whitespace"
    ngrams: Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.standardize is not None:
            check_choice("standardize", self.standardize, get_args(Standardize))
        if self.split is not None:
            check_choice("split", self.split, get_args(Split))
        if self.ngrams is not None:
            object.__setattr__(self, "ngrams", tuple(self.ngrams))
            for size in self.ngrams:
                check_whole("ngrams", size, least=1)
                if size > _LARGEST_NGRAM:
                    raise InputError(f"ngrams has {size}; at most {_LARGEST_NGRAM} tokens are joined")

    def __call__(self, text: str) -> list[str]:
        """Return the tokens of `text` in order.

        Raises:
            InputError: if `text` is not a str.
        """
        check_text(text)
        # Lone surrogates, which a str may hold, are let through unchanged.
        data = text.encode("utf-8", "surrogatepass")
        if self.standardize in ("lower", "lower_and_strip_punctuation"):
            data = data.lower()
        if self.standardize in ("strip_punctuation", "lower_and_strip_punctuation"):
            data = data.translate(None, _PUNCTUATION)
        if self.split == "whitespace":
            tokens = [token.decode("utf-8", "surrogatepass") for token in data.split()]
        else:
            whole = data.decode("utf-8", "surrogatepass")
            tokens = list(whole) if self.split == "character" else list(filter(None, [whole]))
        if self.ngrams is not None:
            tokens = list(chain.from_iterable(_runs(tokens, size) for size in self.ngrams))
        return [token.replace(" ", SPACE_MARK) for token in tokens]


def _runs(tokens: list[str], size: int) -> list[str]:
    return [" ".join(tokens[start : start + size]) for start in range(len(tokens) - size + 1)]
