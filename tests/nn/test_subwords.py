import pytest
import torch
from support.gradients import with_gradients

from seqclass.nn import Subwords

PARTS = torch.tensor([[0, 0, 0], [1, 2, 3], [0, 3, 0], [4, 0, 4]], dtype=torch.int32)


def build():
    torch.manual_seed(0)
    return Subwords(PARTS, 2, buckets=5).double()


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
def test_the_mean_of_the_parts_that_are_there(dtype):
    module = build()
    ids = torch.tensor([[1, 2, 0], [3, 1, 1]], dtype=dtype)
    rows = {0: [], 1: [1, 2, 3], 2: [3], 3: [4, 4]}
    expected = torch.stack(
        [module.weight[rows[i]].mean(dim=0) if rows[i] else 0 * module.weight[1] for i in ids.flatten().tolist()]
    ).view(2, 3, 2)
    # Float64: sums of three.
    torch.testing.assert_close(
        with_gradients(module(ids), module.weight), with_gradients(expected, module.weight), rtol=0, atol=1e-14
    )
    torch.testing.assert_close(module.vectors()[ids.long()], module(ids), rtol=0, atol=0)


def test_padding_stays_zero_in_training():
    module = build()
    optimizer = torch.optim.Adam(module.parameters())
    for _ in range(2):
        module(torch.tensor([[0, 1, 2]])).sum().backward()
        optimizer.step()
    assert not module.weight[0].any()
    assert module.weight[1].any()


def test_its_state_has_the_parts():
    module, other = build(), Subwords(torch.zeros_like(PARTS), 2, buckets=5).double()
    other.load_state_dict(module.state_dict())
    ids = torch.tensor([[1, 3]])
    assert torch.equal(other(ids), module(ids))
    assert repr(module) == "Subwords(4, 2, buckets=5)"


def test_no_texts_and_no_steps():
    assert build()(torch.zeros(2, 0, dtype=torch.int64)).shape == (2, 0, 2)
    assert build()(torch.zeros(0, 3, dtype=torch.int64)).shape == (0, 3, 2)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        (PARTS.long(), r"parts is \(4, 3\) torch.int64; allowed is \(words, parts\) torch.int32"),
        (PARTS[0], r"parts is \(3,\) torch.int32; allowed is \(words, parts\) torch.int32"),
        (PARTS + 1, "parts holds 1 to 5; allowed are 0 to 4"),
        (PARTS - 1, "parts holds -1 to 3; allowed are 0 to 4"),
    ],
)
def test_wrong_parts_are_named(parts, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        Subwords(parts, 2, buckets=5)
