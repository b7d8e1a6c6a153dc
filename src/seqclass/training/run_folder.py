"""A folder of its own for each run."""

from contextlib import suppress
from pathlib import Path


def make_run_folder(root: str | Path, name: str) -> Path:
    """Make the next free folder `root/name/N`, counted from 1.

    Making it is what takes it, so two runs that start at once get two folders.

    Args:
        root: folder of all runs.
        name: of the recipe.

    Returns:
        The new, empty folder.
    """
    parent = Path(root) / name
    parent.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(folder.name) for folder in parent.iterdir() if folder.name.isdecimal()), default=0)
    while True:
        folder = parent / str(number)
        try:
            folder.mkdir()
        except FileExistsError:
            number += 1
        else:
            return folder


def remove_empty_folders(folder: Path) -> None:
    """Remove a run's folder, and the recipe's and that of all runs above it, as far as they are empty."""
    with suppress(OSError):  # the first that holds something ends it
        for candidate in (folder, *folder.parents[:2]):
            candidate.rmdir()
