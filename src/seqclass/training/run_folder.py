"""A folder of its own for each run."""

import os
from contextlib import suppress
from pathlib import Path


def is_first_process() -> bool:
    """Whether this process is the first of those that share a run, or the only one.

    This is needed before they communicate, so the answer comes from the environment variables of Lightning's launcher,
    torchrun and SLURM.
    """
    rank = _first_set("RANK", "LOCAL_RANK", "SLURM_PROCID")  # the second is that on this machine
    machine = _first_set("NODE_RANK", "GROUP_RANK", "SLURM_NODEID")
    return int(rank or 0) == int(machine or 0) == 0


def is_only_process() -> bool:
    """Whether no other process shares the run yet: Lightning starts the others later, if there are any."""
    return _first_set("RANK", "LOCAL_RANK", "SLURM_PROCID") is None


def _first_set(*names: str) -> str | None:
    return next((os.environ[name] for name in names if name in os.environ), None)


def make_run_folder(root: str | Path, name: str) -> Path:
    """Make the next free folder `root/name/N`, counted from 1.

    Creating it claims it, so two runs that start at once get two folders.

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
    """Remove a run's folder and the two above it, the recipe's and that of all runs, as far as they are empty."""
    with suppress(OSError):  # stops at the first that is not empty
        for candidate in (folder, *folder.parents[:2]):
            candidate.rmdir()
