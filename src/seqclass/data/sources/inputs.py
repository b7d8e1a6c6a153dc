"""What labelled texts can be given as: a file, several files, a folder, or two lists; each is read row by row."""

import fnmatch
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from seqclass.data.sources.class_folder import class_files, read_class_folder
from seqclass.data.sources.json_records import JSON_LINES, read_json
from seqclass.data.sources.lines import form_of
from seqclass.data.sources.parquet import PARQUET, read_parquet
from seqclass.data.sources.rows import Reading, Row
from seqclass.data.sources.tables import DELIMITERS, read_table
from seqclass.errors import InputError
from seqclass.reading import GZIP, readable

Label: TypeAlias = str | int | bool | list[str]
TextsAndLabels: TypeAlias = tuple[Sequence[str], Sequence[Label]]

_READERS = {**dict.fromkeys(DELIMITERS, read_table), **dict.fromkeys(JSON_LINES, read_json), PARQUET: read_parquet}

_HINTS = {
    ".txt": "A table of texts and labels has to be called .csv or .tsv, whatever its `delimiter`; "
    "unlabelled texts, one a line, are what `seqclass classify CKPT` reads from standard input",
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "Save the sheet as CSV, in UTF-8"),
}


class TextInput(ABC):
    """Labelled texts in one of the forms.

    Attributes:
        path: what stands in messages.
        name: what stands in results.
    """

    path: Path
    name: str

    @abstractmethod
    def rows(self, reading: Reading) -> Iterator[Row]:
        """Reads the rows, one by one.

        Raises:
            InputError: if something in them cannot be used; the message names its place.
        """

    def files(self, reading: Reading) -> list[Path]:
        """The files that the rows are read from, if there are some."""
        return []

    @abstractmethod
    def fingerprint(self, reading: Reading) -> str:
        """A hash of the content, or of what changes with it."""

    def given_paths(self) -> list[Path]:
        """The files, or the folder, that were given."""
        return []

    def shares_texts(self, other: "TextInput") -> bool:
        """Whether some texts are in both: the same ones, not just equal ones."""
        return not _identities(self).isdisjoint(_identities(other))


def _identities(given: TextInput) -> set[tuple[int, int]]:
    """What a file or folder has, whatever the path that leads to it."""
    return {(status.st_dev, status.st_ino) for path in given.given_paths() for status in [path.stat()]}


class FileInput(TextInput):
    """A file of one of the known forms, plain or with `.gz` behind; or a folder for each class.

    Raises:
        InputError: if there is nothing at the path, or nothing of a known form.
    """

    def __init__(self, path: str | Path, part: str) -> None:
        self.path = Path(path).expanduser()
        self.name = self.path.absolute().name  # "." has none of its own
        forms = list(_READERS)
        known = (
            f"{', '.join(forms[:-1])} and {forms[-1]} files, also with {GZIP} behind, and folders with one "
            "sub-folder of files per class"
        )
        with readable(self.path):
            if not self.path.exists():
                raise InputError(f"there are no texts at {self.path} ({part}); allowed are {known}")
            if not self.path.is_dir() and not (self.path.is_file() and form_of(self.path) in _READERS):
                hint = _HINTS.get(form_of(self.path), "")
                raise InputError(
                    f"cannot tell what {self.path} ({part}) is; allowed are {known}{'. ' if hint else ''}{hint}"
                )

    def rows(self, reading: Reading) -> Iterator[Row]:
        form = None if self.path.is_dir() else form_of(self.path)
        for option in ("columns", "delimiter"):
            if getattr(reading, option) is not None and form not in DELIMITERS:
                raise InputError(f"{self.path}: `{option}` is for {' and '.join(DELIMITERS)} files only")
        if form is None:
            return read_class_folder(self.path, reading)
        return _READERS[form](self.path, reading)

    def files(self, reading: Reading) -> list[Path]:
        if self.path.is_dir():
            return [Path(file) for _, _, file in class_files(self.path, reading.pattern)]
        return [self.path]

    def fingerprint(self, reading: Reading) -> str:
        """A hash of a file's bytes, or of the names, sizes and times of a folder's files."""
        digest = hashlib.sha256()
        with readable(self.path):
            if self.path.is_dir():
                for label, name, file in class_files(self.path, reading.pattern):
                    status = file.stat()
                    digest.update(repr((label, name, status.st_size, status.st_mtime_ns)).encode())
            else:
                with self.path.open("rb") as content:
                    while chunk := content.read(1 << 20):
                        digest.update(chunk)
        return digest.hexdigest()

    def given_paths(self) -> list[Path]:
        return [self.path]


class FilesInput(TextInput):
    """The files of a folder whose names are of a pattern, such as `big/part-*.csv`, in the order of their names.

    Hidden files are passed over.

    Raises:
        InputError: if there are none, or one is of no known form.
    """

    def __init__(self, pattern: str | Path, part: str) -> None:
        pattern = Path(pattern).expanduser()
        self.path = pattern.parent
        self.name = self.path.absolute().name
        if _is_pattern(self.path):
            raise InputError(f"{pattern} ({part}): *, ? and [] may stand in the name of the files, not of their folder")
        with readable(self.path):
            paths = sorted(self.path.iterdir()) if self.path.is_dir() else []
            named = [path for path in paths if fnmatch.fnmatch(path.name, pattern.name) and path.name[0] != "."]
            self._files = [FileInput(path, part) for path in named if path.is_file()]
        if not self._files:
            raise InputError(f"there are no texts at {pattern} ({part}): no file has such a name")

    def rows(self, reading: Reading) -> Iterator[Row]:
        for file in self._files:
            for row in file.rows(reading):
                yield row._replace(where=f"/{file.name}{row.where}")

    def files(self, reading: Reading) -> list[Path]:
        return self.given_paths()

    def fingerprint(self, reading: Reading) -> str:
        """A hash of the files' names and bytes."""
        names = [(file.name, file.fingerprint(reading)) for file in self._files]
        return hashlib.sha256(repr(names).encode("utf-8", "surrogateescape")).hexdigest()

    def given_paths(self) -> list[Path]:
        return [file.path for file in self._files]


def _is_pattern(path: Path) -> bool:
    return any(char in str(path) for char in "*?[")


class ListInput(TextInput):
    """A list of texts and one of their labels; places are counted from 0, as Python does.

    Raises:
        InputError: if they are not equally long lists.
    """

    def __init__(self, given: TextsAndLabels, part: str) -> None:
        self.path = Path(part)
        self.name = part
        try:
            texts, labels = given
            if isinstance(texts, str) or isinstance(labels, str):
                raise TypeError
            self.texts, self.labels = list(texts), list(labels)
        except (TypeError, ValueError) as error:
            raise InputError(f"{part} is {given!r:.80}; allowed are a path, or a pair of texts and labels") from error
        if len(self.texts) != len(self.labels):
            raise InputError(f"{part} has {len(self.texts)} texts and {len(self.labels)} labels; each text needs one")

    def rows(self, reading: Reading) -> Iterator[Row]:
        # Lists have no columns: one name for each of the two will do.
        for number, values in enumerate(zip(self.texts, self.labels, strict=True)):
            columns = dict(zip(("text", "label"), map(_plain, values), strict=True))
            plain = Reading(label_separator=reading.label_separator, keep_empty=reading.keep_empty)
            yield plain.typed_row(self.path, f"[{number}]", columns)

    def fingerprint(self, reading: Reading) -> str:
        digest = hashlib.sha256()
        for pair in zip(self.texts, self.labels, strict=True):
            digest.update(repr(tuple(map(_plain, pair))).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def _plain(value: Any) -> Any:
    """A number of numpy or torch as Python's."""
    return value.item() if hasattr(value, "item") else value


def open_input(given: "str | Path | TextsAndLabels", part: str) -> TextInput:
    """Finds out in which form texts are given.

    Raises:
        InputError: if it is none of the known.
    """
    if not isinstance(given, str | Path):
        return ListInput(given, part)
    # A file may be called so; then it is what is meant.
    if _is_pattern(Path(given)) and not Path(given).expanduser().exists():
        return FilesInput(given, part)
    return FileInput(given, part)
