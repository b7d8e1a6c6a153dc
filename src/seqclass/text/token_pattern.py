"""Regular expressions that come from a config or from a checkpoint, whoever wrote it.

They are run by the `regex` package, because Python's `re` cannot be stopped: a pattern such as `(a+)+b` needs, by
backtracking, twice the time for each further letter of a text.
"""

from typing import Any

import regex

from seqclass.errors import InputError

MAX_LENGTH = 1000
"""Of a pattern, in characters."""

SECONDS_PER_TEXT = 10.0
"""After these the search is given up. An honest pattern reads ten million characters in less."""


class TokenPattern:
    """Finds the tokens of a text: what the pattern matches, or what its group holds if it has one.

    Args:
        pattern: a regular expression, such as `\\w+|[.!?]`; `regex`'s own syntax, which knows Python's and
            `\\p{L}`, has at most one group.

    Raises:
        InputError: if it is no such pattern; the message has it, and the place of the fault.
    """

    def __init__(self, pattern: Any) -> None:
        if not isinstance(pattern, str) or not 0 < len(pattern) <= MAX_LENGTH:
            raise InputError(
                f"token_pattern is {pattern!r:.80}; it has to be a regular expression of 1 to {MAX_LENGTH} characters"
            )
        try:
            self._compiled = regex.compile(pattern)
        except regex.error as error:
            raise InputError(f"token_pattern {pattern!r} is no regular expression: {error}") from error
        except (RecursionError, OverflowError, MemoryError) as error:
            raise InputError(f"token_pattern {pattern!r:.80} cannot be compiled: {error}") from error
        if self._compiled.groups > 1:
            raise InputError(
                f"token_pattern {pattern!r} has {self._compiled.groups} groups; one at most says what of a match is "
                "the token, the others are written (?:...)"
            )

    def tokens(self, text: str) -> list[str]:
        """Return the tokens of `text` in order, none of them empty.

        Raises:
            InputError: if the search takes longer than `SECONDS_PER_TEXT`.
        """
        try:
            return list(filter(None, self._compiled.findall(text, timeout=SECONDS_PER_TEXT)))
        except TimeoutError as error:
            raise InputError(
                f"token_pattern {self._compiled.pattern!r} took more than {SECONDS_PER_TEXT:g} s on a text of "
                f"{len(text):,} characters, {text!r:.40}: it backtracks too much; avoid repetitions within repetitions"
            ) from error
