import torch

from seqclass.classifier import MultiLabel, SingleLabel
from seqclass.training.epoch_metrics import EpochMetrics


def accuracy(task, predicted, labels):
    metrics = EpochMetrics(task)
    metrics.update("val", torch.tensor(0.0), torch.tensor(predicted), torch.tensor(labels))
    return metrics.compute("val")["val_acc"].item()


def test_accuracy_counts_texts_of_which_all_is_right():
    assert accuracy(SingleLabel(3), [0, 1, 2, 2], [0, 1, 1, 2]) == 0.75
    assert accuracy(MultiLabel(2), [[1, 0], [1, 1]], [[1, 0], [1, 0]]) == 0.5
