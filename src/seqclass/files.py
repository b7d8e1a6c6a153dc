"""Files that appear whole or not at all, and never in place of what they are made from."""

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqclass.errors import InputError


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Hand out a path beside `path` to write to, and rename it when the block ends without an error.

    Missing folders are made. After an error nothing is left behind, no new folder either, and an older file at `path`
    is untouched.

    Raises:
        InputError: the file cannot be written: no such place, no permission, no space. The message names `path`.
    """
    path = Path(path)
    part: Path | None = None
    made = [folder for folder in path.parents if not folder.exists()]
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        ) as file:
            part = Path(file.name)
        yield part
        _reach_the_disk(part)
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        if part is not None:  # libraries put the name of the file that they know in the message
            reason = reason.replace(str(part), str(path)).replace(part.name, path.name)
        raise InputError(f"cannot write {path}: {reason}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
        with suppress(OSError):  # the first that holds something ends it
            for folder in made:
                folder.rmdir()


def _reach_the_disk(path: Path) -> None:
    """Wait until the bytes are on the disk: some file systems find out only then that it is full."""
    with path.open("r+b") as file:
        os.fsync(file.fileno())


def check_not_source(
    targets: str | Path | Iterable[Path], sources: Iterable[str | Path | None], *, option: str
) -> None:
    """Refuse to write over what is read.

    Files are compared by identity, not by name, so links and other spellings of a path are recognised.

    Args:
        targets: the file that is going to be written, or several.
        sources: files that are read; folders, of which every file is; patterns such as `part-*.csv`. None is ignored.
        option: where the target was given, for the message.

    Raises:
        InputError: a target is a source.
    """
    given = [path for source in sources if source is not None for path in _matching(source)]
    for target in [Path(targets)] if isinstance(targets, str | Path) else targets:
        for source in given:
            if _is_within(target, source):
                raise InputError(
                    f"cannot write {target}: it is read, as {source}, and would be lost; give another {option}"
                )


def _matching(source: str | Path) -> list[Path]:
    path = Path(source).expanduser()
    return [path] if path.exists() else list(path.parent.glob(path.name))


def _is_within(target: Path, source: Path) -> bool:
    """Whether a file is the source, or lies in it."""
    try:
        if not target.exists():
            return False
        candidates = [target, *target.resolve().parents] if source.is_dir() else [target]
        return any(candidate.samefile(source) for candidate in candidates)
    except OSError:  # what cannot be looked at cannot be written either
        return False
