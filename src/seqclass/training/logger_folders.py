"""Folders of loggers that hold another run's files."""

from collections.abc import Iterable
from pathlib import Path

from lightning.pytorch.loggers import Logger

from seqclass.errors import InputError

_OF_A_RUN = ("config.yaml", "metrics.csv", "hparams.yaml", "events.out.tfevents.*")


def check_unused(loggers: Iterable[Logger]) -> None:
    """Refuse a folder in which another run has logged: `CSVLogger` would delete that run's metrics.

    Args:
        loggers: of a Trainer, before it runs.

    Raises:
        InputError: the folder of one of them is not free; nothing in it has been changed.
    """
    for logger in loggers:
        folder = getattr(logger, "log_dir", None)
        if not isinstance(folder, str) or "://" in folder:
            continue
        found = sorted(file.name for pattern in _OF_A_RUN for file in Path(folder).glob(pattern))
        if found:
            raise InputError(
                f"{type(logger).__name__} would write to {folder}, which has another run's files: {', '.join(found)}; "
                "leave out --trainer.logger.version to get a new folder, or give another"
            )
