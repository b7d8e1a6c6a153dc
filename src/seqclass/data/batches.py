"""Batches as slices of tensors."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch

from seqclass.errors import InputError
from seqclass.text.checks import check_whole


class Batch(NamedTuple):
    """Texts and their classes.

    Args:
        ids: int64, shape (batch, steps).
        labels: int64, shape (batch,); with any number of labels a text, ones and zeros, shape (batch, classes).
    """

    ids: torch.Tensor
    labels: torch.Tensor


class EpochOrder:
    """The order of the texts in each epoch, which follows from the seed and the number of the epoch alone.

    A run that is resumed in epoch 3 therefore sees the order that epoch 3 of the uninterrupted run had.
    Lightning calls `set_epoch` before each epoch, since it finds this object as `sampler`; in a plain loop
    the epochs count up by themselves.

    Args:
        size: number of texts.
        seed: decides the orders.
    """

    def __init__(self, size: int, *, seed: int) -> None:
        self.size = size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Makes `epoch` the next one, counted from 0."""
        self.epoch = epoch

    def next(self) -> torch.Tensor:
        """Returns the order of the next epoch; int64, shape (size,)."""
        # (seed, epoch), not their sum: with the sum, seed 7 would repeat the orders of seed 8 one epoch
        # later. The 1 keeps clear of (seed, 0), from which the hold-out is drawn.
        random = np.random.default_rng((self.seed, 1 + self.epoch))
        self.epoch += 1
        return torch.from_numpy(random.permutation(self.size))


class Batches:
    """A data loader without workers: each batch is a slice of the padded matrix.

    The last batch is smaller if the texts do not fill it; it is never dropped.

    Args:
        ids: the padded matrix, int16 or int32, shape (texts, steps); half or a quarter of the memory of
            int64, to which only the batch is converted.
        labels: int64, shape (texts,) or (texts, classes).
        num_ids: rows of the embedding table that will be read with the ids.
        batch_size: texts in a batch.
        shuffle_seed: shuffle each epoch with this seed; None keeps the order of the matrix.
        names: what a person finds each text by; None for their numbers.

    Attributes:
        names: as given.
        sampler: the order of the epochs, None without shuffling.
        batch_sampler: None. Lightning reads both, as it would of a `DataLoader`.

    Raises:
        InputError: if an id has no row in the table, which a GPU would report late and without its place; or
            if the sizes do not fit each other.
    """

    def __init__(
        self,
        ids: torch.Tensor,
        labels: torch.Tensor,
        *,
        num_ids: int,
        batch_size: int,
        shuffle_seed: int | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        check_whole("batch_size", batch_size, least=1)
        if len(ids) != len(labels):
            raise InputError(f"there are {len(ids)} texts and {len(labels)} labels")
        _check_ids(ids, num_ids, names)
        self.ids = ids
        self.labels = labels
        self.batch_size = batch_size
        self.names = names
        self.sampler = None if shuffle_seed is None else EpochOrder(len(ids), seed=shuffle_seed)
        self.batch_sampler = None

    def __len__(self) -> int:
        """Number of batches, the last, smaller one included."""
        return -(-len(self.ids) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # The order is drawn at the first `next`, not at `iter`, because Lightning calls `iter` on the first
        # epoch before it sets the epoch.
        order = None if self.sampler is None else self.sampler.next().to(self.ids.device)
        for start in range(0, len(self.ids), self.batch_size):
            rows: slice | torch.Tensor = slice(start, start + self.batch_size)
            if order is not None:
                rows = order[rows]
            yield Batch(self.ids[rows].long(), self.labels[rows])

    def to(self, device: torch.device | str) -> "Batches":
        """Moves the matrix and the labels, so that no batch has to be copied to `device`; returns self."""
        self.ids = self.ids.to(device)
        self.labels = self.labels.to(device)
        return self


def _check_ids(ids: torch.Tensor, num_ids: int, names: Sequence[str] | None) -> None:
    # Python's ints: a comparison of an int16 tensor with 32,768 or more wraps.
    if not ids.numel() or (int(ids.min()) >= 0 and int(ids.max()) < num_ids):
        return
    wide = ids.long()
    text, step = ((wide < 0) | (wide >= num_ids)).nonzero()[0].tolist()
    name = f" ({names[text]})" if names else ""
    raise InputError(
        f"text {text}{name} has the id {ids[text, step]} at step {step}; allowed are 0 to {num_ids - 1}: the "
        "ids are another vocabulary's"
    )
