"""The interface of all tokenizers."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seqclass.errors import InputError


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
        if isinstance(texts, str):
            raise InputError(f"texts is a single str ({texts!r:.80}); give a list of texts")
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise InputError(f"text {position} has to be a str, not {type(text).__name__}: {text!r:.80}")
            yield self(text)


def check_text(text: object) -> None:
    """Raise InputError if it is not a str."""
    if not isinstance(text, str):
        raise InputError(f"a text has to be a str, not {type(text).__name__}: {text!r:.80}")
