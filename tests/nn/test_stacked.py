import pytest
import torch
from support.gradients import with_gradients

from seqclass.nn import GRU, LSTM, Bidirectional, LeadingPadding, Stacked

COUNTS = [0, 3, 24, 25, 39, 40]


def build(layer=LSTM, *, bidirectional=False, dropout=0.0, kernel="auto", **options):
    torch.manual_seed(0)

    def both(size):
        make = [layer(size, 4, kernel=kernel, **options) for _ in range(1 + bidirectional)]
        return Bidirectional(*make) if bidirectional else make[0]

    module = Stacked([both(3), both(4 * (1 + bidirectional))], dropout=dropout).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.uniform_(-0.6, 0.6)
    return module


def torchs_own(module, layer, bidirectional):
    theirs = (torch.nn.LSTM if layer is LSTM else torch.nn.GRU)(
        3, 4, num_layers=2, batch_first=True, bidirectional=bidirectional, dtype=torch.float64
    )
    for level, both in enumerate(module.layers):
        ways = {"": both.forward_layer, "_reverse": both.backward_layer} if bidirectional else {"": both}
        for suffix, way in ways.items():
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                value = getattr(way, name, None)
                if value is None:
                    value = way.bias if name == "bias_ih" else torch.zeros_like(way.bias)
                getattr(theirs, f"{name}_l{level}{suffix}").data.copy_(value.data)
    return theirs


def padded_inputs():
    x = torch.randn(6, 40, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return torch.where((torch.arange(40) < torch.tensor(COUNTS).unsqueeze(1)).unsqueeze(2), x[:1], x)


@pytest.mark.parametrize("layer", [LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_equal_to_torchs_own_without_padding(layer, bidirectional, return_sequences):
    module = build(layer, bidirectional=bidirectional)
    x = padded_inputs().requires_grad_()
    states, last = torchs_own(module, layer, bidirectional)(x)
    last = last[0] if layer is LSTM else last
    expected = states if return_sequences else torch.cat([*last[-1 - bidirectional :]], dim=1)
    # Float64: 6 x 40 steps at the scale of 1.
    torch.testing.assert_close(
        with_gradients(module(x, return_sequences=return_sequences), x),
        with_gradients(expected, x),
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("layer", [LSTM, GRU])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_every_kernel_has_the_same_gradients(layer, bidirectional, masked):
    padding = LeadingPadding(torch.tensor(COUNTS), masked=masked)
    results = []
    for kernel in ("reference", "auto"):
        module = build(layer, bidirectional=bidirectional, kernel=kernel)
        results.append(with_gradients(module(padded_inputs(), padding), *module.parameters()))
    torch.testing.assert_close(results[1], results[0], rtol=0, atol=1e-11)


@pytest.mark.parametrize("options", [{"dropout": 0.5}, {"recurrent_dropout": 0.5}])
def test_padding_is_shared_until_something_drops(options, lstm_paddings):
    padding = LeadingPadding(torch.tensor(COUNTS))
    module = build(**options)
    assert not module.keeps_padding_shared
    module(padded_inputs(), padding)
    assert [seen.shared for seen in lstm_paddings] == [True, False]
    assert module.eval().keeps_padding_shared
    module(padded_inputs(), padding)
    assert [seen.shared for seen in lstm_paddings[2:]] == [True, True]


def test_dropout_between_layers_is_element_wise_and_only_there():
    plain, dropping = build(), build(dropout=0.5)
    torch.manual_seed(3)
    found = dropping(padded_inputs())
    torch.manual_seed(3)
    between = dropping.dropout(plain.layers[0](padded_inputs(), return_sequences=True))
    torch.testing.assert_close(found, plain.layers[1](between), rtol=0, atol=1e-14)
    assert torch.equal(dropping.eval()(padded_inputs()), plain(padded_inputs()))


def test_a_wrong_value_is_named():
    with pytest.raises(ValueError, match=r"^layers is \[\]; allowed is one layer or more$"):
        Stacked([])
    with pytest.raises(ValueError, match=r"^dropout is 2; allowed are probabilities from 0 to 1$"):
        Stacked([LSTM(2, 2)], dropout=2)
