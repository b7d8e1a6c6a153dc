import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gradients import with_gradients

from seqclass.nn import GRU, LSTM, Bidirectional, LeadingPadding
from seqclass.nn.bidirectional import reverse_words

TORCHS = {LSTM: torch.nn.LSTM, GRU: torch.nn.GRU}
COUNTS = [0, 3, 24, 25, 39, 40]


def build(layer=LSTM, kernel="auto", **options):
    torch.manual_seed(0)
    module = Bidirectional(layer(3, 4, kernel=kernel, **options), layer(3, 4, kernel=kernel, **options)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.uniform_(-0.6, 0.6)
    return module


def torchs_own(module):
    """`torch.nn.LSTM` or `torch.nn.GRU` with the same weights; the second bias of its LSTM is zero."""
    layer = type(module.forward_layer)
    theirs = TORCHS[layer](3, 4, batch_first=True, bidirectional=True, dtype=torch.float64)
    for way, suffix in ((module.forward_layer, "_l0"), (module.backward_layer, "_l0_reverse")):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            value = getattr(way, name, None)
            if value is None:
                value = way.bias if name == "bias_ih" else torch.zeros_like(way.bias)
            getattr(theirs, name + suffix).data.copy_(value.data)
    return theirs


def inputs(steps=40):
    return torch.randn(6, steps, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64).requires_grad_()


def padded_inputs(steps=40):
    """The same padding in front of each row."""
    x = inputs(steps).detach()
    return torch.where((torch.arange(steps) < torch.tensor(COUNTS).unsqueeze(1)).unsqueeze(2), x[:1], x)


@pytest.mark.parametrize("layer", [LSTM, GRU])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_equal_to_torchs_own_without_padding(layer, return_sequences):
    module = build(layer)
    theirs = torchs_own(module)
    x = inputs()
    states, last = theirs(x)
    last = last[0] if layer is LSTM else last
    expected = states if return_sequences else torch.cat([*last], dim=1)
    # Float64: 6 x 40 steps at the scale of 1.
    torch.testing.assert_close(
        with_gradients(module(x, return_sequences=return_sequences), x),
        with_gradients(expected, x),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("layer", [LSTM, GRU])
def test_masked_padding_is_what_packing_leaves_out(layer):
    module = build(layer)
    theirs = torchs_own(module)
    x, counts = inputs().detach(), torch.tensor(COUNTS[:-1])
    padding = LeadingPadding(counts, masked=True)
    words = torch.nn.utils.rnn.pack_sequence([row[count:] for row, count in zip(x, counts, strict=False)], False)
    states, last = theirs(words)
    last = last[0] if layer is LSTM else last
    torch.testing.assert_close(module(x[:-1], padding), torch.cat([*last], dim=1), rtol=0, atol=1e-12)
    every, _ = torch.nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
    for row, (found, expected) in enumerate(zip(module(x[:-1], padding, return_sequences=True), every, strict=True)):
        torch.testing.assert_close(found[counts[row] :], expected[: 40 - counts[row]], rtol=0, atol=1e-12)
        assert not found[: counts[row]].any()


@pytest.mark.parametrize("layer", [LSTM, GRU])
@pytest.mark.parametrize("kernel", ["auto", "reference", "builtin"])
@pytest.mark.parametrize("shared", [False, True])
def test_padding_that_is_read_is_read_first_both_ways(layer, kernel, shared):
    module = build(layer, kernel)
    x = padded_inputs()
    padding = LeadingPadding(torch.tensor(COUNTS), shared=shared)
    for row, count in enumerate(COUNTS):
        there = x[row : row + 1]
        back = torch.cat([there[:, :count], there[:, count:].flip(1)], dim=1)
        expected = torch.cat([module.forward_layer(there), module.backward_layer(back)], dim=1)
        torch.testing.assert_close(module(x, padding)[row : row + 1], expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("layer", [LSTM, GRU])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_every_kernel_has_the_same_gradients(layer, masked, return_sequences):
    padding = LeadingPadding(torch.tensor(COUNTS), masked=masked)
    results = []
    for kernel in ("reference", "auto"):
        module = build(layer, kernel)
        results.append(
            with_gradients(module(padded_inputs(), padding, return_sequences=return_sequences), *module.parameters())
        )
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-11)


@settings(deadline=None)
@given(steps=st.integers(1, 12), counts=st.lists(st.integers(0, 12), min_size=1, max_size=5))
def test_reversed_words_stand_behind_the_same_padding(steps, counts):
    counts = [min(count, steps) for count in counts]
    rows = torch.arange(len(counts) * steps, dtype=torch.float64).view(len(counts), steps, 1).requires_grad_()
    padding = LeadingPadding(torch.tensor(counts))
    found = reverse_words(rows, padding)
    for row, expected, count in zip(found, rows, counts, strict=True):
        assert row.flatten().tolist() == [*expected[:count], *reversed(expected[count:])]
    assert torch.equal(reverse_words(found, padding), rows)
    factors = torch.linspace(1, 2, rows.numel(), dtype=torch.float64).view(rows.shape)
    (gradient,) = torch.autograd.grad((found * factors).sum(), rows)
    assert torch.equal(gradient, reverse_words(factors, padding))


def test_whether_padding_stays_shared():
    module = build(recurrent_dropout=0.5)
    assert not module.keeps_padding_shared
    assert module.eval().keeps_padding_shared
    x, padding = padded_inputs(), LeadingPadding(torch.tensor(COUNTS))
    states = module(x, padding, return_sequences=True)
    # In their common padding the rows have the states of the row that is all padding.
    for row, count in zip(states, COUNTS, strict=True):
        torch.testing.assert_close(row[:count], states[-1, :count], rtol=0, atol=1e-14)
