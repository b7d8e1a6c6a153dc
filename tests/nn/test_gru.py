import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.gradients import with_gradients
from support.gru_reference import gru_states

from seqclass.nn import GRU, RECURRENT_ACTIVATIONS, LeadingPadding
from seqclass.nn.dropout import dropout_mask


def layer(input_size=3, hidden_size=5, **options):
    torch.manual_seed(0)
    module = GRU(input_size, hidden_size, **options)
    with torch.no_grad():
        for weight in module.parameters():
            weight.uniform_(-0.6, 0.6)
    return module


def inputs(batch=6, steps=30, size=3, seed=1):
    return torch.randn(batch, steps, size, generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    batch=st.integers(1, 7),
    steps=st.integers(1, 60),
    input_size=st.integers(1, 6),
    hidden_size=st.integers(1, 9),
    activation=st.sampled_from(RECURRENT_ACTIVATIONS),
    mode=st.sampled_from(["none", "unshared", "shared", "masked"]),
    dropout=st.sampled_from([(False, False), (True, False), (False, True), (True, True)]),
    return_sequences=st.booleans(),
)
def test_equal_to_keras3s_definition(
    seed, batch, steps, input_size, hidden_size, activation, mode, dropout, return_sequences
):
    draw = torch.Generator().manual_seed(seed)
    module = layer(input_size, hidden_size, recurrent_activation=activation).double()
    words = torch.randn(batch, steps, input_size, generator=draw, dtype=torch.float64)
    counts = torch.randint(0, steps + 1, (batch,), generator=draw)
    padded = torch.arange(steps) < counts.unsqueeze(1)
    x = torch.where(padded.unsqueeze(2), words[:1], words).requires_grad_()
    masks = {}
    for name, size, given_masks in zip(
        ("input_masks", "recurrent_masks"), (input_size, hidden_size), dropout, strict=True
    ):
        if given_masks:
            drawn = torch.full((3, batch, size), 0.7, dtype=torch.float64)
            masks[name] = torch.bernoulli(drawn, generator=draw) / 0.7

    weights = dict(module.named_parameters())
    states = gru_states(x, weights, activation=activation, begins=counts if mode == "masked" else None, **masks)
    expected = with_gradients(states if return_sequences else states[:, -1], x, *weights.values())
    padding = None if mode == "none" else LeadingPadding(counts, masked=mode == "masked", shared=mode == "shared")
    found = with_gradients(module(x, padding, return_sequences=return_sequences, **masks), x, *weights.values())
    if mode == "shared":
        # A padded step's gradient may stand in any row that shares it.
        for result in (expected, found):
            result[1] = torch.cat([(result[1] * padded.unsqueeze(2)).sum(0), (result[1] * ~padded.unsqueeze(2)).sum(0)])
    # Float64: sums over up to 7 x 60 steps of terms at the scale of 1, weighted by up to 2.
    torch.testing.assert_close(found, expected, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kernel", ["reference", "builtin", "compiled", "auto"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_equal_to_torch_gru_with_the_same_weights(kernel, return_sequences):
    module = layer(kernel=kernel)
    torchs = torch.nn.GRU(3, 5, batch_first=True)
    for weight, value in zip(torchs.parameters(), module.parameters(), strict=True):
        weight.data.copy_(value.data)
    expected = torchs(inputs())[0]
    # Float32: states below 1, sums of nine terms, 30 steps.
    torch.testing.assert_close(
        module(inputs(), return_sequences=return_sequences),
        expected if return_sequences else expected[:, -1],
        rtol=0,
        atol=1e-6,
    )


def test_parameters_are_torchs_and_keras3s_in_number():
    sizes = {name: tuple(weight.shape) for name, weight in GRU(32, 100).named_parameters()}
    assert sizes == {"weight_ih": (300, 32), "weight_hh": (300, 100), "bias_ih": (300,), "bias_hh": (300,)}


@pytest.mark.parametrize("options", [{}, {"recurrent_activation": "hard_sigmoid"}])
def test_gradients_are_those_of_finite_differences(options):
    module = layer(2, 2, **options).double()
    masks = dropout_mask(0.3, (3, 3, 2), torch.ones((), dtype=torch.float64))
    padding = LeadingPadding(torch.tensor([2, 5, 0]), masked=True)
    x = inputs(3, 5, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: module(x, padding, recurrent_masks=masks, return_sequences=True), x)
    assert torch.autograd.gradcheck(lambda x: module(x, padding), x)


def test_dropout_is_off_in_evaluation():
    plain, dropping = layer(), layer(dropout=0.5, recurrent_dropout=0.5)
    assert dropping.drops_in_gates
    assert not torch.equal(dropping(inputs()), plain(inputs()))
    dropping.eval()
    assert not dropping.drops_in_gates
    assert torch.equal(dropping(inputs()), plain(inputs()))


def test_dropout_of_one_leaves_the_biases_alone():
    """Inputs and state reach no gate: r, z and n are the same at each step, and the state is a geometric sum."""
    module = layer(dropout=1, recurrent_dropout=1).double()
    state = module(inputs().double())
    b_r, b_z, b_n = module.bias_ih.detach().chunk(3)
    c_r, c_z, c_n = module.bias_hh.detach().chunk(3)
    r, z = (b_r + c_r).sigmoid(), (b_z + c_z).sigmoid()
    n = (b_n + r * c_n).tanh()
    # Float64, 30 steps.
    torch.testing.assert_close(state, (n * (1 - z**30)).expand(6, 5), rtol=0, atol=1e-14)


def test_a_mask_for_each_sample_and_gate():
    module = layer(dropout=0.25, recurrent_dropout=0.6)
    for masks, rate, size in ((module.input_masks(400), 0.25, 3), (module.recurrent_masks(400), 0.6, 5)):
        assert masks.shape == (3, 400, size)
        kept = masks != 0
        assert torch.equal(masks[kept], torch.full_like(masks[kept], 1 / (1 - rate)))
        # Bernoulli means of n draws: four of their standard deviations, at most 0.5 / sqrt(n).
        assert kept.float().mean().item() == pytest.approx(1 - rate, abs=4 * 0.5 / kept.numel() ** 0.5)
        assert len({gate.numpy().tobytes() for gate in kept}) == 3
    assert layer().input_masks(4) is None
    assert module.eval().recurrent_masks(4) is None


def test_drawn_masks_are_used_at_all_steps():
    module = layer(dropout=0.3, recurrent_dropout=0.4)
    torch.manual_seed(5)
    drawn = module(inputs())
    torch.manual_seed(5)
    masks = {"input_masks": module.input_masks(6), "recurrent_masks": module.recurrent_masks(6)}
    expected = gru_states(inputs(), dict(module.named_parameters()), **masks)[:, -1]
    # Float32: states below 1, sums of nine terms, 30 steps.
    torch.testing.assert_close(drawn, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("options", [{}, {"recurrent_dropout": 0.3}])
@pytest.mark.parametrize("shape", [(3, 0, 3), (0, 30, 3)])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_without_steps_or_rows(shape, options, return_sequences):
    state = layer(**options)(torch.zeros(shape), return_sequences=return_sequences)
    assert torch.equal(state, torch.zeros(*shape[: 1 + return_sequences], 5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.5}, r"dropout is 1\.5; allowed are probabilities from 0 to 1"),
        ({"recurrent_activation": "relu"}, "recurrent_activation is 'relu'; allowed are 'sigmoid', "),
        ({"initializer": "keras2"}, "initializer is 'keras2'; allowed are 'keras1', 'keras', 'torch'"),
        ({"kernel": "cudnn"}, "kernel is 'cudnn'; allowed are 'auto', 'reference', 'builtin', 'fused'"),
        (
            {"kernel": "fused"},
            "kernel='fused' is for the LSTM: for a GRU it must be one of auto, reference, builtin, compiled$",
        ),
        ({"hidden_size": 0}, "hidden_size is 0; allowed are whole numbers from 1 on"),
        (
            {"kernel": "builtin", "recurrent_activation": "hard_sigmoid"},
            "kernel='builtin' cannot run recurrent_activation='hard_sigmoid': .*; use 'reference' or 'auto'",
        ),
        ({"kernel": "builtin", "recurrent_dropout": 0.1}, "kernel='builtin' cannot run dropout within the gates: .*"),
    ],
)
def test_a_wrong_value_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        GRU(**{"input_size": 3, "hidden_size": 5, **options})


def test_repr_names_what_differs_from_the_default():
    assert repr(GRU(3, 5, dropout=0.1)) == (
        "GRU(3, 5, dropout=0.1, recurrent_dropout=0.0, recurrent_activation='sigmoid', kernel='auto')"
    )
