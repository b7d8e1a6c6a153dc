"""The interface of every form of labelled texts."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path

from seqclass.data.sources.rows import Reading, Row
from seqclass.errors import InputError


class TextInput(ABC):
    """Labelled texts in one of the forms.

    Attributes:
        path: what messages call them.
        name: what results call them.
    """

    path: Path
    name: str

    @abstractmethod
    def rows(self, reading: Reading) -> Iterator[Row]:
        """Read the rows, one by one.

        Raises:
            InputError: something in them cannot be used; the message names its place.
        """

    def files(self, reading: Reading) -> list[Path]:
        """Return the text files that the rows are read from, if there are some."""
        return []

    @abstractmethod
    def fingerprint(self, reading: Reading) -> str:
        """Return a hash of the content, or of what changes with it."""

    def given_paths(self) -> list[Path]:
        """Return the files, or the folder, that were given."""
        return []

    def shares_texts(self, other: "TextInput") -> bool:
        """Return whether some texts are in both: the same ones, not just equal ones."""
        return not _identities(self).isdisjoint(_identities(other))


def _identities(given: TextInput) -> set[tuple[int, int]]:
    """Return what identifies a file or folder, whatever path leads to it."""
    return {(status.st_dev, status.st_ino) for path in given.given_paths() for status in [path.stat()]}


def hash_of_files(paths: Iterable[Path]) -> str:
    """Return a hash of the files' bytes."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def check_no_table_options(path: Path, reading: Reading) -> None:
    """Check that no option is given that only `.csv` and `.tsv` files have.

    Raises:
        InputError: one is.
    """
    for option in ("columns", "delimiter"):
        if getattr(reading, option) is not None:
            raise InputError(f"{path}: `{option}` is for .csv and .tsv files only")
