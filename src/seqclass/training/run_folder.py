"""A folder of its own for each run."""

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
