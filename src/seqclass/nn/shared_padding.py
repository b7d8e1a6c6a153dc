"""Padding in front: where it ends in each row, and how an LSTM avoids computing it row by row.

Rows that are padded in front all begin with the same steps. Unless something random happens to each row, their LSTM
states are equal too, so a single row, the *shared row*, can be computed in place of all rows that are still in their
padding. With the rows sorted by the length of their padding, those that have left it (the *active* rows) always come
first, and a row that leaves it takes over the shared row's state. This is exact, whatever the order of the samples: it
only leaves out repeated arithmetic. Masked padding (Keras' `mask_zero`), where a padded step leaves the state
unchanged, needs no shared row: the state before the first real step is zero.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import torch

from seqclass.nn.tensor_checks import has_numbers


@dataclass(frozen=True)
class LeadingPadding:
    """The padded steps in front of each row.

    Attributes:
        counts: (batch,) int64, on any device: how many leading steps of a row are padding, from 0 to all of them.
        masked: False if padded steps are computed; True if they leave the state unchanged.
        shared: whether padded steps that are computed are equal in all rows that have them.
    """

    counts: torch.Tensor
    masked: bool = False
    shared: bool = True

    @property
    def saves_steps(self) -> bool:
        """Whether padded steps need not be computed row by row."""
        return self.masked or self.shared

    def unshared(self) -> "LeadingPadding":
        """Return the same padding, after something has made the rows differ in it."""
        return replace(self, shared=False)

    def check(self, batch: int, steps: int) -> None:
        """Check that this is padding for `batch` rows of `steps` steps.

        Counts on a GPU are not read, since the host would have to wait for them; kernels there only compare them with
        the step, and where the host needs them, `sorted_counts` reads and checks them.

        Raises:
            ValueError: `counts` has another shape or dtype, or a number outside 0 to `steps`.
        """
        counts = self.counts
        if counts.shape != (batch,) or counts.dtype != torch.int64:
            raise ValueError(
                f"padding.counts is {tuple(counts.shape)} {counts.dtype}; allowed is {(batch,)} torch.int64, a number "
                "for each row"
            )
        if batch > 0 and has_numbers(counts):
            fewest, most = counts.aminmax()
            _check_range(int(fewest), int(most), steps)

    def sorted_counts(self, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Sort the rows by their padding, shortest first.

        Returns:
            The sorted counts and the order of the rows, both (batch,) int64 on the CPU.

        Raises:
            ValueError: a count outside 0 to `steps`.
        """
        counts, order = self.counts.cpu().sort(stable=True)
        if len(counts) > 0:
            _check_range(int(counts[0]), int(counts[-1]), steps)
        return counts, order


def _check_range(fewest: int, most: int, steps: int) -> None:
    if fewest < 0 or most > steps:
        raise ValueError(f"padding.counts has {fewest if fewest < 0 else most}; allowed are 0 to {steps}, the steps")


@dataclass(frozen=True)
class TimeBlock:
    """Steps `start` to `stop` (exclusive), computed for the same rows.

    Attributes:
        start: first step.
        stop: the step after the last.
        active: how many of the sorted rows are computed individually.
        shared: whether one more row is computed in place of all that are still in their padding.
    """

    start: int
    stop: int
    active: int
    shared: bool

    @property
    def steps(self) -> int:
        return self.stop - self.start

    @property
    def rows(self) -> int:
        return self.active + self.shared


@dataclass(frozen=True)
class TimePlan:
    """How an LSTM processes a batch: the order of its rows, and the blocks of steps.

    Attributes:
        order: (batch,) int64 on the CPU, the rows sorted by their padding, shortest first; None if they keep their
            order.
        blocks: in order of time; masked steps at which no row is active are left out.
    """

    order: torch.Tensor | None
    blocks: tuple[TimeBlock, ...]


def count_leading(ids: torch.Tensor, padding_id: int = 0) -> torch.Tensor:
    """Count the ids at the front of each row that are padding.

    Args:
        ids: (batch, steps) integers.
        padding_id: the id of padding.

    Returns:
        (batch,) int64; `steps` for a row that is all padding.
    """
    real = ids != padding_id
    return torch.where(real.any(dim=1), real.int().argmax(dim=1), ids.shape[1])


def after_window(counts: torch.Tensor, *, steps: int, kernel_size: int, pool_size: int) -> torch.Tensor:
    """Count the leading steps that still see only padding after a convolution and a pooling.

    The convolution has length `kernel_size`, stride 1 and "same" padding, its longer side on the right; the pooling has
    length and stride `pool_size`. Pooled step j sees the ids up to `j * pool_size + pool_size - 1 + kernel_size // 2`.
    The steps counted here are equal in all rows that have them, but not equal to each other: the first one sees the
    edge.

    Args:
        counts: (batch,) int64, leading padding before the convolution.
        steps: length of the sequence before the convolution; a row that is all padding stays so.
        kernel_size: length of the convolution.
        pool_size: length and stride of the pooling.

    Returns:
        (batch,) int64.
    """
    seen = (counts - kernel_size // 2).clamp(min=0) // pool_size
    return torch.where(counts == steps, steps // pool_size, seen)


def plan_time(batch: int, steps: int, *, block_steps: int, padding: LeadingPadding | None = None) -> TimePlan:
    """Divide the steps into blocks, and determine which rows are computed in each.

    A row becomes active at the start of the block in which its padding ends: the padded steps that it then computes
    itself give the same as the shared row. Masked padding has to end exactly, so there a block also ends where a row
    begins.

    Args:
        batch: number of rows.
        steps: number of steps.
        block_steps: length of a block, unless something else ends it earlier.
        padding: masked or shared; None to compute every row at every step.
    """
    if padding is None:
        edges = [*range(0, steps, block_steps), steps]
        blocks = tuple(TimeBlock(a, b, batch, False) for a, b in pairwise(edges))
        return TimePlan(None, blocks)
    counts, order = padding.sorted_counts(steps)
    starts = set(range(0, steps, block_steps))
    if padding.masked:
        starts.update(count for count in counts.tolist() if count < steps)
    edges = [*sorted(starts), steps]
    ends = counts if padding.masked else counts + 1
    active = torch.searchsorted(ends, torch.tensor(edges[:-1] if padding.masked else edges[1:]), right=True)
    blocks = tuple(
        TimeBlock(start, stop, rows, shared=not padding.masked and rows < batch)
        for (start, stop), rows in zip(pairwise(edges), active.tolist(), strict=True)
        if rows > 0 or not padding.masked
    )
    return TimePlan(order, blocks)
