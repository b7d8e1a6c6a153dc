import pytest
import torch

from seqclass.nn import LSTM, LeadingPadding
from seqclass.nn.dropout import dropout_mask
from seqclass.nn.kernels import LSTMArguments, run_kernel

KERNELS = ["reference", "fused"]  # those that have dropout in the gates


def inputs(batch=6, steps=30, size=3):
    return torch.randn(batch, steps, size, generator=torch.Generator().manual_seed(1))


def layer(**options):
    torch.manual_seed(0)
    return LSTM(3, 5, **options)


def with_weights_of(source, **options):
    target = LSTM(3, 5, **options)
    target.load_state_dict(source.state_dict())
    return target


def test_parameters_of_the_notebook_with_one_bias():
    sizes = {name: tuple(weight.shape) for name, weight in LSTM(32, 100).named_parameters()}
    assert sizes == {"weight_ih": (400, 32), "weight_hh": (400, 100), "bias": (400,)}
    assert sum(weight.numel() for weight in LSTM(32, 100).parameters()) == 53_200
    # torch.nn.LSTM has 400 more: a second bias.
    assert sum(weight.numel() for weight in torch.nn.LSTM(32, 100).parameters()) == 53_600


@pytest.mark.parametrize("kernel", [*KERNELS, "builtin", "auto"])
def test_returns_the_last_state(kernel):
    module = layer(kernel=kernel)
    state = module(inputs())
    assert state.shape == (6, 5)
    torchs = torch.nn.LSTM(3, 5, batch_first=True)
    weights = [module.weight_ih, module.weight_hh, module.bias, torch.zeros(20)]
    for weight, value in zip(torchs.parameters(), weights, strict=True):
        weight.data.copy_(value.data)
    # Float32: states below 1, sums of nine terms, 30 steps.
    torch.testing.assert_close(state, torchs(inputs())[0][:, -1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", [*KERNELS, "builtin", "auto"])
def test_returns_all_states_where_they_are_wanted(kernel):
    module = layer(kernel=kernel)
    states = module(inputs(), return_sequences=True)
    assert states.shape == (6, 30, 5)
    assert torch.equal(states[:, -1], module(inputs()))
    # The state after a step is what the steps up to it end in: float32, sums of nine terms.
    torch.testing.assert_close(states[:, 11], module(inputs()[:, :12]), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_dropout_of_zero_is_no_dropout(kernel):
    plain = layer(kernel=kernel)
    zero = with_weights_of(plain, kernel=kernel, dropout=0, recurrent_dropout=0)
    assert not zero.drops_in_gates
    state = torch.get_rng_state()
    assert torch.equal(zero(inputs()), plain(inputs()))
    assert torch.equal(torch.get_rng_state(), state)  # nothing is drawn


@pytest.mark.parametrize("kernel", KERNELS)
def test_dropout_is_off_in_evaluation(kernel):
    plain = layer(kernel=kernel)
    dropping = with_weights_of(plain, kernel=kernel, dropout=0.5, recurrent_dropout=0.5)
    assert dropping.drops_in_gates
    assert not torch.equal(dropping(inputs()), plain(inputs()))
    dropping.eval()
    assert not dropping.drops_in_gates
    assert torch.equal(dropping(inputs()), plain(inputs()))


@pytest.mark.parametrize("kernel", KERNELS)
def test_dropout_of_one_leaves_the_biases_alone(kernel):
    """Inputs and state reach no gate: i, f, g and o are the same at each step, and the cell is a geometric sum."""
    module = layer(kernel=kernel, dropout=1, recurrent_dropout=1).double()
    with torch.no_grad():
        module.bias.normal_()
    x = inputs().double().requires_grad_()
    state = module(x)

    i, f, g, o = module.bias.detach().chunk(4)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cell = i * g * (1 - f**30) / (1 - f)
    # Float64, 30 steps.
    torch.testing.assert_close(state, (o * cell.tanh()).expand(6, 5), rtol=0, atol=1e-14)
    state.sum().backward()
    assert not x.grad.any()
    assert not module.weight_ih.grad.any()
    assert not module.weight_hh.grad.any()
    assert module.bias.grad.all()


@pytest.mark.parametrize("kernel", KERNELS)
def test_dropout_of_the_inputs_at_one_leaves_the_state_in_effect(kernel):
    module = layer(kernel=kernel, dropout=1)
    silent = with_weights_of(module, kernel=kernel)
    assert torch.equal(module(inputs()), silent(torch.zeros_like(inputs())))


@pytest.fixture
def seen_masks(monkeypatch):
    """The arguments of each run of a kernel."""
    seen = []

    def run(arguments, kernel):
        seen.append(arguments)
        return run_kernel(arguments, kernel)

    monkeypatch.setattr("seqclass.nn.recurrent.run_kernel", run)
    return seen


def test_a_mask_for_each_sample_and_gate(seen_masks):
    module = layer(dropout=0.25, recurrent_dropout=0.6)
    module(inputs(batch=400))
    (arguments,) = seen_masks
    for masks, rate, size in ((arguments.input_masks, 0.25, 3), (arguments.recurrent_masks, 0.6, 5)):
        assert masks.shape == (4, 400, size)
        kept = masks != 0
        # Exactly the two outcomes.
        assert torch.equal(masks[kept], torch.full_like(masks[kept], 1 / (1 - rate)))
        # Bernoulli means of n draws: four of their standard deviations, sqrt(p (1 - p) / n) of at most 0.5 / sqrt(n).
        assert kept.float().mean().item() == pytest.approx(1 - rate, abs=4 * 0.5 / kept.numel() ** 0.5)
        # No two gates, and no two samples, have the same mask throughout.
        assert len({gate.numpy().tobytes() for gate in kept}) == 4
        assert len({sample.numpy().tobytes() for sample in kept.transpose(0, 1).contiguous()}) > 100


def test_masks_are_fresh_in_each_batch(seen_masks):
    module = layer(dropout=0.5, recurrent_dropout=0.5)
    module(inputs())
    module(inputs())
    first, second = seen_masks
    assert not torch.equal(first.input_masks, second.input_masks)
    assert not torch.equal(first.recurrent_masks, second.recurrent_masks)


@pytest.mark.parametrize("kernel", KERNELS)
def test_masks_are_the_same_at_all_steps(kernel):
    """A run that draws equals one that is given those masks, step by step the same, by definition of the reference."""
    module = layer(kernel=kernel, dropout=0.3, recurrent_dropout=0.4)
    torch.manual_seed(5)
    drawn = module(inputs())

    torch.manual_seed(5)
    input_masks = dropout_mask(0.3, (4, 6, 3), torch.ones(()))
    recurrent_masks = dropout_mask(0.4, (4, 6, 5), torch.ones(()))
    given = with_weights_of(module).eval()(inputs(), input_masks=input_masks, recurrent_masks=recurrent_masks)
    weights = module.weight_ih, module.weight_hh, module.bias
    by_hand = run_kernel(
        LSTMArguments(inputs(), *weights, input_masks=input_masks, recurrent_masks=recurrent_masks), "reference"
    )
    # Float32: states below 1, sums of nine terms, 30 steps.
    torch.testing.assert_close(drawn, given, rtol=0, atol=1e-6)
    torch.testing.assert_close(drawn, by_hand, rtol=0, atol=1e-6)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kernel", KERNELS)
def test_padding_is_not_shared_under_dropout(kernel, masked, seen_masks):
    """Each row has its own masks in its own padding; masked padding stays, since nothing is computed there."""
    x = inputs()
    x[:, :20] = x[:1, :20]
    padding = LeadingPadding(torch.full((6,), 20), masked=masked)
    module = layer(kernel=kernel, dropout=0.3, recurrent_dropout=0.4)
    torch.manual_seed(5)
    told = module(x, padding)
    torch.manual_seed(5)
    untold = module(x[:, 20:] if masked else x)
    torch.testing.assert_close(told, untold, rtol=0, atol=1e-6)
    assert seen_masks[0].padding is (padding if masked else None)
    module.eval()(x, padding)
    assert seen_masks[-1].padding is padding
    module(x, padding.unshared())
    assert seen_masks[-1].padding == (padding.unshared() if masked else None)


def test_nothing_is_dropped_beside_given_masks():
    module = layer(dropout=0.5, recurrent_dropout=0.5)
    ones = {"input_masks": torch.ones(4, 6, 3), "recurrent_masks": torch.ones(4, 6, 5)}
    torch.testing.assert_close(module(inputs(), **ones), module.eval()(inputs()), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.5}, r"dropout is 1\.5; allowed are probabilities from 0 to 1"),
        ({"dropout": -0.1}, r"dropout is -0\.1; allowed are probabilities from 0 to 1"),
        ({"recurrent_dropout": 1.5}, r"recurrent_dropout is 1\.5; allowed are probabilities from 0 to 1"),
        ({"dropout": float("nan")}, "dropout is nan; allowed are probabilities from 0 to 1"),
        (
            {"recurrent_activation": "relu"},
            "recurrent_activation is 'relu'; allowed are 'sigmoid', 'hard_sigmoid', 'hard_sigmoid_keras3'",
        ),
        ({"initializer": "keras2"}, "initializer is 'keras2'; allowed are 'keras1', 'keras', 'torch'"),
        ({"kernel": "cudnn"}, "kernel is 'cudnn'; allowed are 'auto', 'reference', 'builtin', 'fused'"),
        ({"input_size": 0}, "input_size is 0; allowed are whole numbers from 1 on"),
        ({"hidden_size": -1}, "hidden_size is -1; allowed are whole numbers from 1 on"),
        (
            {"kernel": "builtin", "recurrent_activation": "hard_sigmoid"},
            "kernel='builtin' cannot run recurrent_activation='hard_sigmoid': .*; use 'fused' or 'auto'",
        ),
        ({"kernel": "builtin", "dropout": 0.1}, "kernel='builtin' cannot run dropout within the gates: .*"),
        ({"kernel": "builtin", "recurrent_dropout": 0.1}, "kernel='builtin' cannot run dropout within the gates: .*"),
    ],
)
def test_a_wrong_value_is_named(options, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        LSTM(**{"input_size": 3, "hidden_size": 5, **options})


def test_repr_names_what_differs_from_the_default():
    text = repr(LSTM(3, 5, dropout=0.1, recurrent_activation="hard_sigmoid"))
    assert text == (
        "LSTM(3, 5, dropout=0.1, recurrent_dropout=0.0, recurrent_activation='hard_sigmoid', kernel='auto')"
    )
