"""A training step's forward and backward pass as one launch: CUDA graphs.

A step of these models is a few dozen to a few thousand kernels of some microseconds each, which the host launches one
by one, more slowly than a fast GPU runs them. A CUDA graph records them once and launches them together. It has to find
everything at the same address each time, so there is one graph for each shape of a batch, inputs are copied into its
own, and gradients come out in its own too.

The optimizer is not part of it. Its learning rate and its count of steps are numbers of the host, which a graph would
repeat as they were; and its launches overlap with the graph, which the GPU is busy with.
"""

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import GradientAccumulationScheduler

from seqclass.errors import InputError

# Returns the loss, a scalar whose gradient is taken, and whatever else is wanted of the step.
Compute = Callable[..., tuple[torch.Tensor, ...]]
# Runs a function so that what it does can be repeated: its outputs, and what repeats it into those same outputs.
Capture = Callable[[Callable[[], tuple[torch.Tensor, ...]]], tuple[tuple[torch.Tensor, ...], Callable[[], None]]]


def check_recordable(trainer: Trainer) -> None:
    """Check that a training step under these settings can be recorded, before anything is trained.

    Raises:
        InputError: it cannot; the message names the setting and what is allowed.
    """
    device = trainer.strategy.root_device
    if device.type != "cuda" or torch.version.hip is not None:
        found = "rocm" if device.type == "cuda" else device.type
        raise InputError(f"cuda_graph needs a CUDA GPU, and this trains on {found!r}: leave it out, or set it to false")
    if trainer.world_size > 1:
        raise InputError(
            f"cuda_graph goes with one process, not with {trainer.world_size}, which exchange gradients in between: "
            "use --trainer.devices 1"
        )
    if not str(trainer.precision).endswith("-true"):
        # The loss scale of 16-mixed changes from step to step, and autocast keeps copies of weights between them.
        raise InputError(
            f"cuda_graph does not go with --trainer.precision {trainer.precision}; allowed are those without autocast: "
            "32-true, bf16-true, 64-true, 16-true"
        )
    schedules = any(isinstance(callback, GradientAccumulationScheduler) for callback in trainer.callbacks)  # type: ignore[attr-defined]
    if trainer.accumulate_grad_batches != 1 or schedules:
        found = "a GradientAccumulationScheduler" if schedules else str(trainer.accumulate_grad_batches)
        raise InputError(
            f"cuda_graph does not go with --trainer.accumulate_grad_batches (it is {found}): a graph writes the "
            "gradients of its own batch alone; use a larger batch_size"
        )


class GraphCaptureWarning(UserWarning):
    """A step cannot be captured as a graph, and runs as it always did."""


def capture_cuda_graph(
    run: Callable[[], tuple[torch.Tensor, ...]],
) -> tuple[tuple[torch.Tensor, ...], Callable[[], None]]:
    """Record the kernels that a function launches. They do not run meanwhile; the second result runs them.

    Raises:
        RuntimeError: the function does what a graph cannot hold, such as waiting for the GPU.
    """
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = run()
    return outputs, graph.replay


@dataclass(frozen=True)
class _Recorded:
    """One graph: what it reads, what it leaves, and the gradients that it writes."""

    inputs: tuple[torch.Tensor, ...]
    outputs: tuple[torch.Tensor, ...]
    gradients: tuple[torch.Tensor | None, ...]
    replay: Callable[[], None]


class GraphedStep:
    """Computes losses and gradients as `compute` does, the first times as it is, then by a graph of it.

    Random numbers are drawn anew in each step, from the device's default generator. What the host decides while
    `compute` runs (a branch, a Python number) is decided for good when the graph is recorded: a change of mode, of a
    dropout rate, or of which parameters are trained needs a new `GraphedStep`.

    Args:
        compute: from the inputs to the loss and other tensors of the step, none of them needed with its gradient.
        parameters: whose gradients are wanted.
        warm_up: steps of a shape that run without a graph first, since libraries set themselves up in theirs. A shape
            that comes less often, as an epoch's last, smaller batch may, never gets one.
        max_graphs: shapes that get a graph, each with memory of its own.
        capture: what records a graph.
    """

    def __init__(
        self,
        compute: Compute,
        parameters: Iterable[torch.nn.Parameter],
        *,
        warm_up: int = 3,
        max_graphs: int = 2,
        capture: Capture = capture_cuda_graph,
    ) -> None:
        self._compute = compute
        self._parameters = tuple(parameters)
        self._warm_up = warm_up
        self._max_graphs = max_graphs
        self._capture = capture
        self._seen: dict[tuple[object, ...], int] = {}
        self._recorded: dict[tuple[object, ...], _Recorded] = {}
        self._gradients: tuple[torch.Tensor | None, ...] = ()

    def __call__(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Run one step; the parameters' gradients are those of its loss alone.

        Args:
            *inputs: tensors; their shapes and dtypes say which graph is theirs.

        Returns:
            What `compute` returns, detached; copies, so that the next step leaves them as they are.
        """
        shape = tuple((tensor.shape, tensor.dtype, tensor.device) for tensor in inputs)
        recorded = self._recorded.get(shape) or self._record(shape, inputs)
        if recorded is None:
            outputs = self._run(inputs)
            self._gradients = tuple(parameter.grad for parameter in self._parameters)
            return outputs
        for own, given in zip(recorded.inputs, inputs, strict=True):
            own.copy_(given)
        recorded.replay()
        self._gradients = recorded.gradients
        self.attach_gradients()
        return tuple(output.clone() for output in recorded.outputs)

    def attach_gradients(self) -> None:
        """Give the parameters the last step's gradients, which `zero_grad` may have taken from them."""
        for parameter, gradient in zip(self._parameters, self._gradients, strict=True):
            parameter.grad = gradient

    @property
    def graphs(self) -> int:
        """How many shapes have a graph."""
        return len(self._recorded)

    def _record(self, shape: tuple[object, ...], inputs: tuple[torch.Tensor, ...]) -> _Recorded | None:
        """Record the graph of a shape that has been seen often enough."""
        self._seen[shape] = self._seen.get(shape, 0) + 1
        if self._seen[shape] <= self._warm_up or len(self._recorded) >= self._max_graphs:
            return None
        own = tuple(tensor.clone() for tensor in inputs)
        try:
            outputs, replay = self._capture(lambda: self._run(own))
        except RuntimeError as error:
            self._max_graphs = 0
            warnings.warn(f"no CUDA graph of this step: {error}", GraphCaptureWarning, stacklevel=3)
            return None
        gradients = tuple(parameter.grad for parameter in self._parameters)
        self._recorded[shape] = _Recorded(own, outputs, gradients, replay)
        return self._recorded[shape]

    def _run(self, inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        # None, not zeros: the backward pass then makes gradients of its own, within the graph's memory.
        for parameter in self._parameters:
            parameter.grad = None
        loss, *others = self._compute(*inputs)
        loss.backward()  # type: ignore[no-untyped-call]
        return tuple(tensor.detach() for tensor in (loss, *others))
