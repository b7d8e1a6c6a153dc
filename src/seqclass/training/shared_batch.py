"""The mean loss of a batch that several processes share.

The mean of the processes' means would be wrong where their parts differ in size or, with class weights, in weight: so
they add up the divisors. `DistributedDataParallel` averages the gradients over the processes, which the factor of their
number undoes.
"""

from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class BatchLoss:
    """The loss of a process's part of a batch.

    Attributes:
        objective: where the backward pass begins. The gradients, averaged over the processes, are those of the mean
            loss of the whole batch.
        total: scalar without a graph; its sum over the processes is the mean loss of the whole batch, times the number
            of texts in it.
    """

    objective: torch.Tensor
    total: torch.Tensor


def batch_loss(total: torch.Tensor, weight: torch.Tensor | float, samples: int) -> BatchLoss:
    """Compute the mean loss of a batch; if several processes share it, each has to call this.

    Args:
        total: scalar, the sum of this process's losses.
        weight: the divisor of the mean; 0 without texts.
        samples: number of this process's texts.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        mean = total / weight
        return BatchLoss(mean, mean.detach() * samples)
    whole = torch.tensor([float(weight), samples], device=total.device)
    distributed.all_reduce(whole)
    mean = total / whole[0]
    return BatchLoss(mean * distributed.get_world_size(), mean.detach() * whole[1])
