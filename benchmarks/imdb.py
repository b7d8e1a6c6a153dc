"""The real reviews, as seqclass reads and encodes them. Imported only when they are needed: Lightning is slow to."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqclass.data import IMDBDataModule, MissingDataError

PARTS = ("train", "test")


def at_hand() -> bool:
    """Whether the reviews are on this machine: named by ``SEQCLASS_IMDB``, or in seqclass' cache."""
    try:
        IMDBDataModule(download=False).find_source(allow_download=False)
    except MissingDataError:
        return False
    return True


def encoded(*, length: int, num_words: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Ids (reviews, length) and labels of both parts, in the source's order; from seqclass' cache if there."""
    module = IMDBDataModule(num_words=num_words, maxlen=length, download=False)
    module.prepare_data()
    module.setup()
    loaders = {"train": module.train_dataloader(), "test": module.test_dataloader()}
    return {part: (loader.ids.numpy(), loader.labels.numpy()) for part, loader in loaders.items()}


def archive() -> Path:
    """The archive or the folder of the reviews."""
    return IMDBDataModule(download=False).find_source(allow_download=False).path


def texts() -> dict[str, list[tuple[str, str]]]:
    """The texts of both parts with the names of their classes, in the same order."""
    source = IMDBDataModule(download=False).find_source(allow_download=False)
    found: dict[str, list[tuple[str, str]]] = {part: [] for part in PARTS}
    for review in source.texts():
        found[review.part].append((review.text, *review.labels))
    return found
