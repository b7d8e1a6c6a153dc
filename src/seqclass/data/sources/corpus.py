"""Texts without labels, from files, folders and archives."""

import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from seqclass.compressed import readable
from seqclass.data.sources.inputs import open_input
from seqclass.data.sources.rows import Reading
from seqclass.errors import InputError

_ARCHIVES = (".tar.gz", ".tgz", ".tar")
_MOST_BYTES = 1 << 24
"""Of one text in an archive; what is larger is not a text."""


def corpus_texts(paths: Sequence[str | Path], reading: Reading | None = None) -> Iterator[str]:
    """Read texts one by one.

    Args:
        paths: each a table of texts (see `seqclass.data.sources`), a folder, whose `.txt` files at any depth are one
            text each, or an archive of such a folder. In folders and archives what lies below a folder called `test` is
            left out: nobody should learn from the texts that a result is measured on.
        reading: how tables are read: columns, encoding and so on.

    Raises:
        InputError: something cannot be read, or there are no texts.
    """
    count = 0
    for path in map(Path, paths):
        for text in _texts(path.expanduser(), reading or Reading()):
            count += 1
            yield text
    if not count:
        raise InputError(f"there are no texts in {', '.join(map(str, paths))}")


def _texts(path: Path, reading: Reading) -> Iterator[str]:
    if path.is_dir():
        for file in sorted(path.rglob("*.txt")):
            if not _is_test(PurePosixPath(file.relative_to(path).as_posix())):
                with readable(file):
                    yield _decoded(file.read_bytes(), reading, str(file))
    elif path.name.endswith(_ARCHIVES):
        yield from _archived(path, reading)
    else:
        unlabelled = replace(reading, label_column=None, keep_empty=True)
        for row in open_input(path, "train").rows(unlabelled):
            yield row.text


def _archived(path: Path, reading: Reading) -> Iterator[str]:
    try:
        # Read as a stream, and nothing of it is unpacked to the disk.
        with readable(path), tarfile.open(path, "r|*") as archive:
            for member in archive:
                name = PurePosixPath(member.name)
                if not member.isfile() or name.suffix != ".txt" or _is_test(name):
                    continue
                if member.size > _MOST_BYTES:
                    raise InputError(
                        f"{path}: {member.name} has {member.size:,} bytes; at most {_MOST_BYTES:,} are read"
                    )
                file = archive.extractfile(member)
                assert file is not None  # it is a file
                yield _decoded(file.read(), reading, f"{path}: {member.name}")
    except tarfile.TarError as error:
        raise InputError(f"{path} is not an archive, or is damaged ({error})") from error


def _is_test(name: PurePosixPath) -> bool:
    return "test" in name.parts[:-1]


def _decoded(content: bytes, reading: Reading, name: str) -> str:
    try:
        return content.decode(reading.encoding)
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not {reading.encoding}: {error}; see the option encoding") from error
