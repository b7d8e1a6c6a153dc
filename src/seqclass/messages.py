"""Pieces of messages that are put together in one way everywhere."""

from collections.abc import Sequence

SHOWN_NAMES = 20


def listed(names: Sequence[str], *, most: int = SHOWN_NAMES) -> str:
    """Quote names for a message: `'neg', 'pos'`, or `'a', 'b' and 998 more`.

    Args:
        names: whatever a file holds, so each is cut after 60 characters.
        most: how many are shown.
    """
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(f"{name!r:.60}" for name in names[:most]) + more
