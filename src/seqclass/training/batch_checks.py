"""Batches of data that are not this project's: checked where they arrive, before anything is computed from them."""

from typing import Any

import torch

from seqclass.errors import InputError


def check_batch(
    batch: Any, *, num_embeddings: int, num_classes: int, multi_label: bool, source: str, soft: bool = False
) -> None:
    """Check ids and labels.

    A binary loss takes a label of 2 without complaint, and falls below zero. On a GPU an id or a label out of range
    stops the process without saying which one it was: so this is called before a batch is moved there. Numbers that are
    on a GPU already are left alone, as reading them would wait for it; those of `Batches` have been checked before.

    Args:
        batch: has to be ids, (batch, steps), and labels: (batch,) from 0 on, or (batch, classes) zeros and ones.
        num_embeddings: ids are below it.
        num_classes: labels are below it.
        multi_label: whether a text may have several labels, or none.
        source: what the batch comes from, for messages.
        soft: whether labels may be soft (see `Batch`).

    Raises:
        InputError: it is not that; the message has the value, its place, and what is allowed.
    """
    if not isinstance(batch, tuple | list) or len(batch) != 2 or not all(isinstance(x, torch.Tensor) for x in batch):
        raise InputError(f"a batch of {source} is {_shown(batch)}; allowed is a pair of tensors, ids and labels")
    ids, labels = batch
    check_ids(ids, num_embeddings=num_embeddings, source=source)
    if soft and labels.is_floating_point() and labels.dim() == 2:
        _check_soft(labels, len(ids), num_classes, source)
        return
    shape = (len(ids), num_classes) if multi_label else (len(ids),)
    # No labels for one row of ids: see `Batch`.
    if labels.dtype != torch.int64 or (labels.shape != shape and (len(labels) > 0 or len(ids) > 1)):
        raise InputError(
            f"the labels of {source} are {labels.dtype} {tuple(labels.shape)}; allowed for these ids is torch.int64 "
            f"{shape}"
        )
    if multi_label:
        _check_range(labels, 1, f"labels[{{}}] in a batch of {source}", "whether a text has the label")
    else:
        classes = f"{num_classes} classes, counted from 0"
        _check_range(labels, num_classes - 1, f"labels[{{}}] in a batch of {source}", classes)


def _check_soft(labels: torch.Tensor, texts: int, classes: int, source: str) -> None:
    if labels.shape != (texts, classes) and (len(labels) > 0 or texts > 1 or labels.shape[1] != classes):
        raise InputError(
            f"the soft labels of {source} have the shape {tuple(labels.shape)}; allowed for these ids is "
            f"{(texts, classes)}"
        )
    if labels.device.type == "cpu" and not ((labels >= 0) & (labels <= 1)).all():
        raise InputError(f"the soft labels of {source} have numbers outside 0 to 1, or that are not numbers")


def check_ids(ids: torch.Tensor, *, num_embeddings: int, source: str) -> None:
    """Check ids alone; see `check_batch`.

    Raises:
        InputError: another shape or dtype, or an id outside the embedding.
    """
    if ids.dim() != 2 or ids.dtype not in (torch.int32, torch.int64):
        raise InputError(
            f"the ids of {source} are {ids.dtype} {tuple(ids.shape)}; allowed is torch.int64 or torch.int32 (batch, "
            "steps)"
        )
    _check_range(ids, num_embeddings - 1, f"ids[{{}}] in a batch of {source}", "the rows of the embedding")


def _check_range(numbers: torch.Tensor, most: int, name: str, meaning: str) -> None:
    if numbers.device.type != "cpu" or not numbers.numel():
        return
    lowest, highest = numbers.aminmax()
    if lowest < 0 or highest > most:
        place = ((numbers < 0) | (numbers > most)).nonzero()[0].tolist()
        value = int(numbers[tuple(place)])
        raise InputError(f"{name.format(', '.join(map(str, place)))} is {value}; allowed are 0 to {most}, {meaning}")


def _shown(batch: Any) -> str:
    if isinstance(batch, torch.Tensor):
        return f"a tensor of shape {tuple(batch.shape)}"
    if isinstance(batch, tuple | list):
        return f"a {type(batch).__name__} of {len(batch)}: {', '.join(map(_shown, batch[:3])) or 'nothing'}"
    return f"a {type(batch).__name__}"
