"""The compiled kernel under autocast to bfloat16: products of rounded factors, all else in float32."""

import math

import pytest
import torch
from support.kernel_cases import random_case

from seqclass.nn.kernels import LSTMArguments, compiled, run_kernel
from seqclass.nn.kernels.compiled.library import CompilerError, load_library

EPS = 2.0**-8
"""Between neighbours among the numbers of bfloat16, relative to them; rounding changes one by half of it at most."""

MODES = [("shared", False), ("none", False), ("none", True), ("masked", False), ("masked", True)]
SIZES = {
    "small": {"batch": 5, "steps": 12},
    "the notebook's": {"batch": 64, "steps": 60, "input_size": 32, "hidden_size": 100},
    "all states": {"batch": 120, "steps": 20, "input_size": 40, "hidden_size": 50, "return_sequences": True},
    "widest": {"batch": 7, "steps": 5, "input_size": 32, "hidden_size": 256},
}


def has_bfloat16():
    try:
        return bool(load_library().seqclass_has_bfloat16())
    except CompilerError:
        return False


needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(), reason="lacks AVX512_BF16, or a C compiler that knows it")


def under_autocast(case, dtype=torch.float32):
    with torch.autocast("cpu", torch.bfloat16):
        return case.solve("compiled", dtype)


@needs_bfloat16
@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("activation", ["sigmoid", "hard_sigmoid"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("mode", "dropout"), MODES)
def test_errors_are_those_of_rounded_factors(cell, mode, dropout, size, activation):
    """Against the float64 reference, in the Euclidean norm, in which errors of rounding that are independent add up.

    Both factors of a product are rounded, each by up to EPS / 2, so that a sum of products is within EPS of itself;
    states pass through slopes below 1. A gradient is a chain of such products with rounded gates before it: a few EPS.
    The slope of a hard sigmoid jumps to zero where it ends, and a gate that rounding puts on the other side of that
    counts in full.
    """
    case = random_case(
        cell=cell,
        mode=mode,
        input_dropout=dropout,
        recurrent_dropout=dropout,
        activation=activation,
        **SIZES[size],
    )
    expected = case.solve("reference")
    for name, result in under_autocast(case).items():
        allowed = EPS * (1 if name == "output" else 5 if activation == "sigmoid" else 8)
        error = torch.linalg.vector_norm(result - expected[name]).item()
        assert error <= allowed * torch.linalg.vector_norm(expected[name]).item(), name


@needs_bfloat16
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_products_are_really_rounded(cell):
    case = random_case(cell=cell, **SIZES["the notebook's"])
    exact, rounded = case.solve("compiled", torch.float32), under_autocast(case)
    for name, result in rounded.items():
        assert (result - exact[name]).abs().max() > EPS / 64 * exact[name].abs().max(), name


@needs_bfloat16
def test_factors_that_bfloat16_holds_lose_nothing_and_sums_are_float32():
    """256 + 256 * 2^-8 needs 17 bits: only the gates' functions, exact to 2^-13, are between inputs and state."""
    inputs = torch.cat([torch.tensor([256.0]), torch.full((256,), 2.0**-8), torch.tensor([-256.0])])
    weights = torch.ones(4, 258), torch.zeros(4, 1), torch.zeros(4)
    with torch.autocast("cpu", torch.bfloat16):
        state = run_kernel(LSTMArguments(inputs.view(1, 1, -1), *weights), "compiled")
    gate = 1 / (1 + math.exp(-1))
    assert state.dtype == torch.float32
    assert state.item() == pytest.approx(gate * math.tanh(gate * math.tanh(1)), abs=2.0**-12)


@needs_bfloat16
@pytest.mark.parametrize("where", ["inputs", "weight_hh", "bias"])
def test_what_is_not_a_number_is_not_hidden(where):
    shapes = {"inputs": (2, 3, 2), "weight_ih": (8, 2), "weight_hh": (8, 2), "bias": (8,)}
    tensors = {name: torch.ones(shape) for name, shape in shapes.items()}
    tensors[where].view(-1)[0] = math.nan
    with torch.autocast("cpu", torch.bfloat16):
        assert run_kernel(LSTMArguments(**tensors), "compiled")[0].isnan().any()


@needs_bfloat16
@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_gradients_are_the_same_each_time(cell):
    case = random_case(cell=cell, batch=16, steps=24, hidden_size=8, mode="shared", counts=[12] * 16)
    solved = [under_autocast(case) for _ in range(20)]
    assert all(torch.equal(again[name], solved[0][name]) for again in solved for name in again)


@pytest.mark.filterwarnings("ignore:In CPU autocast")  # PyTorch 2.3 has no float16 there, and says so
@pytest.mark.parametrize("dtype", [None, torch.float16])
def test_any_other_autocast_is_float32(dtype):
    case = random_case()
    expected = case.solve("compiled", torch.float32)
    with torch.autocast("cpu", dtype or torch.bfloat16, enabled=dtype is not None):
        found = case.solve("compiled", torch.float32)
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_a_processor_without_them_runs_in_float32_and_says_so_once(cell, monkeypatch, caplog):
    library = load_library()
    monkeypatch.setattr(library, "seqclass_has_bfloat16", lambda: 0)
    compiled._report_float32.cache_clear()
    case = random_case(cell=cell)
    expected = case.solve("compiled", torch.float32)
    for _ in range(2):
        found = under_autocast(case)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert [record.getMessage() for record in caplog.records] == [
        "LSTM and GRU run in float32 despite autocast to bfloat16: this processor, or the C compiler, has neither "
        "AVX512_BF16 nor AMX"
    ]
    compiled._report_float32.cache_clear()


def test_float64_is_not_rounded():
    """Nor does autocast reach it elsewhere: PyTorch casts float32 alone."""
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(ValueError, match=r"torch\.float64: it is for float32"):
        random_case().solve("compiled", torch.float64)
