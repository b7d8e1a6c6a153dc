import pytest
import torch
from torch.nn import functional as F

from seqclass.classifier.tasks import MultiLabel, SingleLabel


def logits(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_two_classes_have_one_logit():
    task, z, labels = SingleLabel(2), logits(7), torch.tensor([0, 1, 1, 0, 1, 0, 0])
    assert torch.equal(task.loss(z, labels), F.binary_cross_entropy_with_logits(z, labels.float()))
    torch.testing.assert_close(task.probabilities(z)[:, 1], z.sigmoid())
    torch.testing.assert_close(task.probabilities(z).sum(dim=1), torch.ones(7))
    assert torch.equal(task.predicted(z), task.probabilities(z).argmax(dim=1))


def test_more_classes_have_a_logit_each():
    task, z, labels = SingleLabel(3), logits(4, 3), torch.tensor([0, 1, 2, 2])
    assert torch.equal(task.loss(z, labels), F.cross_entropy(z, labels))
    assert torch.equal(task.probabilities(z), z.softmax(dim=1))
    assert torch.equal(task.predicted(z), z.argmax(dim=1))


def test_several_labels_are_decided_on_one_by_one():
    task, z, labels = MultiLabel(2), logits(4, 2), torch.tensor([[0, 1], [1, 1], [0, 0], [1, 0]])
    each = F.binary_cross_entropy(z.sigmoid(), labels.float())
    torch.testing.assert_close(task.loss(z, labels), each)
    assert torch.equal(task.probabilities(z), z.sigmoid())
    assert torch.equal(task.predicted(z), (z > 0).long())


@pytest.mark.parametrize("classes", [2, 3])
def test_class_weights_are_those_of_the_mean(classes):
    task, labels = SingleLabel(classes), torch.tensor([0, 1, 1, 0])
    z = logits(4) if classes == 2 else logits(4, 3)
    weights = torch.tensor([1.0, 3.0, 5.0][:classes])
    each = torch.stack([task.loss(z[row : row + 1], labels[row : row + 1]) for row in range(4)])
    expected = (each * weights[labels]).sum() / weights[labels].sum()
    torch.testing.assert_close(task.loss(z, labels, weights), expected)


def test_what_a_row_of_probabilities_stands_for():
    assert SingleLabel(3).chosen([0.2, 0.5, 0.3]) == (1,)
    assert MultiLabel(3).chosen([0.5, 0.2, 0.9]) == (0, 2)
    assert MultiLabel(3).chosen([0.1, 0.2, 0.3]) == ()


@pytest.mark.parametrize("weights", [None, [1.0, 3.0, 5.0]])
@pytest.mark.parametrize("classes", [2, 3])
def test_soft_labels(classes, weights):
    """Those that are certain give the loss of the labels; others the mean of it over the labels they may be."""
    task, labels = SingleLabel(classes), torch.tensor([0, 1, 1, 0])
    z = logits(4) if classes == 2 else logits(4, 3)
    weights = None if weights is None else torch.tensor(weights[:classes])
    certain = F.one_hot(labels, classes).float()
    torch.testing.assert_close(task.loss(z, certain, weights), task.loss(z, labels, weights))
    shares = torch.rand(4, classes, generator=torch.Generator().manual_seed(1)).softmax(dim=1)
    expected = F.cross_entropy(task.probabilities(z).log(), shares)
    torch.testing.assert_close(task.loss(z, shares), expected)
    assert torch.equal(task.hard(shares), shares.argmax(dim=1))
    assert torch.equal(task.hard(labels), labels)


def test_soft_labels_of_several():
    task, z, shares = MultiLabel(2), logits(4, 2), torch.rand(4, 2, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(task.loss(z, shares), F.binary_cross_entropy(z.sigmoid(), shares))
    assert torch.equal(task.hard(shares), (shares >= 0.5).long())
    labels = torch.tensor([[0, 1], [1, 1]])
    assert torch.equal(task.hard(labels), labels)
