"""Labelled texts in a folder with one sub-folder per class."""

import fnmatch
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from seqclass.compressed import readable
from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, Reading, Row, not_decodable
from seqclass.data.sources.text_input import TextInput, check_no_table_options
from seqclass.errors import InputError

IMDB_FOLDERS = {"neg", "pos", "unsup"}
"""What `aclImdb/train` holds."""


class ClassFolderInput(TextInput):
    """A folder with one sub-folder of files, one text each, for every class.

    The name of a sub-folder is the label of its texts. Hidden files, and those whose names do not match the pattern,
    are skipped. Texts without labels may also lie in the folder itself.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.absolute().name  # "." has none of its own

    def rows(self, reading: Reading) -> Iterator[Row]:
        """Read the texts in the order of class and file name.

        Raises:
            InputError: a class has no texts, a file cannot be used, or as `class_files`.
        """
        check_no_table_options(self.path, reading)
        with readable(self.path):
            for label, name, file in class_files(self.path, reading, tell=True):
                where = f"/{label}/{name}" if label else f"/{name}"
                size = file.stat().st_size
                if size > MAX_TEXT_BYTES:
                    raise InputError(f"{self.path}{where} has {size:,} bytes; a text has at most {MAX_TEXT_BYTES:,}")
                try:
                    text = Path(file.path).read_bytes().decode(reading.encoding)
                except UnicodeError as error:
                    raise not_decodable(self.path, where, reading.encoding, error) from error
                yield reading.row(self.path, where, [text.removeprefix(BYTE_ORDER_MARK)], label)

    def files(self, reading: Reading) -> list[Path]:
        return [Path(file) for _, _, file in class_files(self.path, reading)]

    def fingerprint(self, reading: Reading) -> str:
        """Return a hash of the names, sizes and times of the files."""
        digest = hashlib.sha256()
        with readable(self.path):
            for label, name, file in class_files(self.path, reading):
                status = file.stat()
                digest.update(repr((label, name, status.st_size, status.st_mtime_ns)).encode())
        return digest.hexdigest()

    def given_paths(self) -> list[Path]:
        return [self.path]


def class_files(path: Path, reading: Reading, *, tell: bool = False) -> list[tuple[str, str, "os.DirEntry[str]"]]:
    """Find the texts of a folder of classes.

    Args:
        path: the folder that holds the sub-folders.
        reading: the pattern of the files' names, and whether they have labels.
        tell: report on standard error what is left out.

    Returns:
        Class, name and entry of each text, sorted; none of them is outside the folder.

    Raises:
        InputError: a class has no texts, the sub-folders are parts and not classes, or a link leads out of the folder,
            to files that the user did not name.
    """
    root = path.resolve()
    matches = re.compile(fnmatch.translate(reading.pattern), re.IGNORECASE).match
    with readable(path):
        entries = list(_entries(path))
        folders = {entry.name: entry for entry in entries if entry.is_dir()}
        _check_not_parts(path, folders)
        if folders.keys() >= IMDB_FOLDERS:
            del folders["unsup"]
            if tell:
                print(
                    f"Note: {path}/unsup holds the unlabelled reviews of the IMDB data set, which are not a class; "
                    "they are left out",
                    file=sys.stderr,
                )
        found = []
        if reading.label_column is None:
            found += [("", entry.name, entry) for entry in _texts(root, entries, matches)]
        for name, folder in folders.items():
            _check_inside(root, folder)
            texts = _texts(root, _entries(folder.path), matches)
            if not texts:
                raise InputError(
                    f"{folder.path} holds no {reading.pattern} files; {path} has to hold one folder for each class, "
                    "with one such file for each text in it; `pattern` says what they are called"
                )
            found += [(name, file.name, file) for file in texts]
    return sorted(found, key=lambda text: text[:2])


def _texts(
    root: Path, entries: Iterable["os.DirEntry[str]"], matches: Callable[[str], object]
) -> list["os.DirEntry[str]"]:
    files = [entry for entry in entries if matches(entry.name)]
    for file in files:
        _check_inside(root, file)
    return [file for file in files if file.is_file()]


def _check_not_parts(path: Path, folders: dict[str, "os.DirEntry[str]"]) -> None:
    """Refuse `aclImdb` where `aclImdb/train` is meant: the parts of a data set would be taken for its classes."""
    if not {"train", "test"} <= folders.keys():
        return
    if all(any(entry.is_dir() for entry in _entries(folders[part].path)) for part in ("train", "test")):
        raise InputError(
            f"{path} holds the parts train and test of a data set, not its classes; name {path}/train as the training "
            f"texts and {path}/test as the test texts"
        )


def _entries(folder: str | Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:  # 50,000 Path objects would take half a second
        for entry in entries:
            if not entry.name.startswith("."):
                yield entry


def _check_inside(root: Path, entry: "os.DirEntry[str]") -> None:
    # Path.resolve would raise a RuntimeError on links in a circle.
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root):
        raise InputError(f"{entry.path} is a link that leaves the folder {root}; copy the texts into the folder")
