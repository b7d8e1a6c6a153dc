"""What one request may ask for."""

from dataclasses import dataclass, fields

from seqclass.checks import check_whole


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Bounds on a request; what is beyond them is refused before the model sees it.

    Args:
        max_texts: texts in a request.
        max_characters: characters in a text.
        max_explained: texts in a request that asks for explanations: each costs as many passes as it has words.
        max_explained_words: words that the model reads of a text that is explained.
        max_bytes: of the request's body.
        timeout: seconds after which a request that has no answer gets the status 504.

    Raises:
        InputError: one is not a whole number, or below 1.
    """

    max_texts: int = 256
    max_characters: int = 20_000
    max_explained: int = 4
    max_explained_words: int = 1_000
    max_bytes: int = 4 << 20
    timeout: int = 30

    def __post_init__(self) -> None:
        for field in fields(self):
            check_whole(field.name, getattr(self, field.name), least=1)
