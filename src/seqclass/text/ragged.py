"""Id sequences of different lengths in one flat array."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError

IntArray = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class RaggedIds:
    """Concatenated sequences: sequence i is `values[offsets[i]:offsets[i + 1]]`.

    25,000 reviews take 12 MB this way, and 320 MB as lists of Python ints.

    Args:
        values: 1-D, the ids of all sequences; an integer dtype.
        offsets: int64, shape (n + 1,); begins with 0, ascending, ends with `len(values)`.

    Raises:
        InputError: the arrays do not fit together.
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
                f"offsets has to be ascending from 0 to the number of values, {len(values)}; it goes from "
                f"{offsets[0]} to {offsets[-1]}{' and is not ascending' if (np.diff(offsets) < 0).any() else ''}"
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
                raise InputError(f"sequence {position} has an id that is not a 32-bit integer: {error}") from error
            offsets.append(len(values))
        # np.array copies: a view would keep the growing buffer, which is larger, alive.
        packed = np.array(values, dtype=np.int32)
        starts = np.array(offsets, dtype=np.int64)
        if len(packed) and packed.min() < 0:
            at = int(np.argmax(packed < 0))
            position = int(np.searchsorted(starts, at, side="right")) - 1
            raise InputError(f"sequence {position} has the id {packed[at]}; ids are not negative")
        return cls(packed, starts).narrowed()

    @classmethod
    def concatenated(cls, parts: Sequence["RaggedIds"]) -> "RaggedIds":
        """Put the sequences of several, at least one, behind one another."""
        ends = np.cumsum([0, *(len(part.values) for part in parts)])
        offsets = [part.offsets[1:] + end for part, end in zip(parts, ends[:-1], strict=True)]
        return cls(np.concatenate([part.values for part in parts]), np.concatenate([[0], *offsets]))

    def narrowed(self) -> "RaggedIds":
        """Return the same with uint16 where the largest id fits, unchanged otherwise; ids are not negative."""
        fits = self.values.max(initial=0) <= np.iinfo(np.uint16).max
        return RaggedIds(self.values.astype(np.uint16), self.offsets) if fits else self

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> IntArray: ...
    @overload
    def __getitem__(self, index: "slice | npt.ArrayLike") -> "RaggedIds": ...
    def __getitem__(self, index: Any) -> "IntArray | RaggedIds":
        """Return one sequence as an array (int), or several as `RaggedIds` (slice, indices, or a mask).

        Raises:
            IndexError: if an index is out of range.
        """
        if isinstance(index, slice):
            first, last, step = index.indices(len(self))
            if step == 1:  # a view: nothing is copied
                last = max(first, last)
                offsets = self.offsets[first : last + 1]
                return RaggedIds(self.values[offsets[0] : offsets[-1]], offsets - offsets[0])
            index = np.arange(first, last, step)
        rows = self._row_numbers(np.asarray(index))
        if rows.ndim == 1 and len(rows) and (np.diff(rows) == 1).all():
            return self[int(rows[0]) : int(rows[-1]) + 1]
        if rows.ndim == 0:
            return self.values[self.offsets[rows] : self.offsets[rows + 1]]
        return self._rows(rows)

    def joined_rows(self, rows: "RaggedIds") -> "RaggedIds":
        """Put sequences one behind the other: sequence i of the result is all those that `rows[i]` names.

        Args:
            rows: numbers of sequences, from 0 to `len(self) - 1`; not checked.
        """
        named = self._rows(rows.values)
        return RaggedIds(named.values, named.offsets[rows.offsets])

    def _rows(self, rows: npt.NDArray[np.integer[Any]]) -> "RaggedIds":
        """Return several sequences, by their numbers from 0 on."""
        starts, ends = self.offsets[rows], self.offsets[rows + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)])
        # Each id moves by as much as the start of its row does.
        places = np.repeat(starts - offsets[:-1], ends - starts)
        places += np.arange(offsets[-1])
        return RaggedIds(self.values[places], offsets)

    def _row_numbers(self, index: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return indices or a mask as numbers from 0 on; the cost does not depend on how many rows there are."""
        if index.dtype == np.bool_:
            if index.shape != (len(self),):
                raise IndexError(f"a mask of shape {index.shape} does not fit {len(self)} sequences")
            return np.flatnonzero(index)
        rows = index.astype(np.int64) if index.size else np.zeros(index.shape, dtype=np.int64)
        if ((rows < -len(self)) | (rows >= len(self))).any():
            raise IndexError(f"an index is out of range: there are {len(self)} sequences")
        return np.where(rows < 0, rows + len(self), rows)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of ids of each sequence, shape (n,)."""
        return np.diff(self.offsets)
