"""Ten steps of training as the golden files' Keras took them, with what its backends did otherwise than PyTorch.

The notebook's Keras 1 ran on TensorFlow. Neither of the two habits imitated here concerns it: the golden values of
Keras 1 come from Theano, and only Keras 3 on TensorFlow hands an embedding's sparse gradient to Adam as it is.
"""

from typing import Any

import torch
from support.golden import Golden
from torch import nn
from torch.nn import functional as F

from seqclass.models import Stack
from seqclass.optim import KerasAdam


class TheanoMaxPool(nn.Module):
    """Max pooling whose gradient goes to *every* element that equals the maximum, not to the first of them.

    In the padding neighbouring steps have equal features, so the largest of a window is often there twice.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        steps = features.shape[1] // self.size * self.size
        windows = features[:, :steps].unflatten(1, (-1, self.size))
        largest = windows.detach().amax(dim=2, keepdim=True)
        # The sum is zero; it is there for its gradient.
        return largest.squeeze(2) + ((windows - windows.detach()) * (windows == largest)).sum(dim=2)


class SparseKerasAdam:
    """Keras' Adam for an embedding in TensorFlow: the second moment adds up each occurrence's own square.

    The gradient of a look-up is a list of rows, one for each id of the batch (`IndexedSlices`). Keras squares the list
    and adds it to v, so a word that stands in a batch n times adds g_1^2 + ... + g_n^2, where a dense gradient would
    add (g_1 + ... + g_n)^2. The first moment is the same either way.
    """

    def __init__(self, weight: torch.Tensor, *, lr: float = 1e-3, eps: float = 1e-7) -> None:
        self.weight, self.lr, self.eps, self.step_count = weight, lr, eps, 0
        self.first, self.second = torch.zeros_like(weight), torch.zeros_like(weight)

    @torch.no_grad()
    def step(self, ids: torch.Tensor, gradients: torch.Tensor) -> None:
        """Update by the gradients of the looked-up rows, (batch, steps, features)."""
        self.step_count += 1
        ids, gradients = ids.flatten(), gradients.flatten(0, 1)
        self.first.mul_(0.9).index_add_(0, ids, gradients, alpha=0.1)
        self.second.mul_(0.999).index_add_(0, ids, gradients.square(), alpha=0.001)
        rate = self.lr * (1 - 0.999**self.step_count) ** 0.5 / (1 - 0.9**self.step_count)
        self.weight -= rate * self.first / (self.second.sqrt() + self.eps)


def train(stack: Stack, golden: Golden, *, steps: int = 10) -> list[float]:
    """Train on the one batch by `KerasAdam`, as a user would; return each step's loss."""
    optimizer = KerasAdam(stack.parameters(), eps=golden.adam_eps)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(stack(golden.ids), golden.labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def train_as_tensorflow(stack: Stack, golden: Golden, *, steps: int = 10) -> list[float]:
    """The same, with `SparseKerasAdam` for the embedding."""
    looked_up: list[torch.Tensor] = []

    def keep(module: nn.Module, inputs: Any, output: torch.Tensor) -> None:
        output.retain_grad()
        looked_up.append(output)

    def compute_every_row(module: nn.Module, inputs: Any) -> Any:
        # Shared padding gives all rows' gradient to one of them: right in the sum, not row by row.
        return inputs if stack.mask_padding else (inputs[0], None)

    stack.embedding.register_forward_hook(keep)
    stack.recurrent.register_forward_pre_hook(compute_every_row)
    table = stack.embedding.weight
    embedding_adam = SparseKerasAdam(table, eps=golden.adam_eps)
    optimizer = KerasAdam([weight for weight in stack.parameters() if weight is not table], eps=golden.adam_eps)
    losses = []
    for _ in range(steps):
        stack.zero_grad()
        loss = F.binary_cross_entropy_with_logits(stack(golden.ids), golden.labels)
        loss.backward()
        optimizer.step()
        gradients = looked_up.pop().grad
        assert gradients is not None
        embedding_adam.step(golden.ids, gradients)
        losses.append(loss.item())
    return losses
