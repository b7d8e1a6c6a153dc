"""Where downloads, encoded texts and compiled code are kept."""

import os
from pathlib import Path


def cache_root(cache_dir: str | Path | None = None) -> Path:
    """Return the folder of everything that can be made again.

    The first that is set: `cache_dir`, the environment variable SEQCLASS_CACHE, `seqclass` in XDG_CACHE_HOME,
    `~/.cache/seqclass`.
    """
    if cache_dir is not None:
        return Path(cache_dir).expanduser()
    if os.environ.get("SEQCLASS_CACHE"):
        return Path(os.environ["SEQCLASS_CACHE"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "seqclass"


def library_folder() -> Path:
    """Return the folder of compiled code: one for each user, who may share the rest of the cache with others."""
    return cache_root() / f"compiled-{os.getuid()}"
