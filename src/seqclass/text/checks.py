"""Checks of settings that come from outside."""

from typing import Any

from seqclass.errors import InputError


def check_whole(name: str, value: Any, *, least: int, or_none: bool = False) -> None:
    """Checks that a setting is a whole number of at least `least`, or None if that is allowed.

    Raises:
        InputError: if it is not; True and 5.0 are not whole numbers either.
    """
    if value is None and or_none:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        none = " and None" if or_none else ""
        raise InputError(f"{name} is {value!r}; allowed are whole numbers from {least} on{none}")


def check_choice(name: str, value: Any, allowed: tuple[str | None, ...]) -> None:
    """Checks that a setting is one of the `allowed`.

    Raises:
        InputError: if it is not.
    """
    if value not in allowed:
        raise InputError(f"{name} is {value!r}; allowed are {', '.join(map(repr, allowed))}")
