import json

import pytest
import torch

from seqclass.classifier import MultiLabel, SingleLabel
from seqclass.errors import InputError
from seqclass.training.epoch_metrics import EpochMetrics


def accuracy(task, predicted, labels):
    metrics = EpochMetrics(task)
    metrics.update("val", torch.tensor(0.0), torch.tensor(predicted), torch.tensor(labels))
    return metrics.compute("val")["val_acc"].item()


def test_accuracy_counts_texts_of_which_all_is_right():
    assert accuracy(SingleLabel(3), [0, 1, 2, 2], [0, 1, 1, 2]) == 0.75
    assert accuracy(MultiLabel(2), [[1, 0], [1, 1]], [[1, 0], [1, 0]]) == 0.5


@pytest.mark.parametrize(
    ("task", "labels"), [(SingleLabel(2), [1, 0]), (SingleLabel(3), [2, 0]), (MultiLabel(2), [[1, 1], [0, 1]])]
)
def test_an_epoch_goes_on_from_its_sums(task, labels):
    whole, begun, resumed = (EpochMetrics(task) for _ in range(3))
    true, wrong = torch.tensor(labels), torch.tensor(labels).roll(1, 0)
    for metrics, predicted in ((whole, true), (whole, wrong), (begun, true)):
        metrics.update("train", torch.tensor(0.7), predicted, true)
    resumed.go_on_from(json.loads(json.dumps(begun.training_sums())))
    resumed.update("train", torch.tensor(0.7), wrong, true)
    assert resumed.compute("train") == whole.compute("train")


@pytest.mark.parametrize("sums", [{}, {"train_loss": {"total": "much", "samples": 3}}, {"train_loss": [3]}])
def test_sums_of_something_else(sums):
    with pytest.raises(InputError, match="sum 'total' of train_loss is not one of this model"):
        EpochMetrics(SingleLabel(2)).go_on_from(sums)
