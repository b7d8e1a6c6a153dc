"""How a stack with two branches is trained, so that neither starves the other.

The recurrent branch learns by gradient descent on a loss of its own. The n-grams, which fit the training texts within
two epochs of any descent and would leave nothing to learn, are fitted at once, before it. Both meet in the blend alone,
whose two weights are chosen on the held-out texts after each epoch.
"""

from typing import Any

import torch
from torch import distributed

from seqclass.classifier import Task
from seqclass.data import EncodedDataModule
from seqclass.errors import InputError
from seqclass.models import Stack
from seqclass.nn import fit_ngrams
from seqclass.text import RaggedIds, subword_table
from seqclass.training.self_training import ngram_targets

NGRAM_STRENGTH = 200.0
"""How closely the n-grams fit the training texts; see `fit_ngrams`. Chosen on held-out texts (docs/accuracy.md)."""
MANY_IDS = 1_000_000
"""Of more training ids than this, n-grams in a single text are left out, and so is the spelling of words: it makes the
fit better, and smaller."""


def has_branches(stack: object) -> bool:
    """Tell whether a stack has n-grams beside its recurrent layers."""
    return isinstance(stack, Stack) and stack.ngrams is not None


def fit_ngram_branch(stack: Stack, data: Any, class_weights: torch.Tensor | None = None) -> None:
    """Fit the n-grams of a stack to all texts that are trained on; every process finds the same.

    Soft labels count as the most probable label, weighted by its confidence.

    Args:
        stack: has n-grams.
        data: the DataModule.
        class_weights: (classes,), what the texts of each class weigh; None for the same.

    Raises:
        InputError: the DataModule is not one of this project's, which know all their texts.
    """
    if not isinstance(data, EncodedDataModule):
        raise InputError(
            "n-grams are fitted to all training texts at once, which needs a DataModule of seqclass; use one, or set "
            "ngrams to 0"
        )
    layer = stack.ngrams
    assert layer is not None
    ids, labels = data.training_ids()
    classes = torch.from_numpy(labels).long()
    weights = None
    if data.soft_labelled is not None:
        found, sure = ngram_targets(torch.from_numpy(data.soft_labelled.shares), multi_label=data.multi_label)
        ids = RaggedIds.concatenated([ids, data.pipeline.cut(data.soft_labelled.ids)])
        weights = torch.cat([torch.ones(len(classes)), sure])
        classes = torch.cat([classes, found])
    targets = classes
    if classes.dim() == 1 and layer.outputs > 1:
        targets = torch.nn.functional.one_hot(classes, layer.outputs)
    if class_weights is not None:
        of_class = class_weights.cpu()[classes]
        weights = of_class if weights is None else weights * of_class
    values, offsets = torch.from_numpy(ids.values.astype("int32")), torch.from_numpy(ids.offsets)
    few = len(values) <= MANY_IDS
    fit_ngrams(
        layer,
        values,
        offsets,
        targets,
        weights=weights,
        subwords=_subwords(data) if few else None,
        strength=NGRAM_STRENGTH,
        min_texts=1 if few else 2,
    )


def _subwords(data: EncodedDataModule) -> tuple[torch.Tensor, torch.Tensor]:
    """List the character n-grams of each id's word, as `fit_ngrams` takes them."""
    table = subword_table(data.pipeline.vocabulary)
    return torch.from_numpy(table.values.astype("int32")), torch.from_numpy(table.offsets)


class BranchEvaluation:
    """The logits of both branches for the texts of an epoch, and what follows from them."""

    def __init__(self) -> None:
        self._parts: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []

    def add(self, stack: Stack, ids: torch.Tensor, labels: torch.Tensor) -> None:
        """Add a batch; ids beyond the labels do not count (see `Batch`)."""
        recurrent, ngrams = stack.recurrent_logits(ids), stack.ngram_logits(ids)
        self._parts.append((recurrent[: len(labels)], ngrams[: len(labels)], labels))

    def figures(
        self, stack: Stack, task: Task, class_weights: torch.Tensor | None, *, choose_blend: bool
    ) -> dict[str, torch.Tensor]:
        """Compute the loss, and the accuracy of the blend and of each branch alone; each process has to call this.

        Args:
            stack: whose logits have been added.
            task: decides which texts count as right.
            class_weights: of the loss; None for the same.
            choose_blend: whether to choose the weights of the blend by these texts first.
        """
        recurrent, ngrams, labels = self._all()
        assert stack.blend is not None
        if choose_blend:
            stack.blend.fit(recurrent, ngrams, labels)
        blended = stack.blend(recurrent, ngrams)
        return {
            "loss": task.loss(blended, labels, class_weights),
            "acc": task.accuracy(blended, labels),
            "acc_recurrent": task.accuracy(recurrent, labels),
            "acc_ngrams": task.accuracy(ngrams, labels),
        }

    def _all(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return recurrent logits, n-gram logits and labels of all texts, over all processes."""
        recurrent, ngrams, labels = (torch.cat(part) for part in zip(*self._parts, strict=True))
        if not distributed.is_available() or not distributed.is_initialized():
            return recurrent, ngrams, labels
        device = recurrent.device
        everyone: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(everyone, (recurrent.cpu(), ngrams.cpu(), labels.cpu()))
        first, second, third = (torch.cat(part).to(device) for part in zip(*everyone, strict=True))
        return first, second, third
