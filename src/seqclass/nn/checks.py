"""Checks of the layers' arguments, each with one wording."""

from collections.abc import Collection


def check_rate(name: str, rate: float) -> float:
    """Return a dropout rate if it is a probability.

    Raises:
        ValueError: `rate` is below 0 or above 1.
    """
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"{name}={rate!r} is no probability: it must be from 0 to 1")
    return float(rate)


def check_choice(name: str, value: str, choices: Collection[str]) -> str:
    """Return a value if it is one of the choices.

    Raises:
        ValueError: it is none of them; the message lists them.
    """
    if value not in choices:
        raise ValueError(f"{name}={value!r} is unknown: it must be one of {', '.join(choices)}")
    return value


def check_positive(name: str, value: int) -> int:
    """Return a size if it is at least 1.

    Raises:
        ValueError: it is smaller.
    """
    if value < 1:
        raise ValueError(f"{name}={value!r} is too small: it must be at least 1")
    return value
