import torch

from seqclass.training.mean_loss import MeanLoss


def test_the_mean_is_over_samples_not_over_batches():
    mean = MeanLoss()
    mean.update(torch.tensor(6.0), 3)
    mean.update(torch.tensor(1.0), 1)
    mean.update(torch.tensor(0.0), 0)
    assert mean.compute() == 7 / 4


def test_one_that_is_not_finite_stays():
    mean = MeanLoss()
    mean.update(torch.tensor(float("nan")), 3)
    mean.update(torch.tensor(1.0), 1)
    assert mean.compute().isnan()
