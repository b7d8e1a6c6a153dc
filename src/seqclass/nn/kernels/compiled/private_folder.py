"""A folder for code that no other user can change, and the files in it."""

import os
import stat
from pathlib import Path


def open_private_folder(folder: Path) -> Path:
    """Create a folder that only this process's user can enter, or make sure that an existing one is such a folder.

    A folder of one's own that others can enter is closed to them; they may have put files there before, so read them
    with `read_own_file`.

    Raises:
        OSError: it cannot be created or used, is a symbolic link, or belongs to another user.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    # Through a handle, so that every question is about the same folder, even if the path is swapped meanwhile.
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except NotADirectoryError as error:
        raise NotADirectoryError(f"{folder} is not a folder, or is a symbolic link to one") from error
    try:
        status = os.fstat(handle)
        if status.st_uid != os.getuid():
            raise PermissionError(f"{folder} belongs to the user {status.st_uid}; allowed is your own, {os.getuid()}")
        if stat.S_IMODE(status.st_mode) != 0o700:
            os.fchmod(handle, 0o700)
    finally:
        os.close(handle)
    return folder


def read_own_file(path: Path) -> bytes | None:
    """Read a file that belongs to this process's user and that no other user can write to; None for any other."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(handle)
        own = stat.S_ISREG(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022
        return file.read() if own else None
