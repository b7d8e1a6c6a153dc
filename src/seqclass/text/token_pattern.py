"""Regular expressions from a config or a checkpoint of unknown origin.

They are run by the `regex` package, because Python's `re` cannot be interrupted: by backtracking, the time of a
pattern such as `(a+)+b` doubles with each letter of the text.
"""

from typing import Any

import regex

from seqclass.errors import InputError

MAX_LENGTH = 1000
"""The longest pattern, in characters."""

SECONDS_PER_TEXT = 10.0
"""The search is given up after them. A reasonable pattern reads ten million characters in less."""

_WITHOUT_BACKTRACKING = {r"\w+", r"\w+|[^\w\s]", r"\w+(?:'\w+)?", r"\w+(?:'\w+)?|[^\w\s]"}
"""The usual patterns: whatever the text, they read no character more than three times, and need no time limit."""


class TokenPattern:
    """Finds the tokens of a text: what the pattern matches, or what its group holds if it has one.

    Args:
        pattern: a regular expression, such as `\\w+|[.!?]`; `regex`'s own syntax, which knows Python's and
            `\\p{L}`, has at most one group.

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

        # Looking at the clock takes as long as the search itself.
        self._timeout = None if pattern in _WITHOUT_BACKTRACKING else SECONDS_PER_TEXT

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
