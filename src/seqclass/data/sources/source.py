"""What every source of labelled texts offers."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from seqclass.errors import InputError


class MissingDataError(InputError):
    """The data are nowhere to be found, and could not be downloaded.

    A path that was given but does not work is a plain InputError: it is a mistake to mend, not a lack.
    """


@dataclass(frozen=True)
class LabelledTexts:
    """One part of a data set (training, test).

    Args:
        texts: the texts.
        labels: for each text, the index of its class in the source's `label_names`; or where a text has any number of
            labels, a tuple of their indices.
        names: for each text, what a person finds it by, such as its file name.
    """

    texts: list[str]
    labels: list[Any]
    names: list[str]


class Source(ABC):
    """A data set: named classes, and texts in the parts "train", "test" and, in some, "val".

    Attributes:
        name: what the data set is called in messages and results.
        label_names: the classes; a label is an index into them. Some sources know them only after `read`.
    """

    name: str
    label_names: tuple[str, ...]

    @abstractmethod
    def fingerprint(self) -> str:
        """Returns a string that changes when the texts do, faster than reading them would be."""

    @abstractmethod
    def read(self) -> dict[str, LabelledTexts]:
        """Returns the parts by name: "train" has at least one text of every class, each other part at least one text.

        Raises:
            InputError: if the texts cannot be read.
        """
