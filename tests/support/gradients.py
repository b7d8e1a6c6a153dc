"""An output together with its gradients, to be compared at once."""

import torch


def with_gradients(output: torch.Tensor, *sources: torch.Tensor) -> list[torch.Tensor]:
    """The output, and the gradients of a weighted sum of it, each number with a weight of its own."""
    factors = torch.linspace(-1, 2, output.numel(), dtype=output.dtype).view(output.shape)
    return [output.detach(), *torch.autograd.grad((output * factors).sum(), sources)]
