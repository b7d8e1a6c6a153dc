import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from seqclass.nn import LeadingPadding
from seqclass.nn.lstm_kernels import LSTMArguments, run_lstm
from seqclass.nn.lstm_kernels.choice import choose_kernel


def arguments(batch, *, device="cpu", **options):
    tensors = (torch.ones(shape, device=device) for shape in ((batch, 3, 2), (8, 2), (8, 2), (8,)))
    return LSTMArguments(*tensors, **options)


BUILTIN_LACKS = [
    {"recurrent_activation": "hard_sigmoid"},
    {"recurrent_activation": "hard_sigmoid_keras3"},
    {"input_masks": torch.ones(4, 1, 2)},
    {"recurrent_masks": torch.ones(4, 1, 2)},
    {"padding": LeadingPadding(torch.zeros(1, dtype=torch.int64), masked=True)},
]


@pytest.mark.parametrize(("batch", "kernel"), [(1, "builtin"), (4, "builtin"), (5, "fused"), (64, "fused")])
def test_a_cpu_takes_builtin_for_a_few_rows_only(batch, kernel):
    assert choose_kernel(arguments(batch)) == kernel
    shared = LeadingPadding(torch.ones(batch, dtype=torch.int64))
    assert choose_kernel(arguments(batch, padding=shared)) == kernel


@pytest.mark.parametrize("options", BUILTIN_LACKS, ids=lambda options: next(iter(options)))
def test_fused_where_builtin_refuses(options):
    assert choose_kernel(arguments(1, **options)) == "fused"


@pytest.mark.parametrize(("options", "kernel"), [({}, "builtin"), (BUILTIN_LACKS[0], "fused")])
def test_a_gpu_takes_builtin_where_it_can(options, kernel):
    with FakeTensorMode():  # has devices that this machine need not have
        assert choose_kernel(arguments(64, device="cuda", **options)) == kernel


def test_auto_runs_the_chosen_kernel():
    for batch in (4, 5):
        given = arguments(batch)
        assert torch.equal(run_lstm(given), run_lstm(given, choose_kernel(given)))
