"""Splits many texts at the spaces and finds the distinct pieces, with numpy: a dict takes twice as long."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from seqclass.text.numbered import NumberedTexts
from seqclass.text.ragged import RaggedIds

CHUNK_CHARACTERS = 1 << 20
CHUNK_TEXTS = 1 << 14
"""A chunk ends with the text that reaches either limit."""

_LONGEST = 15
"""Bytes of a piece that fits into two 64-bit numbers, together with its length."""
_MULTIPLIERS = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0xD6E8FEB86659FD93)
"""Odd, with bits in no order; one for each attempt at a table without collisions."""

Item = TypeVar("Item")
_Numbers = npt.NDArray[np.int64]
_Keys = npt.NDArray[np.uint64]


def in_chunks(items: Iterable[Item], length: Callable[[Item], int]) -> Iterator[list[Item]]:
    """Yield texts, or what holds them, some at a time: enough for numpy, and few enough for the cache.

    Args:
        items: any number of them.
        length: of the text of one, in characters.
    """
    chunk: list[Item] = []
    characters = 0
    for item in items:
        chunk.append(item)
        characters += length(item)
        if characters >= CHUNK_CHARACTERS or len(chunk) >= CHUNK_TEXTS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk


def number_pieces(texts: Sequence[bytes]) -> NumberedTexts:
    """Split texts at the spaces, and only there, as `str.split(" ")` does: between two spaces is an empty piece.

    A piece of up to 15 bytes is a pair of numbers, and equal pieces are found in a hash table, all at once: each piece
    writes its place into its slot, and reads from there the place of a piece that is equal, most often. The few
    that share their slot with another piece try again, and those that remain, or are longer, go through a dict.

    Args:
        texts: UTF-8; lone surrogates are let through.
    """
    if not texts:
        return NumberedTexts([], RaggedIds(np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)))
    content = b" ".join(texts)
    ends = np.append(np.flatnonzero(np.frombuffer(content, dtype=np.uint8) == ord(" ")), len(content))
    starts = np.append(0, ends[:-1] + 1)
    first = _first_places(content, starts, ends)
    is_first = first == np.arange(len(first))
    numbers = (np.cumsum(is_first) - 1)[first]
    places = zip(starts[is_first].tolist(), ends[is_first].tolist(), strict=True)
    distinct = b" ".join([content[start:end] for start, end in places])
    text_ends = np.cumsum([len(text) + 1 for text in texts]) - 1
    offsets = np.append(0, np.searchsorted(ends, text_ends) + 1)
    return NumberedTexts(distinct.decode("utf-8", "surrogatepass").split(" "), RaggedIds(numbers, offsets))


def _first_places(content: bytes, starts: _Numbers, ends: _Numbers) -> _Numbers:
    """Return for each piece the place of the first one that is equal to it."""
    keys = _keys(content, starts, ends)
    short = ends - starts <= _LONGEST
    first = np.arange(len(starts))
    pending = np.flatnonzero(short)
    bits = len(starts).bit_length()
    table = np.zeros(1 << bits, dtype=np.int64)
    for multiplier in _MULTIPLIERS:
        low, high = (key[pending] for key in keys)
        mixed = (low * np.uint64(multiplier) ^ high) * np.uint64(multiplier)
        slots = (mixed >> np.uint64(64 - bits)).astype(np.int64)
        # Of several assignments to one slot the last stays: backwards, that of the first piece.
        table[slots[::-1]] = pending[::-1]
        found = table[slots]
        equal = (keys[0][found] == low) & (keys[1][found] == high)
        first[pending[equal]] = found[equal]
        pending = pending[~equal]
    seen: dict[bytes, int] = {}
    for place in np.union1d(pending, np.flatnonzero(~short)).tolist():
        first[place] = seen.setdefault(content[starts[place] : ends[place]], place)
    return first


def _keys(content: bytes, starts: _Numbers, ends: _Numbers) -> tuple[_Keys, _Keys]:
    """Return the bytes of each piece, up to 15, and its length, as two numbers."""
    padded = content + bytes(16)
    # The eight bytes from each place on.
    eight: npt.NDArray[Any] = np.ndarray((len(padded) - 7,), dtype="<u8", buffer=padded, strides=(1,))
    lengths = np.minimum(ends - starts, _LONGEST)
    masks = np.array([(1 << 8 * count) - 1 for count in range(9)], dtype=np.uint64)
    low = eight[starts] & masks[np.minimum(lengths, 8)]
    high = eight[starts + 8] & masks[np.maximum(lengths - 8, 0)]
    return low, high | lengths.astype(np.uint64) << np.uint64(56)
