"""Part ``choices``: every way to launch the Triton pass that compiles, forward and backward; the fastest is remembered.

Sizes are the notebook's batch, an evaluation's, and segments of 50 steps, which fill the card with ten times as many
rows and a tenth of the dependent steps.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu import clock, rows
from benchmarks.gpu.problems import Problem, autocast
from seqclass.nn.kernels import LSTMArguments
from seqclass.nn.kernels.triton_pass import triton_lstm
from seqclass.nn.kernels.triton_pass.choices import Choice, Precision
from seqclass.nn.kernels.triton_pass.tuning import tune

PROBLEMS = {
    "notebook": Problem(64, 500, gate_dropout=True),
    "segments": Problem(640, 50, gate_dropout=True, return_sequences=True),
}
TINY = {"tiny": Problem(1, 1, 2, 5, gate_dropout=True)}


def tuned(problem: Problem, precision: Precision, device: str, *, tiny: bool) -> dict[str, Any]:
    """Measure all choices for one problem.

    Raises:
        RuntimeError: none of them runs.
    """
    given = problem.tensors(device)
    sources = [given[name] for name in ("inputs", "weight_ih", "weight_hh", "bias")]

    def run(choice: Choice) -> float:
        def step() -> None:
            with autocast(device, precision):
                state = triton_lstm(LSTMArguments(**given), choice)
            torch.autograd.grad(state.sum(), sources)

        return clock.milliseconds(step, device, tiny=tiny)["ms"]

    results = tune(
        run,
        batch=problem.batch,
        hidden_size=problem.hidden_size,
        precision=precision,
        device=torch.device(device),
    )
    figures = [{"choice": str(choice), "result": result} for choice, result in results.items()]
    times = [result for result in results.values() if not isinstance(result, str)]
    if not times:
        raise RuntimeError(f"no choice runs: {figures[0]['result']}")
    return {"ms": min(times), "choices": figures}


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("choices")
    for name, problem in (TINY if arguments.tiny else PROBLEMS).items():
        for precision in ("float32", "bfloat16"):
            part.measure(
                name,
                lambda p=problem, a=precision: tuned(p, a, arguments.device, tiny=arguments.tiny),
                precision=precision,
            )
    part.ended()


if __name__ == "__main__":
    main()
