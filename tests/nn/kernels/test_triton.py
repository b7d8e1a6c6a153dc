"""The Triton pass on a GPU, or else in Triton's interpreter."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_cases import random_case

from seqclass.nn import RECURRENT_ACTIVATIONS
from seqclass.nn.kernels import LSTMArguments, run_kernel
from seqclass.nn.kernels.triton_pass import triton_lstm, triton_refusal
from seqclass.nn.kernels.triton_pass.choices import all_choices

triton = pytest.importorskip("triton", reason="triton is not installed")
OLD = not hasattr(triton.language, "cast")
needs_its_language = pytest.mark.skipif(OLD, reason="lacks Triton 3.0")


# Without a GPU, tests/conftest.py has turned the interpreter on.
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def assert_as_reference(case):
    case.assert_equals(case.solve("reference"), "triton", device=DEVICE)


@pytest.fixture
def launched_as(monkeypatch):
    """A function that has every pass launched in one way."""

    def launch(choice):
        monkeypatch.setattr(
            "seqclass.nn.kernels.triton_pass.choose", lambda batch, hidden_size, precision, device: choice
        )

    return launch


@pytest.fixture
def dot_reads_bfloat16(monkeypatch):
    """Triton's interpreter keeps bfloat16 as integers, and its `dot` would multiply those: it is given float32."""
    if DEVICE == "cuda":
        return
    from triton.runtime import interpreter

    dot = interpreter.InterpreterBuilder.create_dot

    def of_floats(self, left, right, *rest):
        floats = [self.create_fp_ext(each, triton.language.float32) if each.dtype.scalar == triton.language.bfloat16
                  else each for each in (left, right)]  # fmt: skip
        return dot(self, *floats, *rest)

    monkeypatch.setattr(interpreter.InterpreterBuilder, "create_dot", of_floats)


@needs_its_language
@settings(deadline=None, max_examples=10, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(1, 7),
    steps=st.integers(1, 5),
    input_size=st.integers(1, 6),
    hidden_size=st.integers(1, 35),
    activation=st.sampled_from(RECURRENT_ACTIVATIONS),
    mode=st.sampled_from(["none", "shared", "masked"]),
    input_dropout=st.booleans(),
    recurrent_dropout=st.booleans(),
    return_sequences=st.booleans(),
)
def test_equal_to_the_reference_whatever_the_shape(mode, input_dropout, recurrent_dropout, **shape):
    drops = mode != "shared"
    assert_as_reference(
        random_case(
            mode=mode, input_dropout=drops and input_dropout, recurrent_dropout=drops and recurrent_dropout, **shape
        )
    )


@needs_its_language
@pytest.mark.parametrize("return_sequences", [False, True])
def test_the_notebooks_size(return_sequences):
    assert_as_reference(
        random_case(
            batch=3,
            steps=2,
            input_size=32,
            hidden_size=100,
            input_dropout=True,
            recurrent_dropout=True,
            return_sequences=return_sequences,
        )
    )


@needs_its_language
@pytest.mark.parametrize("choice", all_choices(20, "float32"), ids=str)
def test_every_way_to_launch_it(choice, launched_as):
    """A batch that none of the numbers of rows divides, with partial tiles and masks of all kinds."""
    launched_as(choice)
    options = {"input_dropout": True, "recurrent_dropout": True, "mode": "masked", "return_sequences": True}
    assert_as_reference(random_case(batch=5, steps=3, hidden_size=20, activation="hard_sigmoid", **options))


@needs_its_language
@pytest.mark.parametrize("choice", all_choices(20, "bfloat16"), ids=str)
def test_under_autocast_products_are_of_bfloat16(choice, launched_as, dot_reads_bfloat16):
    """A number is rounded by at most 2^-8 of itself, and a gate is a sum of some 24 products of two such numbers."""
    launched_as(choice)
    case = random_case(batch=3, steps=2, hidden_size=20, recurrent_dropout=True)
    expected = case.solve("reference")
    with torch.autocast(DEVICE, torch.bfloat16):
        result = case.solve("triton", torch.float32, DEVICE)
    for name, value in result.items():
        scale = max(1.0, expected[name].abs().max().item())
        error = (value - expected[name]).abs().max().item() / scale
        assert error < 4 * 2**-8, f"{name}: {error:.1e}"
    # It was no float32 either, whose error is below 1e-6.
    assert (result["output"] - expected["output"]).abs().max() > 1e-5


@needs_its_language
@pytest.mark.parametrize("choice", all_choices(16, "bfloat16")[::3], ids=str)
def test_sums_of_bfloat16_products_are_float32(choice, dot_reads_bfloat16):
    """States of 1 and weights that are powers of two: every product is exact, and their sum needs 15 bits."""
    hidden = 16
    weight_hh = torch.zeros(4 * hidden, hidden)
    weight_hh[2 * hidden] = 2.0 ** -torch.arange(3, 3 + hidden)
    weight_hh[2 * hidden, 0] = 0
    bias = torch.full((4, hidden), 30.0)  # gates are 1, so that after ten steps tanh(cell) is 1
    bias[1, 0] = -30.0  # but for the first unit, which forgets,
    bias[2, 0] = 0.0  # and whose g is the tanh of the sum
    tensors = torch.zeros(1, 12, 1), torch.zeros(4 * hidden, 1), weight_hh, bias.flatten()
    with torch.autocast(DEVICE, torch.bfloat16):
        states = triton_lstm(LSTMArguments(*(tensor.to(DEVICE) for tensor in tensors)), choice)
    total = torch.tensor(2.0**-3 - 2.0**-18, dtype=torch.float64)
    # In bfloat16 the sum would be 2^-3, which is 3e-5 of itself more.
    assert states[0, 0].item() == pytest.approx(total.tanh().tanh().item(), rel=2e-6)


@needs_its_language
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_states_are_float32_whatever_the_autocast(dtype):
    case = random_case(batch=2, steps=2)
    sources = [source.detach().to(DEVICE, torch.float32).requires_grad_() for source in case.sources]
    with torch.autocast(DEVICE, dtype):
        state = case.forward("triton", *sources)
    gradients = torch.autograd.grad(state.sum(), sources)
    assert {tensor.dtype for tensor in (state, *gradients)} == {torch.float32}


@needs_its_language
@pytest.mark.parametrize("shape", [(3, 0, 2), (0, 30, 2)])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_without_steps_or_rows(shape, return_sequences):
    tensors = (torch.zeros(shape), torch.ones(8, 2), torch.ones(8, 2), torch.ones(8))
    arguments = LSTMArguments(*(tensor.to(DEVICE) for tensor in tensors), return_sequences=return_sequences)
    assert torch.equal(run_kernel(arguments, "triton").cpu(), torch.zeros(*shape[: 1 + return_sequences], 2))


def some_arguments(hidden_size=2, dtype=torch.float32):
    gates = 4 * hidden_size
    shapes = (1, 3, 2), (gates, 2), (gates, hidden_size), (gates,)
    return LSTMArguments(*(torch.ones(shape, dtype=dtype) for shape in shapes))


@needs_its_language
@pytest.mark.parametrize(
    ("interpret", "arguments", "reason"),
    [
        ("0", some_arguments(), "inputs on cpu: it is for CUDA devices"),
        ("1", some_arguments(dtype=torch.float64), "torch.float64: it is for float32"),
        ("1", some_arguments(hidden_size=129), "hidden_size=129: it has registers for 128"),
    ],
)
def test_refusals(monkeypatch, interpret, arguments, reason):
    monkeypatch.setenv("TRITON_INTERPRET", interpret)
    assert triton_refusal(arguments) == reason
    with pytest.raises(ValueError, match=f"^kernel='triton' cannot run {reason}; use 'fused' or 'auto'$"):
        run_kernel(arguments, "triton")


@pytest.mark.skipif(not OLD, reason="this Triton is new enough")
def test_a_triton_that_is_too_old_is_named():
    assert triton_refusal(some_arguments()) == f"anything here: triton {triton.__version__} is too old, 3.0 is needed"
