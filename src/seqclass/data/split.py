"""A part of the training texts held out for validation."""

from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError


def stratified_holdout(
    labels: npt.NDArray[np.integer[Any]], *, fraction: float, seed: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Chooses texts to hold out, the same fraction of every class.

    Args:
        labels: the class of each text, shape (n,).
        fraction: between 0 and 1, both excluded; of each class, the nearest number of texts is held out.
        seed: decides which.

    Returns:
        The indices of the texts that stay and of those held out; both rise.

    Raises:
        InputError: if a class is too small to leave a text on both sides.
    """
    # The shuffles of the epochs draw from (seed, 1 + epoch), so this stream is none of theirs.
    random = np.random.default_rng((seed, 0))
    held = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        count = round(fraction * len(members))
        if not 0 < count < len(members):
            raise InputError(
                f"validation={fraction} would hold out {count} of the {len(members)} training texts of class "
                f"{label}; at least one has to be held out and one has to stay"
            )
        held[random.choice(members, count, replace=False)] = True
    return np.flatnonzero(~held), np.flatnonzero(held)
