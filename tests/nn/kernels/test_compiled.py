"""The pass in C, for both cells, against the float64 reference."""

import dataclasses
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_cases import random_case

from seqclass.nn import RECURRENT_ACTIVATIONS
from seqclass.nn.kernels import GRUArguments, LSTMArguments, run_kernel
from seqclass.nn.kernels.compiled import compiled_refusal

CELLS = ["lstm", "gru"]
MODES = [("shared", False), ("none", False), ("none", True), ("masked", False), ("masked", True)]


@pytest.fixture
def threads():
    """Sets how many threads compute, and takes it back."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def plain_arguments(cell="lstm", batch=2, steps=3, input_size=2, hidden_size=2, dtype=torch.float32):
    units = (4 if cell == "lstm" else 3) * hidden_size
    shapes = [(batch, steps, input_size), (units, input_size), (units, hidden_size), (units,)]
    if cell == "lstm":
        return LSTMArguments(*(torch.ones(shape, dtype=dtype) for shape in shapes))
    return GRUArguments(*(torch.ones(shape, dtype=dtype) for shape in [*shapes, (units,)]))


def run(arguments, kernel="compiled"):
    return run_kernel(arguments, kernel)


def assert_as_reference(case):
    # Twice what test_equal_results allows: here with sums of up to some thousand terms.
    case.assert_equals(case.solve("reference"), "compiled", units=256)


@settings(deadline=None, max_examples=80, derandomize=True)
@given(
    cell=st.sampled_from(CELLS),
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(1, 120),
    steps=st.integers(1, 20),
    input_size=st.integers(1, 40),
    hidden_size=st.integers(1, 50),
    activation=st.sampled_from(RECURRENT_ACTIVATIONS),
    mode_and_dropout=st.sampled_from(MODES),
    return_sequences=st.booleans(),
    thread_count=st.integers(1, 3),
)
def test_groups_of_rows_tiles_and_vectors_of_any_size(mode_and_dropout, thread_count, **shape):
    before = torch.get_num_threads()
    torch.set_num_threads(thread_count)
    mode, dropout = mode_and_dropout
    try:
        assert_as_reference(random_case(mode=mode, input_dropout=dropout, recurrent_dropout=dropout, **shape))
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize(("mode", "dropout"), MODES)
def test_the_notebooks_size(cell, mode, dropout, return_sequences):
    case = random_case(
        cell=cell,
        batch=64,
        steps=60,
        input_size=32,
        hidden_size=100,
        mode=mode,
        input_dropout=dropout,
        recurrent_dropout=dropout,
        return_sequences=return_sequences,
    )
    assert_as_reference(case)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("activation", RECURRENT_ACTIVATIONS)
def test_activations_over_their_whole_range(cell, activation):
    """One step of one unit whose gates are all x: o tanh(i g), flat at both ends, or (1 - z) n."""
    x = torch.cat([torch.linspace(-100, 100, 4001), torch.tensor([0.0, -0.0, 1e-30, -1e-30, math.inf, -math.inf])])
    plain = plain_arguments(cell, input_size=1, hidden_size=1)
    zeros = {name: torch.zeros_like(getattr(plain, name)) for name in vars(plain) if "bias" in name}
    given = dataclasses.replace(plain, inputs=x.view(-1, 1, 1), recurrent_activation=activation, **zeros)
    wide = {name: value.double() for name, value in vars(given).items() if isinstance(value, torch.Tensor)}
    # Up to four functions, each exact to a few units of rounding at the scale of 1.
    torch.testing.assert_close(
        run(given).double(), run(dataclasses.replace(given, **wide), "reference"), rtol=0, atol=5e-7
    )


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("where", ["inputs", "weight_hh", "bias"])
@pytest.mark.parametrize("activation", RECURRENT_ACTIVATIONS)
def test_what_is_not_a_number_is_not_hidden(cell, where, activation):
    arguments = dataclasses.replace(plain_arguments(cell), recurrent_activation=activation)
    given = arguments.biases[-1] if where == "bias" else getattr(arguments, where)
    given.view(-1)[0] = math.nan
    assert run(arguments)[0].isnan().any()


@pytest.mark.parametrize("cell", CELLS)
def test_denormals_are_flushed_within_a_pass_and_left_alone_outside(cell):
    torch.set_flush_denormal(False)
    case = random_case(cell=cell, batch=3, steps=400, hidden_size=8)
    tiny = [source.detach().float().mul_(1e-3).requires_grad_() for source in case.sources]
    output = case.forward("compiled", *tiny)
    gradient = torch.autograd.grad(output.sum(), tiny[1])[0].abs()
    assert not ((gradient > 0) & (gradient < torch.finfo(torch.float32).tiny)).any()
    assert (torch.tensor([1e-20]) * 1e-20).item() > 0


@pytest.mark.parametrize("cell", CELLS)
def test_a_second_backward_pass_gives_the_same(cell):
    case = random_case(cell=cell)
    sources = [source.detach().float().requires_grad_() for source in case.sources]
    output = case.forward("compiled", *sources).square().sum()
    first = torch.autograd.grad(output, sources, retain_graph=True)
    second = torch.autograd.grad(output, sources)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_gradients_are_the_same_each_time(cell, return_sequences):
    case = random_case(
        cell=cell, batch=16, steps=24, hidden_size=8, mode="shared", counts=[12] * 16, return_sequences=return_sequences
    )
    solved = [case.solve("compiled", torch.float32) for _ in range(200)]
    assert all(torch.equal(again[name], solved[0][name]) for again in solved for name in again)


@pytest.mark.parametrize("cell", CELLS)
def test_threads_may_change_between_forward_and_backward(cell, threads):
    case = random_case(cell=cell, batch=9, hidden_size=20)
    sources = [source.detach().float().requires_grad_() for source in case.sources]
    threads(1)
    expected = torch.autograd.grad(case.forward("compiled", *sources).sum(), sources)
    threads(3)
    output = case.forward("compiled", *sources)
    threads(2)
    gradients = torch.autograd.grad(output.sum(), sources)
    # The same sums, added in another order.
    torch.testing.assert_close(gradients, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("without_gradient", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("mode", ["none", "shared", "masked"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_predicts_as_it_trains(cell, mode, without_gradient, return_sequences):
    case = random_case(
        cell=cell,
        batch=70,
        hidden_size=20,
        mode=mode,
        recurrent_dropout=mode != "shared",
        return_sequences=return_sequences,
    )
    sources = [source.detach().float().requires_grad_() for source in case.sources]
    with without_gradient():
        prediction = case.forward("compiled", *sources)
    assert torch.equal(prediction, case.forward("compiled", *sources))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("layout", ["features before steps", "every other step", "expanded rows"])
def test_any_memory_layout(cell, layout):
    whole = torch.randn(5, 30, 3, generator=torch.Generator().manual_seed(0))
    inputs = {
        "features before steps": lambda: whole.transpose(1, 2).contiguous().transpose(1, 2),
        "every other step": lambda: whole[:, ::2],
        "expanded rows": lambda: whole[:1].expand(5, -1, -1),
    }[layout]()
    plain = plain_arguments(cell, input_size=3)
    states = [run(dataclasses.replace(plain, inputs=x)) for x in (inputs, inputs.contiguous())]
    assert torch.equal(*states)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("shape", [(3, 0, 2), (0, 30, 2)])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_without_steps_or_rows(cell, shape, return_sequences):
    arguments = plain_arguments(cell, batch=shape[0], steps=shape[1])
    state = run(dataclasses.replace(arguments, return_sequences=return_sequences))
    assert torch.equal(state, torch.zeros(*shape[: 1 + return_sequences], 2))


@pytest.mark.parametrize(("cell", "instead"), [("lstm", "fused"), ("gru", "reference")])
@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"dtype": torch.float64}, "torch.float64: it is for float32"),
        ({"hidden_size": 300}, "hidden_size=300, input_size=2: more than its scratch memory holds"),
        ({"input_size": 1100}, "hidden_size=2, input_size=1100: more than its scratch memory holds"),
    ],
)
def test_refusals(cell, instead, sizes, reason):
    arguments = plain_arguments(cell, **sizes)
    assert compiled_refusal(arguments) == reason
    with pytest.raises(ValueError, match=f"^kernel='compiled' cannot run {reason}; use '{instead}' or 'auto'$"):
        run(arguments)


@pytest.mark.parametrize("cell", CELLS)
def test_the_largest_size(cell):
    assert compiled_refusal(plain_arguments(cell, hidden_size=256)) is None
    assert_as_reference(random_case(cell=cell, batch=7, steps=5, input_size=32, hidden_size=256))
