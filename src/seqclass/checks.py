"""Checks of settings, each with one wording. Imports no torch: the text pipeline uses them too."""

from numbers import Integral, Real
from typing import Any

from seqclass.errors import InputError


def check_whole(name: str, value: Any, *, least: int, most: int | None = None, or_none: bool = False) -> None:
    """Check that a setting is an `int` from `least` to `most`, or None if that is allowed.

    Raises:
        InputError: it is not; True and 5.0 are not, nor are NumPy's integers, which no checkpoint holds.
    """
    if value is None and or_none:
        return
    if not isinstance(value, int) or isinstance(value, bool) or value < least or (most is not None and value > most):
        none = " and None" if or_none else ""
        end = "on" if most is None else f"to {most:,}"
        raise InputError(f"{name} is {value!r}; allowed are whole numbers from {least} {end}{none}")


def check_positive(name: str, value: Any) -> int:
    """Return a layer's size as an `int`; unlike `check_whole`, take NumPy's integers too.

    Raises:
        InputError: it is not a whole number, or below 1.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise InputError(f"{name} is {value!r}; allowed are whole numbers from 1 on")
    check_whole(name, int(value), least=1)
    return int(value)


def check_rate(name: str, rate: Any) -> float:
    """Return a dropout rate as a `float`.

    Raises:
        InputError: it is not a number from 0 to 1.
    """
    if not isinstance(rate, Real) or not 0 <= float(rate) <= 1:
        raise InputError(f"{name} is {rate!r}; allowed are probabilities from 0 to 1")
    return float(rate)


def check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    """Check that a setting is one of the `choices`.

    Raises:
        InputError: it is not; the message lists them.
    """
    if value not in choices:
        raise InputError(f"{name} is {value!r}; allowed are {', '.join(map(repr, choices))}")
