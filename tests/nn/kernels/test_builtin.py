import copy

import pytest
import torch
from support.kernel_cases import random_case

from seqclass.nn import LSTM
from seqclass.nn.kernels import builtin_refusal
from seqclass.nn.kernels.builtin import persistent_kernel_is_slow, run_packed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"activation": "hard_sigmoid"},
            "kernel='builtin' cannot run recurrent_activation='hard_sigmoid': cuDNN and oneDNN have the sigmoid only; "
            "use 'fused' or 'auto'",
        ),
        (
            {"activation": "hard_sigmoid_keras3"},
            "kernel='builtin' cannot run recurrent_activation='hard_sigmoid_keras3': cuDNN and oneDNN have the sigmoid "
            "only; use 'fused' or 'auto'",
        ),
        (
            {"input_dropout": True},
            "kernel='builtin' cannot run dropout within the gates: cuDNN and oneDNN have none; use 'fused' or 'auto'",
        ),
        (
            {"recurrent_dropout": True},
            "kernel='builtin' cannot run dropout within the gates: cuDNN and oneDNN have none; use 'fused' or 'auto'",
        ),
        (
            {"mode": "masked"},
            "kernel='builtin' cannot run masked padding: it would need packed inputs, which leave the fast kernels; "
            "use 'fused' or 'auto'",
        ),
    ],
)
def test_refuses_what_cudnn_and_onednn_lack(options, message):
    case = random_case(**options)
    with pytest.raises(ValueError) as error:  # noqa: PT011, the whole message is compared
        case.forward("builtin", *case.sources)
    assert str(error.value) == message


def test_takes_the_rest():
    assert builtin_refusal("sigmoid", gate_dropout=False) is None
    for mode in ("none", "shared"):
        case = random_case(mode=mode)
        assert torch.isfinite(case.forward("builtin", *case.sources)).all()


@pytest.mark.parametrize(
    ("hidden_size", "rows", "slow"),
    [
        # Measured, in PyTorch's pull request 62143: the persistent kernel's time over the standard one's.
        (160, 44, True),  # 2.9
        (152, 45, True),  # 3.0
        (168, 62, True),  # 5.2
        (152, 9, False),  # 0.94
        (160, 1, False),  # 0.83
        (112, 55, False),  # 0.50
        (128, 16, False),  # 0.28
        # PyTorch takes it for no more than 192 units.
        (193, 64, False),
        (100, 64, False),
    ],
)
def test_where_cudnns_persistent_kernel_is_avoided(hidden_size, rows, slow):
    assert persistent_kernel_is_slow(hidden_size, rows) is slow


def test_packed_rows_give_the_same_states_and_gradients():
    torch.manual_seed(0)
    shapes = ((5, 7, 3), (1, 5, 4), (1, 5, 4), (16, 3), (16, 4), (16,), (16,))
    x, hidden, cell, *weights = (torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes)
    results = []
    for run in (
        lambda: run_packed(x, (hidden, cell), weights, training=True),
        lambda: torch.lstm(x, (hidden, cell), weights, True, 1, 0.0, True, False, True),
    ):
        outputs = run()
        gradients = torch.autograd.grad(sum(output.sin().sum() for output in outputs), [x, hidden, cell, *weights])
        results.append((*outputs, *gradients))
    for packed, padded in zip(*results, strict=True):
        torch.testing.assert_close(packed, padded)


@pytest.mark.gpu
@pytest.mark.parametrize("trains", [True, False])
def test_on_a_gpu_the_avoided_kernel_does_not_run(trains):
    if not torch.cuda.is_available():
        pytest.skip("lacks a CUDA device")
    layer = LSTM(3, 160, kernel="builtin").cuda()
    x = torch.randn(64, 5, 3, device="cuda")
    with torch.set_grad_enabled(trains):
        found = layer(x)
        expected = copy.deepcopy(layer).double()(x.double())
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            layer(x)
    torch.testing.assert_close(found, expected.float(), rtol=1e-3, atol=1e-3)
    names = [event.key for event in profile.key_averages()]
    assert names
    assert not any("persist" in name.lower() for name in names), names
