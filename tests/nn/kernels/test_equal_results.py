"""Every kernel computes the same function: outputs and gradients against the float64 reference, and against torch."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_cases import random_case

from seqclass.nn import RECURRENT_ACTIVATIONS, LeadingPadding
from seqclass.nn.kernels import LSTMArguments, builtin_refusal, run_kernel

BLOCK = 25  # steps of a block of the fused kernel; the builtin one's are twice as long


def assert_equal_results(case):
    """All kernels that can run the case, in both precisions, and the reference itself in float32.

    The results are sums of up to a few hundred terms at the scale of 1, or of their largest element, carried through up
    to 80 steps whose gates do not enlarge an error. 128 units of rounding (2.8e-14 in float64, 1.5e-5 in float32) are
    four times the largest difference seen.
    """
    gate_dropout = case.input_masks is not None or case.recurrent_masks is not None
    needs_mask = case.cell == "lstm" and case.mode == "masked"
    refused = builtin_refusal(case.activation, gate_dropout=gate_dropout, masked_padding=needs_mask)
    if case.mode == "masked" and bool((case.counts == case.sources[0].shape[1]).all()):
        refused = "a batch without a word: it runs no step, and so nothing has a gradient"
    expected = case.solve("reference")
    both, single = (torch.float64, torch.float32), (torch.float32,)
    precisions = {"reference": both, "builtin": () if refused else both, "compiled": single}
    if case.cell == "lstm":
        precisions["fused"] = both
    for kernel, dtypes in precisions.items():
        for dtype in dtypes:
            case.assert_equals(expected, kernel, dtype)


@settings(deadline=None, max_examples=120, derandomize=True)
@given(
    cell=st.sampled_from(["lstm", "gru"]),
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(1, 9),
    steps=st.integers(1, 80),
    input_size=st.integers(1, 6),
    hidden_size=st.integers(1, 9),
    activation=st.sampled_from(RECURRENT_ACTIVATIONS),
    mode_and_dropout=st.sampled_from(
        # Dropout in the gates gives each row a padding of its own, so shared padding never comes with it.
        [("shared", False, False)]
        + [(mode, x, h) for mode in ("none", "masked") for x in (False, True) for h in (False, True)]
    ),
    return_sequences=st.booleans(),
)
def test_equal_to_the_reference_whatever_the_shape(mode_and_dropout, **shape):
    mode, input_dropout, recurrent_dropout = mode_and_dropout
    assert_equal_results(
        random_case(mode=mode, input_dropout=input_dropout, recurrent_dropout=recurrent_dropout, **shape)
    )


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("return_sequences", [False, True])
@pytest.mark.parametrize("mode", ["shared", "masked"])
@pytest.mark.parametrize(
    ("steps", "counts"),
    [
        (60, [60, 60, 60]),  # nothing but padding
        (60, [0, 60, 60]),  # one row has words
        (60, [0, 0, 0]),  # no padding
        (60, [24, 25, 26]),  # around the edge of a block
        (60, [49, 50, 51]),  # and of the builtin kernel's
        (60, [59, 60, 0]),  # the last step only
        (60, [7, 7, 31]),  # two rows begin together
        (60, [41]),  # a single row
        (BLOCK, [BLOCK, 24, 0]),  # one whole block
        (2 * BLOCK, [BLOCK, 2 * BLOCK, 1]),
        (1, [0, 1]),
    ],
)
def test_paddings_at_the_edges_of_blocks(cell, steps, counts, mode, return_sequences):
    assert_equal_results(
        random_case(
            cell=cell,
            steps=steps,
            batch=len(counts),
            counts=counts,
            mode=mode,
            return_sequences=return_sequences,
        )
    )


@pytest.mark.parametrize("kernel", ["reference", "fused", "builtin"])
@pytest.mark.parametrize("mode", ["none", "shared"])
def test_the_last_of_all_states_is_the_last_state(kernel, mode):
    case = random_case(steps=60, mode=mode)
    every = dataclasses.replace(case, return_sequences=True).forward(kernel, *case.sources)
    assert every.shape == (5, 60, 4)
    assert torch.equal(every[:, -1], case.forward(kernel, *case.sources))


@pytest.mark.parametrize("without_gradient", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("mode", ["none", "shared", "masked"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_fused_predicts_as_it_trains(mode, without_gradient, return_sequences):
    """Where no gradient is wanted, all blocks are computed in the memory of one."""
    case = random_case(
        steps=80, batch=6, mode=mode, recurrent_dropout=mode != "shared", return_sequences=return_sequences
    )
    with without_gradient():
        prediction = case.forward("fused", *case.sources)
    assert torch.equal(prediction, case.solve("fused")["output"])


@pytest.mark.parametrize("kernel", ["reference", "fused"])
def test_masked_padding_leaves_the_state_as_it_is(kernel):
    """A row with masked padding in front ends where its words alone do."""
    case = random_case(steps=40, batch=3, counts=[0, 13, 40], mode="masked")
    _, words, *weights = (source.detach() for source in case.sources)
    alone = run_kernel(LSTMArguments(words[1:2, 13:], *weights), kernel)
    state = case.forward(kernel, *case.sources)
    # The same sums, in matrix products of other shapes: a few units of rounding.
    torch.testing.assert_close(state[1:2], alone, rtol=0, atol=1e-15)
    assert torch.equal(state[2], torch.zeros_like(state[2]))


@pytest.mark.parametrize(
    ("cell", "kernel"),
    [("lstm", "reference"), ("lstm", "fused"), ("lstm", "compiled"), ("gru", "builtin"), ("gru", "compiled")],
)
@pytest.mark.parametrize("return_sequences", [False, True])
def test_padding_alone_has_gradients_of_zero(cell, kernel, return_sequences):
    case = random_case(cell=cell, batch=2, steps=4, counts=[4, 4], mode="masked", return_sequences=return_sequences)
    for name, result in case.solve(kernel, torch.float32).items():
        assert torch.equal(result, torch.zeros_like(result)), name


@pytest.mark.parametrize("kernel", ["reference", "fused", "builtin"])
@pytest.mark.parametrize("layout", ["features before steps", "every other step", "expanded rows"])
def test_any_memory_layout(kernel, layout):
    whole = torch.randn(5, 60, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    inputs = {
        "features before steps": lambda: whole.transpose(1, 2).contiguous().transpose(1, 2),
        "every other step": lambda: whole[:, ::2],
        "expanded rows": lambda: whole[:1].expand(5, -1, -1),
    }[layout]()
    weights = [weight.requires_grad_() for weight in random_case().sources[2:]]
    padding = LeadingPadding(torch.zeros(5, dtype=torch.int64))
    results = []
    for x in (inputs, inputs.contiguous()):
        x = x.detach().requires_grad_()
        output = run_kernel(LSTMArguments(x, *weights, padding=padding), kernel)
        results.append((output, *torch.autograd.grad(output.sum(), (x, *weights))))
    # Sums over 5 x 60 terms, possibly in another order.
    torch.testing.assert_close(results[0], results[1], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("kernel", ["reference", "fused", "builtin"])
@pytest.mark.parametrize("shape", [(3, 0, 2), (0, 30, 2)])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_without_steps_or_rows(kernel, shape, return_sequences):
    weights = torch.ones(8, 2), torch.ones(8, 2), torch.ones(8)
    state = run_kernel(LSTMArguments(torch.zeros(shape), *weights, return_sequences=return_sequences), kernel)
    assert torch.equal(state, torch.zeros(*shape[: 1 + return_sequences], 2))


@pytest.mark.parametrize("kernel", ["reference", "fused", "builtin"])
@pytest.mark.parametrize("mode", ["none", "shared"])
def test_equal_to_torch_lstm_with_copied_weights(kernel, mode):
    case = random_case(steps=60, batch=4, counts=[0, 20, 33, 60], mode=mode)
    result = case.solve(kernel)

    row, words, weight_ih, weight_hh, bias = (source.detach() for source in case.sources)
    layer = torch.nn.LSTM(row.shape[2], case.output_gradient.shape[1], batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        layer.weight_ih_l0.copy_(weight_ih)
        layer.weight_hh_l0.copy_(weight_hh)
        layer.bias_ih_l0.copy_(bias)
        layer.bias_hh_l0.zero_()
    padded = torch.arange(60) < case.counts.unsqueeze(1)
    row, words = row.requires_grad_(), words.requires_grad_()
    _, (state, _) = layer(torch.where(padded.unsqueeze(2), row, words))
    wanted = (row, words, layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0)
    gradients = torch.autograd.grad(state[0], wanted, case.output_gradient)

    # Float64: sums over 4 x 60 terms at the scale of 1.
    for (name, ours), torchs in zip(result.items(), (state[0].detach(), *gradients), strict=True):
        torch.testing.assert_close(ours, torchs, rtol=0, atol=2e-14, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("kernel", ["reference", "fused"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"input_dropout": True},
        {"recurrent_dropout": True, "activation": "hard_sigmoid"},
        {"input_dropout": True, "recurrent_dropout": True, "mode": "masked", "activation": "hard_sigmoid_keras3"},
        {"mode": "shared"},
        {"mode": "masked"},
        {"mode": "shared", "return_sequences": True},
        {"mode": "masked", "return_sequences": True},
    ],
    ids=lambda options: "-".join(map(str, options.values())) or "plain",
)
def test_gradients_are_those_of_finite_differences(kernel, options):
    case = random_case(batch=3, steps=7, input_size=2, hidden_size=2, counts=[2, 7, 0], **options)
    sources = [source.detach().requires_grad_() for source in case.sources]
    assert torch.autograd.gradcheck(lambda *given: case.forward(kernel, *given), sources)


def test_gradient_over_several_blocks_is_that_of_finite_differences():
    case = random_case(batch=3, steps=2 * BLOCK + 3, counts=[0, 30, 52], mode="shared")
    sources = [source.detach().requires_grad_() for source in case.sources]
    # The fast mode takes one random direction instead of all 800.
    assert torch.autograd.gradcheck(lambda *given: case.forward("fused", *given), sources, fast_mode=True)


def test_fused_does_not_pretend_to_have_a_second_derivative():
    case = random_case()
    sources = [source.detach().requires_grad_() for source in case.sources]
    (gradient,) = torch.autograd.grad(case.forward("fused", *sources).square().sum(), sources[1], create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
