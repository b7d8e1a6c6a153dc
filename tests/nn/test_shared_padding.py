import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from seqclass.nn.shared_padding import LeadingPadding, after_window, count_leading, plan_time


@settings(deadline=None)
@given(
    rows=st.integers(1, 8).flatmap(lambda steps: st.lists(st.lists(st.integers(0, 2), min_size=steps, max_size=steps))),
    padding_id=st.integers(0, 2),
)
def test_count_leading_counts_until_the_first_other_id(rows, padding_id):
    def count(row):
        for position, word in enumerate(row):
            if word != padding_id:
                return position
        return len(row)

    ids = torch.tensor(rows, dtype=torch.int32).reshape(len(rows), -1 if rows else 4)
    counts = count_leading(ids, padding_id)
    assert counts.dtype == torch.int64
    assert counts.tolist() == [count(row) for row in rows]


def steps_that_see_only_padding(counts, *, steps, kernel_size, pool_size):
    """By perturbation: leading steps whose features stay when all that follows the padding is changed.

    The convolution has positive weights and the words positive values, so a window that touches a word cannot give
    what padding gives, and no maximum hides it.
    """
    generator = torch.Generator().manual_seed(0)
    convolution = nn.Conv1d(2, 3, kernel_size, dtype=torch.float64)
    nn.init.uniform_(convolution.weight, 0.5, 1.0, generator=generator)
    padding_row = torch.rand(2, 1, generator=generator, dtype=torch.float64)

    def features(count):
        words = 2 + torch.rand(2, steps, generator=generator, dtype=torch.float64)
        x = torch.where(torch.arange(steps) < count, padding_row, words)
        x = nn.functional.pad(x.unsqueeze(0), ((kernel_size - 1) // 2, kernel_size // 2))
        return nn.functional.max_pool1d(convolution(x).relu(), pool_size)[0]

    with torch.no_grad():
        nothing_but_padding = features(steps)
        same = [(features(count) == nothing_but_padding).all(dim=0) for count in counts]
    return [int(row.int().cumprod(0).sum()) for row in same]


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("pool_size", [1, 2, 3])
@pytest.mark.parametrize("steps", [11, 12])
def test_after_window_counts_the_steps_that_see_only_padding(kernel_size, pool_size, steps):
    counts = list(range(steps + 1))
    seen = steps_that_see_only_padding(counts, steps=steps, kernel_size=kernel_size, pool_size=pool_size)
    counted = after_window(torch.tensor(counts), steps=steps, kernel_size=kernel_size, pool_size=pool_size).tolist()
    assert counted == seen


@st.composite
def paddings(draw):
    steps = draw(st.integers(1, 60))
    counts = draw(st.lists(st.integers(0, steps), min_size=1, max_size=9))
    return steps, draw(st.integers(1, 25)), LeadingPadding(torch.tensor(counts), masked=draw(st.booleans()))


@settings(deadline=None)
@given(paddings())
def test_a_plan_computes_every_row_from_its_first_real_step_on(case):
    steps, block_steps, padding = case
    counts = padding.counts
    plan = plan_time(len(counts), steps, block_steps=block_steps, padding=padding)
    assert sorted(plan.order.tolist()) == list(range(len(counts)))
    ordered = counts[plan.order].tolist()
    assert ordered == sorted(ordered)

    computed = [range(0)] * len(counts)  # the steps at which each sorted row is computed by itself
    for block in plan.blocks:
        assert 0 < block.steps <= block_steps
        assert block.rows == block.active + block.shared
        for row in range(block.active):
            if computed[row]:
                assert computed[row].stop == block.start  # once active, a row stays so
            computed[row] = range(computed[row].start if computed[row] else block.start, block.stop)
    for count, run in zip(ordered, computed, strict=True):
        if count == steps:
            continue
        assert run.stop == steps
        if padding.masked:
            assert run.start == count  # a masked step must not be computed
        else:
            # With its block, and so at most a block too early.
            assert count - block_steps < run.start <= count


@settings(deadline=None)
@given(paddings())
def test_the_blocks_of_a_plan_cover_the_steps(case):
    steps, block_steps, padding = case
    plan = plan_time(len(padding.counts), steps, block_steps=block_steps, padding=padding)
    first = plan.blocks[0].start if plan.blocks else steps
    # Nothing happens before the first word if padding is masked; else every step is computed, for all rows.
    assert first == (padding.counts.min().item() if padding.masked else 0)
    at = first
    for block in plan.blocks:
        assert block.start == at
        at = block.stop
        if padding.masked:
            assert not block.shared
            assert block.active > 0
        else:
            assert block.shared == (block.active < len(padding.counts))
    assert at == steps


@settings(deadline=None)
@given(batch=st.integers(1, 9), steps=st.integers(0, 60), block_steps=st.integers(1, 25))
def test_without_padding_all_rows_stay_as_they_are(batch, steps, block_steps):
    plan = plan_time(batch, steps, block_steps=block_steps)
    assert plan.order is None
    assert [step for block in plan.blocks for step in range(block.start, block.stop)] == list(range(steps))
    assert all(block.active == block.rows == batch and not block.shared for block in plan.blocks)
    assert all(block.steps <= block_steps for block in plan.blocks)


def test_an_example():
    padding = LeadingPadding(torch.tensor([7, 0, 10, 3]))
    plan = plan_time(4, 10, block_steps=4, padding=padding)
    assert plan.order.tolist() == [1, 3, 0, 2]
    assert [(block.start, block.stop, block.active, block.shared) for block in plan.blocks] == [
        (0, 4, 2, True),
        (4, 8, 3, True),
        (8, 10, 3, True),
    ]
    masked = plan_time(4, 10, block_steps=4, padding=LeadingPadding(padding.counts, masked=True))
    assert [(block.start, block.stop, block.active, block.shared) for block in masked.blocks] == [
        (0, 3, 1, False),
        (3, 4, 2, False),
        (4, 7, 2, False),
        (7, 8, 3, False),
        (8, 10, 3, False),
    ]
