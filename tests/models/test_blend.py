import pytest
import torch
from torch.nn import functional as F

from seqclass.models.blend import Blend


def test_at_first_it_is_a_geometric_mean_of_the_probabilities():
    recurrent, ngrams = torch.tensor([1.0, -2.0]), torch.tensor([3.0, 0.5])
    blended = Blend(single_label=True)(recurrent, ngrams).sigmoid()
    yes = (recurrent.sigmoid() * ngrams.sigmoid() ** 2) ** (1 / 3)
    no = ((-recurrent).sigmoid() * (-ngrams).sigmoid() ** 2) ** (1 / 3)
    torch.testing.assert_close(blended, yes / (yes + no))


def test_of_several_classes_too():
    torch.manual_seed(0)
    recurrent, ngrams = torch.randn(5, 3), torch.randn(5, 3)
    blended = Blend(single_label=True)(recurrent, ngrams).softmax(dim=1)
    product = (recurrent.softmax(dim=1) * ngrams.sigmoid() ** 2) ** (1 / 3)
    torch.testing.assert_close(blended, product / product.sum(dim=1, keepdim=True))


def loss(blend, recurrent, ngrams, labels, *, classes):
    logits = blend(recurrent, ngrams)
    if classes == 2:
        return F.binary_cross_entropy_with_logits(logits, labels.float()).item()
    return F.cross_entropy(logits, labels).item()


@pytest.mark.parametrize("classes", [2, 4])
def test_the_weights_have_the_highest_likelihood(classes):
    torch.manual_seed(1)
    labels = torch.randint(0, classes, (100_000,))
    truth = labels * 2.0 - 1 if classes == 2 else F.one_hot(labels, classes) * 2.0
    recurrent, ngrams = truth + torch.randn(truth.shape), truth + 2 * torch.randn(truth.shape)
    blend = Blend(single_label=True)
    blend.fit(recurrent, ngrams, labels)
    assert blend.weights[0] > blend.weights[1] > 0
    best = loss(blend, recurrent, ngrams, labels, classes=classes)
    chosen = blend.weights.clone()
    for change in ([0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]):
        blend.weights.copy_(chosen + torch.tensor(change))
        assert loss(blend, recurrent, ngrams, labels, classes=classes) > best


def test_a_branch_that_knows_nothing_gets_no_weight_and_none_a_negative_one():
    torch.manual_seed(2)
    labels = torch.randint(0, 2, (100_000,))
    blend = Blend(single_label=True)
    blend.fit(labels * 2.0 - 1 + torch.randn(100_000), -(labels * 2.0 - 1), labels)
    assert blend.weights[1].item() == pytest.approx(0, abs=1e-6)


def test_few_texts_leave_it_near_the_prior():
    blend = Blend(single_label=True)
    blend.fit(torch.tensor([1.0]), torch.tensor([-1.0]), torch.tensor([1]))
    assert (blend.weights - torch.tensor([1 / 3, 2 / 3])).abs().max() < 0.02


def test_several_labels_a_text():
    torch.manual_seed(3)
    labels = torch.randint(0, 2, (30_000, 3))
    recurrent, ngrams = labels * 2.0 - 1 + torch.randn(30_000, 3), torch.randn(30_000, 3)
    blend = Blend(single_label=False)
    blend.fit(recurrent, ngrams, labels)
    assert blend.weights[0] > 1 > blend.weights[1]
    torch.testing.assert_close(blend(recurrent, ngrams), blend.weights[0] * recurrent + blend.weights[1] * ngrams)
