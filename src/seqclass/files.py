"""Files that appear whole or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from seqclass.errors import InputError


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Hands out a path beside `path` to write to, and renames it when the block ends without an error.

    Missing folders are made. After an error nothing is left behind, no new folder either, and an older file at `path`
    is untouched.

    Raises:
        InputError: the file cannot be written: no such place, no permission, no space.
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
        part.chmod(0o644)
        part.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
        with suppress(OSError):  # the first that holds something ends it
            for folder in made:
                folder.rmdir()
