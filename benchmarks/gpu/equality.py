"""Part ``equality``: every kernel on the device against float64 on the CPU, forward and backward.

The float64 results are those of `fused`, which the tests hold to the textbook's LSTM and to finite differences.

Errors are the norm of the difference over the norm of the reference, for the states and each gradient; what is allowed
is a property of the arithmetic. TF32 and half precision are states, not mistakes: their error is what is reported.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.gpu import rows
from benchmarks.gpu.problems import Problem, autocast, largest_error, tf32
from seqclass.nn import GRU, LSTM, Kernel

ALLOWED = {"float32": 2e-5, "tf32": 5e-3, "bfloat16": 5e-2, "float16": 5e-2}
"""Rounding units of 2^-24, 2^-11, 2^-9 and 2^-11, grown over 500 dependent steps. float16 is as coarse as bfloat16
where gradients are small: no scaler is at work here."""

OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "all states": {"return_sequences": True},
    "gate masks": {"gate_dropout": True},
    "hard sigmoid": {"recurrent_activation": "hard_sigmoid"},
    "Keras 3's hard sigmoid": {"recurrent_activation": "hard_sigmoid_keras3"},
    "masked padding, gate masks": {"masked": True, "gate_dropout": True},
}
KERNELS: tuple[Kernel, ...] = ("builtin", "fused", "triton")
UNSUPPORTED = "cannot run"
"""In the refusal of a kernel that lacks an option; that is no failure."""


def equal(problem: Problem, kernel: Kernel, device: str, precision: str, expected: dict[str, torch.Tensor]) -> Any:
    """A row: the errors, or that this kernel has no such option.

    Raises:
        ArithmeticError: an error is larger than the arithmetic explains.
    """
    half = precision if precision in ("bfloat16", "float16") else "float32"
    try:
        with tf32(precision == "tf32"), autocast(device, half):
            found = problem.solve(kernel, device)
    except ValueError as error:
        if UNSUPPORTED not in str(error):
            raise
        return {"errors": None, "refused": str(error)}
    errors = largest_error(found, expected)
    if max(errors.values()) > ALLOWED[precision]:
        raise ArithmeticError(f"off by {errors}, allowed is {ALLOWED[precision]}")
    return {"errors": errors}


def gradient_in_evaluation(cell: type[LSTM] | type[GRU], device: str) -> dict[str, Any]:
    """The gradient of the inputs while the layer is in evaluation mode: cuDNN's backward pass wants training mode.

    Raises:
        ArithmeticError: it is not that of training mode, in which this layer, without dropout, does the same.
    """
    torch.manual_seed(0)
    layer = cell(3, 8, kernel="auto").to(device)
    inputs = torch.randn(4, 6, 3, device=device)
    found = []
    for training in (False, True):
        given = inputs.clone().requires_grad_()
        layer.train(training)(given).sum().backward()
        found.append(given.grad)
    error = float((found[0] - found[1]).abs().max())
    if not error <= 1e-6:
        raise ArithmeticError(f"off by {error}")
    return {"error": error}


def main() -> None:
    """Write the part's file."""
    part, arguments = rows.parse("equality")
    sizes = (2, 2, 3, 6) if arguments.tiny else (64, 500, 32, 100)
    device = arguments.device
    for name, options in OPTIONS.items():
        problem = Problem(*sizes, **options)
        expected = problem.solve("fused", "cpu", torch.float64)
        for kernel in KERNELS:
            for precision in ALLOWED if name in ("plain", "gate masks") else ("float32",):
                part.measure(
                    name,
                    lambda p=problem, k=kernel, a=precision, e=expected: equal(p, k, device, a, e),
                    kernel=kernel,
                    precision=precision,
                )
    for cell in (LSTM, GRU):
        part.measure(f"gradient in evaluation mode, {cell.__name__}", lambda c=cell: gradient_in_evaluation(c, device))
    part.ended()


if __name__ == "__main__":
    main()
