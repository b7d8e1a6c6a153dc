import pytest
import torch
from support.lstm_cases import random_case

from seqclass.nn.lstm_kernels import builtin_refusal


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
