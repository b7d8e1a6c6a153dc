"""Labelled texts in a folder with one sub-folder per class."""

import fnmatch
import os
import re
from collections.abc import Iterator
from pathlib import Path

from seqclass.data.sources.rows import BYTE_ORDER_MARK, MAX_TEXT_BYTES, Reading, Row, not_decodable
from seqclass.errors import InputError
from seqclass.reading import readable


def read_class_folder(path: Path, reading: Reading) -> Iterator[Row]:
    """Reads the labelled texts of a folder in the order of class and file name.

    The name of a sub-folder is the label of the files in it, one text each. Hidden files, and those whose names are
    not of the pattern, are passed over.

    Args:
        path: the folder that holds the sub-folders.
        reading: the encoding, and the pattern.

    Raises:
        InputError: if a sub-folder has no texts, or as `class_files`, or if a file cannot be used.
    """
    with readable(path):
        for label, name, file in class_files(path, reading.pattern):
            where = f"/{label}/{name}"
            size = file.stat().st_size
            if size > MAX_TEXT_BYTES:
                raise InputError(f"{path}{where} has {size:,} bytes; a text has at most {MAX_TEXT_BYTES:,}")
            try:
                text = Path(file.path).read_bytes().decode(reading.encoding)
            except UnicodeError as error:
                raise not_decodable(path, where, reading.encoding, error) from error
            yield reading.row(path, where, [text.removeprefix(BYTE_ORDER_MARK)], label)


def class_files(path: Path, pattern: str) -> list[tuple[str, str, "os.DirEntry[str]"]]:
    """Returns class, name and entry of each text, sorted; none of them lies outside of the folder.

    Args:
        path: the folder that holds the sub-folders.
        pattern: of the files' names.

    Raises:
        InputError: if a class has no texts, or if a link leads out of the folder: what it points to was not
            given to be read.
    """
    root = path.resolve()
    fits = re.compile(fnmatch.translate(pattern), re.IGNORECASE).match
    found = []
    with readable(path):
        for folder in _entries(path):
            if not folder.is_dir():
                continue
            _check_inside(root, folder)
            files = [file for file in _entries(folder.path) if fits(file.name)]
            for file in files:
                _check_inside(root, file)
            texts = [(folder.name, file.name, file) for file in files if file.is_file()]
            if not texts:
                raise InputError(
                    f"{folder.path} holds no {pattern} files; {path} has to hold one folder for each class, with one "
                    "such file for each text in it; `pattern` says what they are called"
                )
            found += texts
    return sorted(found, key=lambda text: text[:2])


def _entries(folder: str | Path) -> Iterator["os.DirEntry[str]"]:
    with os.scandir(folder) as entries:  # 50,000 Path objects would take half a second
        for entry in entries:
            if not entry.name.startswith("."):
                yield entry


def _check_inside(root: Path, entry: "os.DirEntry[str]") -> None:
    # Path.resolve would raise a RuntimeError on links in a circle.
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(root):
        raise InputError(f"{entry.path} is a link that leaves the folder {root}; put the texts themselves there")
