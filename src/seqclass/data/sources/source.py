"""The interface of every source of labelled texts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError


class MissingDataError(InputError):
    """The data are not on this machine, and could not be downloaded.

    A path that was given but does not work is a plain InputError: a mistake, not missing data.
    """


class SourceText(NamedTuple):
    """One text of a data set.

    Args:
        part: "train", "test" or "val".
        name: what messages call it, such as its file name.
        text: unchanged.
        labels: the names of its classes: one, or any number if the source is `multi_label`.
    """

    part: str
    name: str
    text: str
    labels: tuple[str, ...]


class Source(ABC):
    """A data set: named classes, and texts in the parts "train", "test" and, in some, "val".

    Attributes:
        name: what the data set is called in messages and results.
        label_names: the classes; a label is an index into them. Some sources know them only after the last of `texts`.
        multi_label: whether a text may have several labels, or none.
    """

    name: str
    label_names: tuple[str, ...]
    multi_label: bool = False

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a string that changes when the texts do, faster than reading them would be."""

    @abstractmethod
    def texts(self) -> Iterator[SourceText]:
        """Yield the texts one by one, all of one part before the next, "train" first.

        "train" has at least one text of every class, each other part at least one text.

        Raises:
            InputError: if the texts cannot be read.
        """

    def test_rows(self, labels: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return which of the texts yielded as "train" belong to "test" instead; by default none.

        Args:
            labels: of all of them, as `label_array` gives them.
            names: likewise.

        Returns:
            Their numbers, ascending.
        """
        return np.arange(0)
