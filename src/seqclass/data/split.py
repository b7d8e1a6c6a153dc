"""Hold out some of the training texts, for validation or for testing."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError


def check_fraction(option: str, value: Any, *, besides: str = "") -> None:
    """Check that a setting is a fraction, above 0 and below 1.

    Args:
        option: its name.
        value: its value.
        besides: what else is allowed, for the message.

    Raises:
        InputError: if it is not.
    """
    if not isinstance(value, float) or not 0 < value < 1:
        also = f"{besides} and " if besides else ""
        raise InputError(f"{option} is {value!r}; allowed are {also}fractions above 0 and below 1")


def label_array(labels: Sequence[Any], num_classes: int) -> npt.NDArray[np.int64]:
    """Labels as an array: indices, shape (n,); of tuples of indices ones where they are, shape (n, num_classes)."""
    if not labels or not isinstance(labels[0], tuple):
        return np.array(labels, dtype=np.int64)
    found = np.zeros((len(labels), num_classes), dtype=np.int64)
    for row, members in zip(found, labels, strict=True):
        row[list(members)] = 1
    return found


def _strata(labels: npt.NDArray[np.integer[Any]]) -> npt.NDArray[np.integer[Any]]:
    """For each text, the number of its combination of labels; combinations that occur once are counted as one."""
    _, numbers, counts = np.unique(labels, axis=0, return_inverse=True, return_counts=True)
    strata = numbers.reshape(-1)  # numpy 2.0 gave it a second axis
    alone = counts[strata] == 1
    # A single one that would be left over goes with the most frequent combination.
    strata[alone] = len(counts) if alone.sum() > 1 or len(labels) == 1 else counts.argmax()
    return strata


def stratified_holdout(
    labels: npt.NDArray[np.integer[Any]],
    *,
    fraction: float,
    seed: int,
    option: str = "validation",
    names: Sequence[str] | None = None,
    label_names: Sequence[str] | None = None,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Chooses texts to hold out, the same fraction of every class.

    Args:
        labels: the class of each text, shape (n,); or of texts with any number of labels ones where they are, shape
            (n, classes), of which each combination counts as a class.
        fraction: between 0 and 1, exclusive; rounded to the nearest number of texts of each class, but at least one
            text is held out and at least one stays.
        seed: decides which.
        option: what the fraction is called in the message; this and the next two are for that alone.
        names: of the texts.
        label_names: of the classes.

    Returns:
        The indices of the texts that stay and of those held out, both ascending.

    Raises:
        InputError: if a class has a single text.
    """
    # The shuffles of the epochs draw from (seed, 1 + epoch), so this stream is none of theirs.
    random = np.random.default_rng((seed, 0))
    held = np.zeros(len(labels), dtype=bool)
    if labels.ndim == 2:
        labels, label_names = _strata(labels), None
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            place = f" ({names[members[0]]})" if names else ""
            raise InputError(
                f"class {label_names[label] if label_names else label} has a single text to train on{place}, and "
                f"{option}={fraction} needs two of each class: one to hold out and one to stay"
            )
        count = min(max(round(fraction * len(members)), 1), len(members) - 1)
        held[random.choice(members, count, replace=False)] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
