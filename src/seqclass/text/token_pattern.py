"""Regular expressions from a config or a checkpoint of unknown origin.

They are run by the `regex` package, because Python's `re` cannot be interrupted: by backtracking, the time of a
pattern such as `(a+)+b` doubles with each letter of the text.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import regex

from seqclass.errors import InputError
from seqclass.text.numbered import NumberedTexts, numbering
from seqclass.text.ragged import RaggedIds

MAX_LENGTH = 1000
"""The longest pattern, in characters."""

SECONDS_PER_TEXT = 10.0
"""The search is given up after them. A reasonable pattern reads ten million characters in less."""

# The usual patterns, such as `\w+(?:'\w+)?|[^\w\s]`: alternatives of a class of characters, or a run of it and perhaps
# continuations, none of which holds the space. Nothing that has to match follows a repetition, so there is no
# backtracking: whatever the text, an alternative reads a character three times at most.
_CHARACTER = r"[^\x00-\x20\\\[\]^&~|]"
_CLASS = (
    rf"(?:\\[wd.+*?$|]|[^\x00-\x20\\\[\](){{}}.*+?^$|#]|\[(?:\\[wd]|{_CHARACTER})+\]"
    rf"|\[\^(?:\\[wd]|{_CHARACTER})*\\s(?:\\[wd]|{_CHARACTER})*\])"
)
_ALTERNATIVE = rf"{_CLASS}\+?(?:\(\?:{_CLASS}{_CLASS}\+?\)[*?])?"
_WITHIN_PIECES = re.compile(rf"{_ALTERNATIVE}(?:\|{_ALTERNATIVE})*")


class TokenPattern:
    """Finds the tokens of a text: what the pattern matches, or what its group holds if it has one.

    Args:
        pattern: a regular expression, such as `\\w+|[.!?]`; `regex`'s own syntax, which knows Python's and
            `\\p{L}`, has at most one group.

    Attributes:
        is_within_pieces: known to match no space, nor to look beyond one, so that the tokens of a text are those of the
            pieces between its spaces; True for the usual patterns.

    Raises:
        InputError: it is not such a pattern; the message shows it, and where the mistake is.
    """

    def __init__(self, pattern: Any) -> None:
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_LENGTH:
            raise InputError(
                f"token_pattern is {pattern!r:.80}; it has to be a regular expression of 1 to {MAX_LENGTH} characters"
            )
        try:
            self._compiled = regex.compile(pattern)
        except regex.error as error:
            raise InputError(f"token_pattern {pattern!r} is not a regular expression: {error}") from error
        except (RecursionError, OverflowError, MemoryError) as error:
            raise InputError(f"token_pattern {pattern!r:.80} cannot be compiled: {error}") from error
        if self._compiled.groups > 1:
            raise InputError(
                f"token_pattern {pattern!r} has {self._compiled.groups} groups; at most one may mark the token "
                "within a match, the others are written (?:...)"
            )

        self.is_within_pieces = _WITHIN_PIECES.fullmatch(pattern) is not None
        # Looking at the clock takes as long as the search itself.
        self._timeout = None if self.is_within_pieces else SECONDS_PER_TEXT

    def tokens_of_pieces(self, pieces: Sequence[str]) -> NumberedTexts:
        """Find the tokens of pieces without spaces, of a pattern that `is_within_pieces`."""
        # One search over all: the space, which the pattern cannot match, is a token between the pieces, with number 0.
        number_of: defaultdict[str, int] = numbering()
        number_of[" "]
        found = regex.findall(f"{self._compiled.pattern}| ", " ".join(pieces))
        numbers = np.fromiter(map(number_of.__getitem__, found), dtype=np.int64, count=len(found))
        is_token = numbers > 0
        ends = np.append(np.cumsum(is_token)[~is_token], is_token.sum())
        offsets = np.append(0, ends[: len(pieces)])
        return NumberedTexts(list(number_of)[1:], RaggedIds(numbers[is_token] - 1, offsets))

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of `text` in order, none of them empty.

        Raises:
            InputError: if the search takes longer than `SECONDS_PER_TEXT`.
        """
        try:
            return list(filter(None, self._compiled.findall(text, timeout=self._timeout)))
        except TimeoutError as error:
            raise InputError(
                f"token_pattern {self._compiled.pattern!r} took more than {SECONDS_PER_TEXT:g} s on a text of "
                f"{len(text):,} characters, {text!r:.40}: it backtracks too much; avoid repetitions within repetitions"
            ) from error
