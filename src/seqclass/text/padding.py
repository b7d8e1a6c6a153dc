"""From sequences of different lengths to a matrix."""

from collections.abc import Iterable
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from seqclass.checks import check_choice, check_whole
from seqclass.errors import InputError
from seqclass.text.ragged import RaggedIds

Side = Literal["pre", "post"]


MAX_STEPS = 1_000_000
"""The largest `maxlen`: an untrusted checkpoint must not fill the memory with padding."""


def pad_sequences(
    sequences: RaggedIds | Iterable[Iterable[int]],
    *,
    maxlen: int,
    padding: Side = "pre",
    truncating: Side = "pre",
    value: int = 0,
    dtype: npt.DTypeLike = "int32",
) -> npt.NDArray[Any]:
    """Truncate or pad each sequence to `maxlen`, as Keras' `pad_sequences` does.

    Both sides are "pre" by default: the last `maxlen` ids are kept, and padding goes in front. What an LSTM reads last
    is then a word, not padding.

    Args:
        sequences: the ids of each text.
        maxlen: length of every row.
        padding: the side that is padded.
        truncating: the side that is truncated.
        value: the padding.
        dtype: dtype of the result.

    Returns:
        The matrix, shape (number of sequences, maxlen).

    Raises:
        InputError: if an option has a wrong value, or an id or `value` does not fit `dtype`.
    """
    check_padding(maxlen=maxlen, padding=padding, truncating=truncating)
    if not isinstance(sequences, RaggedIds):
        sequences = RaggedIds.from_lists(sequences)
    values, offsets = sequences.values, sequences.offsets
    _check_fits(np.dtype(dtype), value, int(values.max(initial=0)))

    kept = np.minimum(sequences.lengths, maxlen)
    ends = offsets[1:] if truncating == "pre" else offsets[:-1] + kept
    starts = ends - kept
    columns = maxlen - kept if padding == "pre" else np.zeros_like(kept)
    matrix = np.full((len(sequences), maxlen), value, dtype=dtype)
    # One block copy for each row (20 ms for 25,000 x 500) is faster than one fancy index over all ids, which
    # needs an int64 and a mask for each of them. `tolist`, because plain ints slice faster than numpy's.
    rows = zip(matrix, columns.tolist(), kept.tolist(), starts.tolist(), ends.tolist(), strict=True)
    for row, column, length, start, end in rows:
        row[column : column + length] = values[start:end]
    return matrix


def check_padding(*, maxlen: int, padding: str, truncating: str) -> None:
    """Raise InputError if one of the options of `pad_sequences` has a wrong value."""
    check_whole("maxlen", maxlen, least=1, most=MAX_STEPS)
    check_choice("padding", padding, get_args(Side))
    check_choice("truncating", truncating, get_args(Side))


def _check_fits(dtype: np.dtype[Any], value: int, largest: int) -> None:
    """Check that an id fits: numpy would silently wrap one that is too large."""
    if dtype.kind not in "iu":
        return
    info = np.iinfo(dtype)
    for name, number in (("value", value), ("the largest id", largest)):
        if not info.min <= number <= info.max:
            raise InputError(f"{name} is {number}; {dtype} holds {info.min} to {info.max}")
