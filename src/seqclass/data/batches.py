"""Batches as slices of tensors."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch

from seqclass.checks import check_whole
from seqclass.errors import InputError
from seqclass.text import RaggedIds, TextPipeline


class Batch(NamedTuple):
    """A batch of texts and their classes.

    There are more ids than labels in one case: a process that gets no text of a shared batch computes on a row of
    padding, which does not count.

    Args:
        ids: int64, shape (batch, steps).
        labels: int64, shape (batch,); with any number of labels a text, ones and zeros, shape (batch, classes). Soft
            labels are float32, from 0 to 1, shape (batch, classes): how probable each class is.
    """

    ids: torch.Tensor
    labels: torch.Tensor


class EpochOrder:
    """The order of the texts in each epoch, determined by the seed and the number of the epoch alone.

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
        """Make `epoch` the next one, counted from 0."""
        self.epoch = epoch

    def next(self) -> torch.Tensor:
        """Return the order of the next epoch; int64, shape (size,)."""
        # (seed, epoch), not their sum: with the sum, seed 7 would repeat the orders of seed 8 one epoch
        # later. The 1 keeps clear of (seed, 0), from which the hold-out is drawn.
        random = np.random.default_rng((self.seed, 1 + self.epoch))
        self.epoch += 1
        return torch.from_numpy(random.permutation(self.size))


class PaddedOnDemand:
    """Rows of a padded matrix, made on demand because the whole matrix would not fit into memory.

    Args:
        ids: the encoded texts; they may be in a memory-mapped file.
        rows: which of them are the rows, in which order; int64, shape (texts,).
        pipeline: cuts and pads, to one length.
    """

    def __init__(self, ids: RaggedIds, rows: npt.NDArray[np.int64], pipeline: TextPipeline) -> None:
        self._pipeline = pipeline.fixed_for(ids)
        self.shape = (len(rows), self._pipeline.maxlen or 1)
        self._ids = ids
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: slice | torch.Tensor) -> torch.Tensor:
        """Return rows of the matrix; int32, shape (rows, steps)."""
        rows = self._rows[index if isinstance(index, slice) else index.numpy()]
        return torch.from_numpy(self._pipeline.pad(self._ids[rows]))


class Batches:
    """A data loader without workers: each batch is a slice of the padded matrix.

    The last batch is smaller if the texts do not fill it; it is never dropped. Several processes share each batch: a
    process is given its rows of it, as many as the others or one fewer, so that all together see each text once.

    Its state is the place in the epoch. Lightning keeps it in checkpoints, so a run that is resumed in the middle of an
    epoch goes on with the next batch.

    Args:
        ids: the padded matrix, int16 or int32, shape (texts, steps); half or a quarter of the memory of
            int64, to which only the batch is converted. Or an object that makes its rows.
        labels: integers, shape (texts,) or (texts, classes); or soft ones (see `Batch`).
        num_ids: rows of the embedding table that will be read with the ids.
        batch_size: texts in a batch, of all processes together.
        shuffle_seed: shuffle each epoch with this seed; None keeps the order of the matrix. The processes need the
            same.
        names: what the texts are called in messages; None for their numbers.
        num_replicas: number of processes.
        rank: number of this one, from 0 on.

    Attributes:
        names: as given.
        sampler: the order of the epochs, None without shuffling.
        batch_sampler: None. Lightning reads both, as it would of a `DataLoader`.

    Raises:
        InputError: if an id has no row in the table, which a GPU would report late and without its position; or
            if the sizes do not match. Rows that are made on demand are checked with their batch.
    """

    def __init__(
        self,
        ids: torch.Tensor | PaddedOnDemand,
        labels: torch.Tensor,
        *,
        num_ids: int,
        batch_size: int,
        shuffle_seed: int | None = None,
        names: Sequence[str] | None = None,
        num_replicas: int = 1,
        rank: int = 0,
    ) -> None:
        check_whole("batch_size", batch_size, least=1)
        if len(ids) != len(labels):
            raise InputError(f"there are {len(ids)} texts and {len(labels)} labels")
        self.ids = ids
        self.labels = labels
        self.batch_size = batch_size
        self.names = names
        self.sampler = None if shuffle_seed is None else EpochOrder(len(ids), seed=shuffle_seed)
        self.batch_sampler = None
        self._num_ids = num_ids
        self._num_replicas = num_replicas
        self._rank = rank
        self._epoch, self._given = 0, 0  # the current epoch, and how many of its batches have been given
        self._resumed: Mapping[str, int] = {}
        if isinstance(ids, torch.Tensor):
            self._check_ids(ids, slice(None))

    def __len__(self) -> int:
        """Return the number of batches, the last, smaller one included; the same in all processes."""
        return -(-len(self.ids) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        # The order is drawn at the first `next`, not at `iter`, because Lightning calls `iter` on the first
        # epoch before it sets the epoch.
        first = self._begin_epoch()
        order = None if self.sampler is None else self.sampler.next().to(self.labels.device)
        for number in range(first, len(self)):
            self._given = number + 1
            start = number * self.batch_size
            rows: slice | torch.Tensor = self._share(start, min(start + self.batch_size, len(self.ids)))
            if order is not None:
                rows = order[rows]
            ids = self.ids[rows]
            if not isinstance(self.ids, torch.Tensor):
                self._check_ids(ids, rows)
            # Without texts of its own a process computes on padding: all have to go through the same steps.
            ids = ids if len(ids) else ids.new_zeros(1, self.ids.shape[1])
            labels = self.labels[rows]
            yield Batch(ids.long(), labels if labels.is_floating_point() else labels.long())

    def state_dict(self) -> dict[str, Any]:
        """Return which epoch this is, and how many of its batches have been given; the same in all processes."""
        return {
            "epoch": self._epoch,
            "batches": self._given,
            "batch_size": self.batch_size,
            "texts": len(self.ids),
        }

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Resume there: if that epoch comes next, it begins with the first batch that has not been returned.

        An InputError is raised then if the batches have changed, so that none begins at that position.

        Raises:
            InputError: what is loaded is not the state of batches.
        """
        for name in ("epoch", "batches", "batch_size", "texts"):
            check_whole(f"{name} in the saved state of the batches", state_dict.get(name), least=0)
        self._resumed = dict(state_dict)
        self._epoch, self._given = state_dict["epoch"], state_dict["batches"]
        if self.sampler is not None:
            self.sampler.set_epoch(self._epoch + (self._given * state_dict["batch_size"] >= state_dict["texts"]))

    def _begin_epoch(self) -> int:
        """Return the number of the batch that the epoch begins with: 0, unless it is resumed in the middle."""
        resumed, self._resumed = self._resumed, {}
        self._epoch = 0 if self.sampler is None else self.sampler.epoch
        if not resumed or resumed["epoch"] != self._epoch:
            return 0
        for name, now in (("texts", len(self.ids)), ("batch_size", self.batch_size)):
            if now != resumed[name]:
                raise InputError(
                    f"training cannot go on in the middle of epoch {self._epoch + 1} with {name}={now}: it was "
                    f"{resumed[name]} when the checkpoint was saved, after {resumed['batches']} batches; use the same, "
                    "or a checkpoint from the end of an epoch"
                )
        return resumed["batches"] % max(len(self), 1)

    def _share(self, start: int, end: int) -> slice:
        """Return this process's rows of a batch."""
        # Rounded up: the first processes take the remainder.
        edges = (start - (start - end) * rank // self._num_replicas for rank in (self._rank, self._rank + 1))
        return slice(*edges)

    def to(self, device: torch.device | str) -> "Batches":
        """Move the matrix and the labels, so that no batch has to be copied to `device`; returns self.

        Raises:
            TypeError: if the rows are made on demand.
        """
        if not isinstance(self.ids, torch.Tensor):
            raise TypeError("rows that are made on demand are not moved")
        self.ids = self.ids.to(device)
        self.labels = self.labels.to(device)
        return self

    def _check_ids(self, ids: torch.Tensor, rows: slice | torch.Tensor) -> None:
        # Python's ints: a comparison of an int16 tensor with 32,768 or more wraps.
        if not ids.numel() or (int(ids.min()) >= 0 and int(ids.max()) < self._num_ids):
            return
        wide = ids.long()
        row, step = ((wide < 0) | (wide >= self._num_ids)).nonzero()[0].tolist()
        text = int(torch.arange(len(self.ids))[rows][row])
        name = f" ({self.names[text]})" if self.names else ""
        raise InputError(
            f"text {text}{name} has the id {ids[row, step]} at step {step}; allowed are 0 to {self._num_ids - 1}: the "
            "ids belong to another vocabulary"
        )
