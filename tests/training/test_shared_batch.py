"""What processes compute of a batch that they share, put together, is what one computes of all of it."""

import pytest
import torch
from torch import distributed

from seqclass.classifier.tasks import MultiLabel, SingleLabel
from seqclass.training.shared_batch import batch_loss

TWO, FOUR, ANY = SingleLabel(2), SingleLabel(4), MultiLabel(3)
CASES = {
    "two classes": (TWO, (), None),
    "two classes, weighted": (TWO, (), [1.0, 5.0]),
    "four classes": (FOUR, (4,), None),
    "four classes, weighted": (FOUR, (4,), [1.0, 0.5, 2.0, 0.0]),
    "several labels": (ANY, (3,), None),
}


def batch(task, shape, size=11):
    random = torch.Generator().manual_seed(3)
    logits = torch.randn(size, *shape, dtype=torch.float64, generator=random)
    classes = (size, *shape) if isinstance(task, MultiLabel) else (size,)
    high = 2 if isinstance(task, MultiLabel) else task.num_classes
    return logits, torch.randint(high, classes, generator=random)


@pytest.fixture
def shared(monkeypatch):
    """Computes the losses of the parts of a batch one by one, as if each were a process' own."""

    def compute(task, parts, weights):
        totals = [task.total_loss(logits, labels, weights) for logits, labels in parts]
        whole = torch.tensor(
            [sum(float(weight) for _, weight in totals), sum(len(labels) for _, labels in parts)], dtype=torch.float64
        )
        monkeypatch.setattr(distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(distributed, "get_world_size", lambda: len(parts))
        monkeypatch.setattr(distributed, "all_reduce", lambda tensor: tensor.copy_(whole))
        return [
            batch_loss(total, weight, len(labels)) for (total, weight), (_, labels) in zip(totals, parts, strict=True)
        ]

    return compute


@pytest.mark.parametrize("sizes", [(11,), (6, 5), (4, 4, 3), (11, 0), (0, 1, 10)])
@pytest.mark.parametrize(("task", "shape", "weights"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("soft", [False, True])
def test_parts_make_the_whole(shared, task, shape, weights, sizes, soft):
    logits, labels = batch(task, shape)
    if soft:
        random = torch.Generator().manual_seed(4)
        labels = torch.rand(11, task.num_classes, dtype=torch.float64, generator=random).softmax(dim=1)
    weights = None if weights is None else torch.tensor(weights, dtype=torch.float64)
    leaf = logits.clone().requires_grad_()
    expected = task.loss(leaf, labels, weights)
    expected.backward()

    parts = [part.requires_grad_() for part in logits.clone().split(sizes)]
    losses = shared(task, list(zip(parts, labels.split(sizes), strict=True)), weights)
    assert sum(loss.total for loss in losses).item() == pytest.approx(11 * expected.item(), rel=1e-6)
    for loss in losses:
        loss.objective.backward()
    averaged = torch.cat([part.grad / len(sizes) for part in parts])  # as DistributedDataParallel does
    torch.testing.assert_close(averaged, leaf.grad, rtol=1e-6, atol=1e-12)


def test_alone_the_loss_is_the_mean():
    logits, labels = batch(TWO, ())
    loss = batch_loss(*TWO.total_loss(logits, labels), len(labels))
    assert loss.objective == TWO.loss(logits, labels)
    assert loss.total == 11 * loss.objective
