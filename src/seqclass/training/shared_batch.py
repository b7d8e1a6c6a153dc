"""The mean loss of a batch of which each process has a part.

The mean of the parts' means would be wrong where the parts are unequal, in number or, with class weights, in weight: so
the processes add up what they divide by. `DistributedDataParallel` averages the gradients over the processes; hence
the factor of their number.
"""

from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class BatchLoss:
    """The loss of a process' part of a batch.

    Attributes:
        objective: where the backward pass begins. The gradients, averaged over the processes, are those of the mean
            loss of the whole batch.
        total: scalar without a graph; its sum over the processes is the mean loss of the whole batch, times the number
            of texts in it.
    """

    objective: torch.Tensor
    total: torch.Tensor


def batch_loss(total: torch.Tensor, weight: torch.Tensor | float, samples: int) -> BatchLoss:
    """Make the mean loss of a batch, which is shared if there are several processes; each has to call this then.

    Args:
        total: scalar, the sum of this process' losses.
        weight: what it is divided by to be a mean; 0 if there are none.
        samples: texts of this process.
    """
    if not distributed.is_available() or not distributed.is_initialized():
        mean = total / weight
        return BatchLoss(mean, mean.detach() * samples)
    whole = torch.tensor([float(weight), samples], device=total.device)
    distributed.all_reduce(whole)
    mean = total / whole[0]
    return BatchLoss(mean * distributed.get_world_size(), mean.detach() * whole[1])
