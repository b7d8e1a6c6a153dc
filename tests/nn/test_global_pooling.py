import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from seqclass.nn import GlobalPooling, LeadingPadding


@settings(deadline=None)
@given(
    kind=st.sampled_from(["mean", "max", "max_mean"]),
    steps=st.integers(1, 9),
    counts=st.lists(st.integers(0, 9), min_size=1, max_size=5),
    masked=st.booleans(),
    shift=st.sampled_from([0.0, -5.0, 5.0]),
)
def test_over_the_words_alone(kind, steps, counts, masked, shift):
    counts = [min(count, steps) for count in counts]
    draw = torch.Generator().manual_seed(0)
    states = shift + torch.randn(len(counts), steps, 3, generator=draw, dtype=torch.float64)
    states.requires_grad_()
    pooled = GlobalPooling(kind)(states, LeadingPadding(torch.tensor(counts), masked=masked))
    expected = []
    for row, count in zip(states, counts, strict=True):
        words = row[count:] if count < steps else torch.zeros(1, 3, dtype=torch.float64)
        both = {"max": words.amax(dim=0), "mean": words.mean(dim=0)}
        expected.append(torch.cat([both[part] for part in kind.split("_")]))
    expected = torch.stack(expected)
    torch.testing.assert_close(pooled, expected, rtol=0, atol=1e-14)
    if expected.requires_grad:
        gradients = [torch.autograd.grad(output.square().sum(), states)[0] for output in (pooled, expected)]
        torch.testing.assert_close(*gradients, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kind", ["mean", "max"])
def test_more_padding_in_front_changes_nothing(kind):
    states = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0))
    counts = torch.tensor([0, 4, 7])
    longer = torch.cat([torch.full((3, 5, 2), 100.0), states], dim=1)
    pooled = GlobalPooling(kind)(states, LeadingPadding(counts))
    torch.testing.assert_close(GlobalPooling(kind)(longer, LeadingPadding(counts + 5)), pooled, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["mean", "max"])
def test_without_padding_all_steps_count(kind):
    states = torch.arange(12.0).view(2, 3, 2)
    expected = states.mean(dim=1) if kind == "mean" else states.amax(dim=1)
    torch.testing.assert_close(GlobalPooling(kind)(states), expected)
    assert torch.equal(GlobalPooling(kind)(torch.zeros(2, 0, 3)), torch.zeros(2, 3))


def test_a_wrong_kind_is_named():
    with pytest.raises(ValueError, match=r"^kind is 'min'; allowed are 'mean', 'max', 'max_mean'$"):
        GlobalPooling("min")
    assert repr(GlobalPooling("max")) == "GlobalPooling(max)"
