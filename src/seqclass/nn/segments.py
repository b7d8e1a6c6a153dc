"""Long texts cut into segments that a recurrent layer reads side by side, as rows of one batch.

A text of 1,000 words is 1,000 dependent steps, and its batch waits for it. Twenty segments of 50 words are 50 steps of
twenty rows (Johnson and Zhang, "Supervised and Semi-Supervised Text Categorization using LSTM for Region Embeddings",
2016). A state then knows the words of its segment alone, which costs no accuracy where the whole text is pooled.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from seqclass.checks import check_positive
from seqclass.nn.shared_padding import LeadingPadding, count_leading


@dataclass(frozen=True)
class Segments:
    """The segments of a batch of texts, as rows.

    Attributes:
        ids: (rows, length). Texts one after the other, and the segments of each in order; a text's first one is padded
            in front if its words do not fill it.
        padding: the leading steps of each row that are padding; masked, so that they cost nothing.
        texts: (rows,) int64, the text that each row belongs to.
        places: (rows,) int64, where a row belongs within its text, from 0 to `most` - 1.
        batch: number of texts.
        most: segments of the longest text.
    """

    ids: torch.Tensor
    padding: LeadingPadding
    texts: torch.Tensor
    places: torch.Tensor
    batch: int
    most: int


def chop(ids: torch.Tensor, length: int, *, drop_padding: bool = True) -> Segments:
    """Cut texts into segments, from their ends.

    Args:
        ids: (batch, steps) integers, at least one step; 0 pads, in front.
        length: words of a segment. If no text has that many, the segments are as long as the longest text.
        drop_padding: leave out rows and columns that hold nothing but padding, but for one row of a text without words.
            Their number follows from the ids, which a graph with fixed shapes cannot have (`torch.export`): False keeps
            all `ceil(steps / length)` segments of each text.

    Raises:
        ValueError: the length is below 1.
    """
    check_positive("length", length)
    batch, steps = ids.shape
    counts = count_leading(ids)
    if drop_padding and batch:
        # One step stays, for a batch without any word.
        needless = min(int(counts.min()), steps - 1)
        ids, counts, steps = ids[:, needless:], counts - needless, steps - needless
    length = min(length, steps)
    most = -(-steps // length)
    added = most * length - steps
    rows = F.pad(ids, (added, 0)).view(batch * most, length)
    starts = torch.arange(most, device=ids.device) * length
    padded = ((counts + added).unsqueeze(1) - starts).clamp(min=0, max=length).flatten()
    texts = torch.arange(batch, device=ids.device).repeat_interleave(most)
    places = torch.arange(most, device=ids.device).repeat(batch)
    if drop_padding:
        kept = (padded < length) | (places == most - 1)
        rows, padded, texts, places = rows[kept], padded[kept], texts[kept], places[kept]
    return Segments(rows, LeadingPadding(padded, masked=True), texts, places, batch, most)


def pool_segments(states: torch.Tensor, segments: Segments) -> torch.Tensor:
    """Pool the states of each text over all its words: the maxima of the features, then their means.

    Args:
        states: (rows, length, features), one for each step of the segments; those of padding do not count.
        segments: as from `chop`.

    Returns:
        (batch, 2 * features); zeros for a text without words.
    """
    _, length, features = states.shape
    words = torch.arange(length, device=states.device) >= segments.padding.counts.unsqueeze(1)
    pool = _PooledRows.apply if torch.is_grad_enabled() else _pooled_rows  # what `torch.export` can trace
    largest, total = pool(states, words)
    # Each row has a place of its own here, so this adds nothing up: it gives the same in every run, on a GPU too, which
    # adding rows to their texts by index would not.
    places = (segments.texts, segments.places)
    shape = (segments.batch, segments.most, features)
    largest = states.new_full(shape, -torch.inf).index_put(places, largest).amax(dim=1)
    total = states.new_zeros(shape).index_put(places, total).sum(dim=1)
    counts = states.new_zeros(shape[:2]).index_put(places, words.sum(dim=1).to(states.dtype)).sum(dim=1, keepdim=True)
    largest = largest.masked_fill(counts == 0, 0)
    return torch.cat([largest, total / counts.clamp(min=1)], dim=1)


def _pooled_rows(states: torch.Tensor, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Compute the maxima and the sums of each row's states, (rows, features), over its words, (rows, length)."""
    return _masked(states, words).amax(dim=1), _summed(states, words)


def _masked(states: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    return states.masked_fill(~words.unsqueeze(2), -torch.inf)


def _summed(states: torch.Tensor, words: torch.Tensor) -> torch.Tensor:
    with torch.autocast(states.device.type, enabled=False):  # a sum in half precision would be none
        return torch.bmm(words.unsqueeze(1).to(states.dtype), states).squeeze(1)


class _PooledRows(torch.autograd.Function):
    """`_pooled_rows` with its gradient written by hand: PyTorch's needs three times as long.

    It compares all states with the maxima, to share the gradient of a maximum among equal states, and then adds two
    tensors of the states' size. Here the first of equal states gets all of it, and one tensor is written.
    """

    @staticmethod
    def forward(ctx: Any, states: torch.Tensor, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        largest, steps = _masked(states, words).max(dim=1)
        ctx.save_for_backward(words, steps)
        return largest, _summed(states, words)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        of_largest, of_total = gradients
        words, steps = ctx.saved_tensors
        gradient = words.unsqueeze(2) * of_total.unsqueeze(1)
        # Padding comes first, so the last step is a word if there is one.
        at_largest = (of_largest + of_total) * words[:, -1:]
        return gradient.scatter_(1, steps.unsqueeze(1), at_largest.unsqueeze(1)), None
