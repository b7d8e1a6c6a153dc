"""A data set as ids, and the folder of memory-mapped files that it is read from."""

import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from seqclass.data.array_files import ArrayFile, RaggedFile, mapped, mapped_ragged
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.text import RaggedIds, TextPipeline

_META = "meta.json"


class Names(Sequence[str]):
    """What the texts are called: a list of strings that stay UTF-8 bytes in a file until they are needed.

    Args:
        content: uint8, the names as UTF-8.
        rows: which of them, in which order; None for all.
    """

    def __init__(self, content: RaggedIds, rows: npt.NDArray[np.int64] | None = None) -> None:
        self._content = content
        self._rows = rows

    @classmethod
    def of(cls, names: Iterable[str]) -> "Names":
        """Those of a list."""
        return cls(utf8(names))

    def __len__(self) -> int:
        return len(self._content) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "Names": ...
    def __getitem__(self, index: int | slice) -> "str | Names":
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        row = index if self._rows is None else int(self._rows[index])
        return self._content[row].tobytes().decode()

    def take(self, rows: npt.NDArray[np.int64]) -> "Names":
        """Return some of the names; none of them is copied."""
        return Names(self._content, rows if self._rows is None else self._rows[rows])


def utf8(strings: Iterable[str]) -> RaggedIds:
    """Concatenated strings as bytes."""
    encoded = [string.encode() for string in strings]
    offsets = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    return RaggedIds(np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets)


@dataclass(frozen=True)
class EncodedPart:
    """One part of a data set as ids.

    Args:
        ids: the texts, neither cut nor padded.
        labels: the class of each text, shape (number of texts,); or of texts with any number of labels, 1 where they
            are and else 0, shape (number of texts, classes). An integer dtype; soft labels are float32.
        names: for each text, what a person finds it by.
    """

    ids: RaggedIds
    labels: npt.NDArray[Any]
    names: Names

    def take(self, rows: npt.NDArray[np.int64]) -> "EncodedPart":
        """Return some of the texts."""
        return EncodedPart(self.ids[rows], self.labels[rows], self.names.take(rows))


@dataclass(frozen=True)
class EncodedTexts:
    """A data set as ids, with the pipeline that made them.

    Args:
        parts: the parts by name.
        label_names: the classes; a label is an index into them.
        pipeline: encoded the texts. Its padding options have no part in that.
    """

    parts: dict[str, EncodedPart]
    label_names: tuple[str, ...]
    pipeline: TextPipeline

    def relabelled(self, label_names: Sequence[str]) -> "EncodedTexts":
        """Return the same texts with labels that are indices into other label names, such as a trained model's.

        Raises:
            InputError: if one of the labels is not among them.
        """
        if tuple(label_names) == self.label_names:
            return self
        if unknown := [name for name in self.label_names if name not in label_names]:
            raise InputError(
                f"the texts have labels that the model does not know: {listed(unknown)}; it was trained for "
                f"{listed(list(label_names))}"
            )
        numbers = np.array([label_names.index(name) for name in self.label_names], dtype=np.int64)
        parts = {}
        for name, part in self.parts.items():
            if part.labels.ndim == 1:
                labels = numbers[part.labels]
            else:
                labels = np.zeros((len(part.labels), len(label_names)), dtype=np.uint8)
                labels[:, numbers] = part.labels
            parts[name] = replace(part, labels=labels)
        return replace(self, parts=parts, label_names=tuple(label_names))


class PartFiles:
    """Writes one part of a data set, piece by piece.

    Args:
        folder: of the data set.
        part: its name.
        num_ids: of the vocabulary; decides how many bytes an id has.
        num_classes: where a text may have several labels; None where each has one.
    """

    def __init__(self, folder: Path, part: str, *, num_ids: int, num_classes: int | None) -> None:
        with ExitStack() as stack:
            dtype = np.uint16 if num_ids <= np.iinfo(np.uint16).max + 1 else np.int32
            self._ids = stack.enter_context(RaggedFile(folder, f"{part}.ids", dtype))
            label_dtype = np.int64 if num_classes is None else np.uint8
            self._labels = stack.enter_context(ArrayFile(folder / f"{part}.labels.npy", label_dtype, num_classes))
            self._names = stack.enter_context(RaggedFile(folder, f"{part}.names", np.uint8))
            self._stack = stack.pop_all()

    def __enter__(self) -> "PartFiles":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def append(self, ids: RaggedIds, labels: npt.NDArray[np.integer[Any]], names: RaggedIds) -> None:
        """Append texts; see `EncodedPart`, and `Names` for the bytes of the names."""
        self._ids.append(ids)
        self._labels.append(labels)
        self._names.append(names)


def write_meta(folder: Path, parts: Iterable[str], label_names: Sequence[str], pipeline: TextPipeline) -> None:
    """Write the description of the data set, as the last of its files."""
    meta = {"parts": list(parts), "label_names": list(label_names), "pipeline": pipeline.state()}
    (folder / _META).write_text(json.dumps(meta))


def load_encoded(folder: Path) -> EncodedTexts:
    """Open a data set; its texts are read when they are used.

    What every batch checks is not checked here: whether each id is below the vocabulary's `num_ids`.

    Raises:
        Exception: of any kind that json and numpy know, if the folder does not hold a complete data set.
    """
    meta = json.loads((folder / _META).read_bytes())
    parts = {
        part: EncodedPart(
            mapped_ragged(folder, f"{part}.ids"),
            mapped(folder / f"{part}.labels.npy"),
            Names(mapped_ragged(folder, f"{part}.names")),
        )
        for part in meta["parts"]
    }
    for part in parts.values():
        _check(part, len(meta["label_names"]))
    return EncodedTexts(parts, tuple(meta["label_names"]), TextPipeline.from_state(meta["pipeline"]))


def _check(part: EncodedPart, classes: int) -> None:
    if not len(part.ids) == len(part.labels) == len(part.names):
        raise InputError("a part has unequal numbers of texts, labels and names")
    if part.labels.dtype.kind not in "iu":
        raise InputError("the labels are not whole numbers")
    if part.labels.ndim == 2 and part.labels.shape[1] != classes:
        raise InputError("there are not as many columns as labels")
    if part.labels.min(initial=0) < 0 or part.labels.max(initial=0) >= (classes if part.labels.ndim == 1 else 2):
        raise InputError("a label has no name")
