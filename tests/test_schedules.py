import math
from itertools import pairwise

import pytest
import torch

from seqclass.schedules import WarmupCosine


def rates(steps, **options):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = WarmupCosine(optimizer, **options)
    found = []
    for _ in range(steps):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def test_rises_and_falls():
    found = rates(100, warmup=0.1, total_steps=100)
    assert found[:10] == pytest.approx([2 * (step + 1) / 11 for step in range(10)])
    assert found[10] == 2
    assert found[55] == pytest.approx(1 + math.cos(math.pi / 2))
    assert all(one > other for one, other in pairwise(found[10:]))
    assert 0 < found[-1] < 0.01


def test_without_warmup_it_begins_at_the_top_and_beyond_the_end_it_stays_at_zero():
    found = rates(12, warmup=0.0, total_steps=10)
    assert found[0] == 2
    assert found[10:] == [0, 0]


def test_the_number_of_steps_can_come_later():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    scheduler = WarmupCosine(optimizer, warmup=0.1)
    assert optimizer.param_groups[0]["lr"] == 2
    scheduler.begin(100)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2 / 11)
    scheduler.begin(1000)  # the first number stays
    assert scheduler.total_steps == 100


def test_its_state_is_plain_values():
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=2.0)
    state = WarmupCosine(optimizer, total_steps=10).state_dict()
    assert all(isinstance(value, int | float | bool | list | type(None)) for value in state.values())


def test_a_wrong_share():
    with pytest.raises(ValueError, match=r"warmup is 1\.5; allowed are probabilities from 0 to 1"):
        rates(1, warmup=1.5)
