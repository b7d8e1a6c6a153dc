"""Id sequences of unequal lengths in one flat array."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class RaggedIds:
    """Sequences one behind the other: sequence i is `values[offsets[i]:offsets[i + 1]]`.

    25,000 reviews take 12 MB this way, and 320 MB as lists of Python ints.

    Args:
        values: 1-D, the ids of all sequences; an integer dtype.
        offsets: int64, shape (n + 1,); begins with 0, never falls, ends with `len(values)`.

    Raises:
        InputError: if the arrays do not fit each other.
    """

    values: IntArray
    offsets: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        values, offsets = self.values, self.offsets
        if values.ndim != 1 or values.dtype.kind not in "iu":
            raise InputError(f"values has to be 1-D and of integers, not {values.ndim}-D of {values.dtype}")
        if offsets.ndim != 1 or offsets.dtype != np.int64 or not len(offsets):
            raise InputError(
                f"offsets has to be 1-D of int64 with at least one element, not {offsets.dtype} of shape "
                f"{offsets.shape}"
            )
        if offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            raise InputError(
                f"offsets has to rise from 0 to the number of values, {len(values)}; it goes from "
                f"{offsets[0]} to {offsets[-1]}{' and falls between' if (np.diff(offsets) < 0).any() else ''}"
            )

    @classmethod
    def from_lists(cls, lists: Iterable[Iterable[int]]) -> "RaggedIds":
        """Packs sequences of ids, into uint16 where the largest id fits, else into int32.

        Raises:
            InputError: if an id is negative, not an integer, or does not fit int32.
        """
        values = array("i")
        offsets = array("q", [0])
        for position, ids in enumerate(lists):
            try:
                values.extend(ids)
            except (OverflowError, TypeError) as error:
                raise InputError(f"sequence {position} has an id that is no 32-bit integer: {error}") from error
            offsets.append(len(values))
        # np.array copies: a view would keep the growing buffer, which is larger, alive.
        packed = np.array(values, dtype=np.int32)
        starts = np.array(offsets, dtype=np.int64)
        if len(packed) and packed.min() < 0:
            at = int(np.argmax(packed < 0))
            position = int(np.searchsorted(starts, at, side="right")) - 1
            raise InputError(f"sequence {position} has the id {packed[at]}; ids are not negative")
        fits = not len(packed) or packed.max() <= np.iinfo(np.uint16).max
        return cls(packed.astype(np.uint16) if fits else packed, starts)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> IntArray: ...
    @overload
    def __getitem__(self, index: "slice | npt.ArrayLike") -> "RaggedIds": ...
    def __getitem__(self, index: Any) -> "IntArray | RaggedIds":
        """Returns one sequence as an array (int), or several as `RaggedIds` (slice, indices, or a mask).

        Raises:
            IndexError: if an index is out of range.
        """
        rows = np.arange(len(self))[index]
        if rows.ndim == 0:
            return self.values[self.offsets[rows] : self.offsets[rows + 1]]
        offsets = np.concatenate([[0], np.cumsum(self.lengths[rows])])
        # Each id moves by as much as the start of its row does.
        shift = np.repeat(self.offsets[:-1][rows] - offsets[:-1], self.lengths[rows])
        return RaggedIds(self.values[np.arange(offsets[-1]) + shift], offsets)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of ids of each sequence, shape (n,)."""
        return np.diff(self.offsets)
