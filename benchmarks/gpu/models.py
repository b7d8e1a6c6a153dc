"""The notebook's stacks with a batch, and one training step of them in several ways."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from benchmarks import notebook
from seqclass.models import Stack, build_stack
from seqclass.nn import Kernel
from seqclass.optim import KerasAdam
from seqclass.training.cuda_graphs import GraphCaptureWarning, GraphedStep, capture_cuda_graph

Step = Callable[[], torch.Tensor]


def stack(name: str, kernel: Kernel, device: str, *, tiny: bool) -> Stack:
    """One stack, in training mode."""
    torch.manual_seed(7)
    sizes = {"num_embeddings": 50, "embedding_dim": 4, "hidden_size": 5} if tiny else {}
    built = build_stack(name, num_classes=2, kernel=kernel, **{**_NOTEBOOK, **sizes})  # type: ignore[arg-type]
    return built.to(device).train()


_NOTEBOOK = {
    "num_embeddings": notebook.NUM_WORDS,
    "embedding_dim": notebook.EMBEDDING_DIM,
    "hidden_size": notebook.HIDDEN_SIZE,
}


def batch(device: str, *, tiny: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and labels of the notebook's shape, padded in front to different lengths."""
    rows, steps, words = (2, 3, 50) if tiny else (notebook.BATCH_SIZE, notebook.LENGTH, notebook.NUM_WORDS)
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(1, words, (rows, steps), generator=generator)
    padded = torch.randint(0, steps, (rows, 1), generator=generator)
    ids[torch.arange(steps) < padded] = 0
    return ids.to(device), torch.randint(0, 2, (rows,), generator=generator).float().to(device)


def training_step(model: Stack, ids: torch.Tensor, labels: torch.Tensor) -> Step:
    """A step as one writes it."""
    optimizer = KerasAdam(model.parameters())

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = binary_cross_entropy_with_logits(model(ids), labels)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return step


def graphed_step(model: Stack, ids: torch.Tensor, labels: torch.Tensor) -> Step:
    """A step whose forward and backward pass are a CUDA graph, recorded before this returns.

    Raises:
        RuntimeError: it cannot be recorded.
    """
    optimizer = KerasAdam(model.parameters())

    def compute(ids: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (binary_cross_entropy_with_logits(model(ids), labels),)

    graphed = GraphedStep(compute, model.parameters(), capture=capture_cuda_graph if ids.is_cuda else repeated)

    def step() -> torch.Tensor:
        (loss,) = graphed(ids, labels)
        optimizer.step()
        return loss

    _record(graphed, step)
    return step


def repeated(run: Callable[[], tuple[torch.Tensor, ...]]) -> tuple[tuple[torch.Tensor, ...], Callable[[], None]]:
    """Stand for `capture_cuda_graph` where no GPU is: run the function again, into the tensors of the first time."""
    outputs = run()

    def replay() -> None:
        for own, new in zip(outputs, run(), strict=True):
            own.copy_(new)

    return outputs, replay


def _record(graphed: GraphedStep, step: Step) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", GraphCaptureWarning)
        try:
            for _ in range(5):
                step()
        except GraphCaptureWarning as warning:
            raise RuntimeError(str(warning)) from warning
    if not graphed.graphs:
        raise RuntimeError("nothing was recorded")


def compiled_step(model: Stack, ids: torch.Tensor, labels: torch.Tensor, *, backend: str) -> Step:
    """A step of a model that `torch.compile` has compiled, but for its LSTM."""
    model.recurrent.forward = torch.compiler.disable(model.recurrent.forward)  # type: ignore[method-assign]
    compiled = torch.compile(model, backend=backend)
    return training_step(compiled, ids, labels)  # type: ignore[arg-type]
