"""Arrays in files, written piece by piece and memory-mapped."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.text import RaggedIds


class ArrayFile:
    """A `.npy` file that is written front to back, so that memory never holds more than a piece.

    Args:
        path: of the file; an older one is overwritten.
        dtype: of the elements.
        columns: of a matrix; None for a vector.
    """

    def __init__(self, path: Path, dtype: npt.DTypeLike, columns: int | None = None) -> None:
        self._dtype = np.dtype(dtype)
        self._row_shape = () if columns is None else (columns,)
        self._rows = 0
        self._file = path.open("wb")
        self._write_header()

    def __enter__(self) -> "ArrayFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Append rows."""
        self._file.write(np.ascontiguousarray(rows, dtype=self._dtype).data)
        self._rows += len(rows)

    def close(self) -> None:
        """Write the number of rows into the header; before that the file is not valid."""
        with self._file:
            self._file.seek(0)
            self._write_header()

    def _write_header(self) -> None:
        # numpy reserves space for the largest number of rows, so the header's length does not change.
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._rows, *self._row_shape),
            },
        )


class RaggedFile:
    """Sequences of unequal lengths as two `.npy` files, the values and the offsets of `RaggedIds`.

    Args:
        folder: of the files.
        name: their names begin with it.
        dtype: of the values.
    """

    def __init__(self, folder: Path, name: str, dtype: npt.DTypeLike) -> None:
        with ExitStack() as stack:
            self._values = stack.enter_context(ArrayFile(folder / f"{name}.values.npy", dtype))
            self._offsets = stack.enter_context(ArrayFile(folder / f"{name}.offsets.npy", np.int64))
            self._files = stack.pop_all()
        self._end = 0
        self._offsets.append(np.zeros(1))

    def __enter__(self) -> "RaggedFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def append(self, sequences: RaggedIds) -> None:
        """Append sequences."""
        self._values.append(sequences.values)
        self._offsets.append(sequences.offsets[1:] + self._end)
        self._end += len(sequences.values)

    def close(self) -> None:
        """Close both files, the second even if the disk is too full for the first."""
        self._files.close()


def mapped(path: Path) -> npt.NDArray[Any]:
    """Memory-map the array in a `.npy` file.

    Raises:
        OSError, ValueError: if the file is missing or truncated, or does not hold plain numbers.
    """
    # As a plain array, whose every slice is several times as fast as that of a memmap.
    return np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)


def mapped_ragged(folder: Path, name: str) -> RaggedIds:
    """Memory-map what a `RaggedFile` has written.

    Raises:
        OSError, ValueError: as `mapped`; InputError, which is one, if the two do not fit each other.
    """
    return RaggedIds(mapped(folder / f"{name}.values.npy"), mapped(folder / f"{name}.offsets.npy"))
