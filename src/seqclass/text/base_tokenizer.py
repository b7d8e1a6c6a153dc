"""The interface of all tokenizers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from seqclass.errors import InputError
from seqclass.text.numbered import NumberedTexts, number_words
from seqclass.text.ragged import RaggedIds


@dataclass(frozen=True, kw_only=True)
class BaseTokenizer(ABC):
    """Splits texts into words. The fields of a subclass are plain values, which are saved in checkpoints."""

    @abstractmethod
    def __call__(self, text: str) -> list[str]:
        """Return the words of `text` in order; none of them is empty or contains a space.

        Raises:
            InputError: if `text` is not a str.
        """

    def map(self, texts: Iterable[str]) -> Iterator[list[str]]:
        """Yield the words of each text.

        Raises:
            InputError: if `texts` is a single str, or one of them is not a str; the message has its position.
        """
        return map(self, checked_texts(texts))

    def pieces(self, texts: Sequence[str]) -> NumberedTexts:
        """Split texts into pieces whose words do not depend on what is around them; by default the words themselves.

        There are few distinct ones, and each is looked at once (`words_of_pieces`).

        Raises:
            InputError: if one of the texts is not a str; the message has its position.
        """
        return number_words(self.map(texts))

    def words_of_pieces(self, pieces: Sequence[str]) -> NumberedTexts:
        """Return the words of distinct pieces, as `pieces` makes them; a text is a piece here."""
        return NumberedTexts(list(pieces), RaggedIds(np.arange(len(pieces)), np.arange(len(pieces) + 1)))


def checked_texts(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts.

    Raises:
        InputError: `texts` is a single str, or one of them is not a str; the message has its position.
    """
    if isinstance(texts, str):
        raise InputError(f"texts is a single str ({texts!r:.80}); give a list of texts")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputError(f"text {position} has to be a str, not {type(text).__name__}: {text!r:.80}")
        yield text


def check_text(text: object) -> None:
    """Raise InputError if it is not a str."""
    if not isinstance(text, str):
        raise InputError(f"a text has to be a str, not {type(text).__name__}: {text!r:.80}")
