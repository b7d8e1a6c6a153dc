"""The forms of labelled texts (a file, several files, a folder, two lists), each read row by row."""

import fnmatch
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from seqclass.compressed import GZIP, readable
from seqclass.data.sources.class_folder import ClassFolderInput
from seqclass.data.sources.json_records import JSON_LINES, read_json
from seqclass.data.sources.lines import form_of
from seqclass.data.sources.parquet import PARQUET, read_parquet
from seqclass.data.sources.rows import Reading, Row
from seqclass.data.sources.saved_dataset import SavedDatasetInput, is_saved_dataset
from seqclass.data.sources.tables import DELIMITERS, read_table
from seqclass.data.sources.text_input import TextInput, check_no_table_options, hash_of_files
from seqclass.errors import InputError

Label: TypeAlias = str | int | bool | list[str]
TextsAndLabels: TypeAlias = tuple[Sequence[str], Sequence[Label]]

_READERS = {**dict.fromkeys(DELIMITERS, read_table), **dict.fromkeys(JSON_LINES, read_json), PARQUET: read_parquet}

_HINTS = {
    ".txt": "A table of texts and labels has to be called .csv or .tsv, whatever its `delimiter`; "
    "unlabelled texts, one a line, are what `seqclass classify CKPT` reads from standard input",
    **dict.fromkeys((".xls", ".xlsx", ".ods"), "Save the sheet as CSV, in UTF-8"),
}


class FileInput(TextInput):
    """A file of one of the known forms, plain or with `.gz` appended.

    Raises:
        InputError: nothing is at the path, or its form is unknown.
    """

    def __init__(self, path: Path, part: str) -> None:
        self.path = path
        self.name = path.name
        forms = list(_READERS)
        known = (
            f"{', '.join(forms[:-1])} and {forms[-1]} files, also with {GZIP} behind, folders with one sub-folder of "
            "files per class, and data sets saved by Hugging Face's `datasets`"
        )
        with readable(path):
            if not path.exists():
                raise InputError(f"there are no texts at {path} ({part}); allowed are {known}")
            if not path.is_file() or form_of(path) not in _READERS:
                hint = _HINTS.get(form_of(path), "")
                raise InputError(
                    f"cannot tell what {path} ({part}) is; allowed are {known}{'. ' if hint else ''}{hint}"
                )

    def rows(self, reading: Reading) -> Iterator[Row]:
        form = form_of(self.path)
        if form not in DELIMITERS:
            check_no_table_options(self.path, reading)
        return _READERS[form](self.path, reading)

    def files(self, reading: Reading) -> list[Path]:
        return [self.path]

    def fingerprint(self, reading: Reading) -> str:
        """Return a hash of the file's bytes."""
        with readable(self.path):
            return hash_of_files([self.path])

    def given_paths(self) -> list[Path]:
        return [self.path]


class FilesInput(TextInput):
    """The files of a folder whose names match a pattern, such as `big/part-*.csv`, in the order of their names.

    Hidden files are skipped.

    Raises:
        InputError: there are none, or the form of one is unknown.
    """

    def __init__(self, pattern: Path, part: str) -> None:
        self.path = pattern.parent
        self.name = self.path.absolute().name
        if _is_pattern(self.path):
            raise InputError(f"{pattern} ({part}): only the name of the files may hold *, ? and [], not their folder")
        with readable(self.path):
            paths = sorted(self.path.iterdir()) if self.path.is_dir() else []
            named = [path for path in paths if fnmatch.fnmatch(path.name, pattern.name) and path.name[0] != "."]
            self._files = [FileInput(path, part) for path in named if path.is_file()]
        if not self._files:
            raise InputError(f"there are no texts at {pattern} ({part}): no file name matches")

    def rows(self, reading: Reading) -> Iterator[Row]:
        for file in self._files:
            for row in file.rows(reading):
                yield row._replace(where=f"/{file.name}{row.where}")

    def files(self, reading: Reading) -> list[Path]:
        return self.given_paths()

    def fingerprint(self, reading: Reading) -> str:
        """Return a hash of the files' names and bytes."""
        names = [(file.name, file.fingerprint(reading)) for file in self._files]
        return hashlib.sha256(repr(names).encode("utf-8", "surrogateescape")).hexdigest()

    def given_paths(self) -> list[Path]:
        return [file.path for file in self._files]


def _is_pattern(path: Path) -> bool:
    return any(char in str(path) for char in "*?[")


class ListInput(TextInput):
    """A list of texts and one of their labels; counted from 0, as in Python.

    Raises:
        InputError: they are not lists of one length.
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
        # Lists have no columns, so any two names do.
        plain = Reading(
            label_column=None if reading.label_column is None else "label",
            label_separator=reading.label_separator,
            keep_empty=reading.keep_empty,
        )
        for number, values in enumerate(zip(self.texts, self.labels, strict=True)):
            columns = dict(zip(("text", "label"), map(_plain, values), strict=True))
            yield plain.typed_row(self.path, f"[{number}]", columns)

    def fingerprint(self, reading: Reading) -> str:
        digest = hashlib.sha256()
        for pair in zip(self.texts, self.labels, strict=True):
            digest.update(repr(tuple(map(_plain, pair))).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


def _plain(value: Any) -> Any:
    """Convert a number of numpy or torch to Python's."""
    return value.item() if hasattr(value, "item") else value


def open_input(given: "str | Path | TextsAndLabels", part: str) -> TextInput:
    """Find out in which form texts are given.

    Args:
        given: a path, a pattern of paths, or two lists.
        part: "train", "val" or "test", for messages and to choose a split.

    Raises:
        InputError: the form is unknown.
    """
    if not isinstance(given, str | Path):
        return ListInput(given, part)
    path = Path(given).expanduser()
    with readable(path):
        if path.is_dir():
            return SavedDatasetInput(path, part) if is_saved_dataset(path) else ClassFolderInput(path)
        # The name of a file may look like a pattern.
        if _is_pattern(path) and not path.exists():
            return FilesInput(path, part)
    return FileInput(path, part)
