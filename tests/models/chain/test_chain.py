"""Chains: held against PyTorch's own layers, against themselves row by row, and what is refused.

What Keras computes is held in `tests/interop/keras/test_models.py`.
"""

import pytest
import torch
from torch import nn

from seqclass.classifier import TextClassifier
from seqclass.models import Chain, ChainOptions, options_from
from seqclass.models.chain import PlainRecurrent, Signal

EMBEDDING = {"layer": "embedding", "num_embeddings": 20, "embedding_dim": 4}
DENSE = {"layer": "dense", "in_features": 3, "out_features": 1}


def recurrent(cell="lstm", input_size=4, hidden_size=3, **options):
    return {"layer": "recurrent", "cell": cell, "input_size": input_size, "hidden_size": hidden_size, **options}


def convolution(out_channels, **options):
    return {"layer": "convolution", "in_channels": 4, "out_channels": out_channels, **options}


def new(*layers, **options):
    torch.manual_seed(1)
    model = ChainOptions(layers=[EMBEDDING | options.pop("embedding", {}), *layers], **options).build()
    for parameter in model.parameters():
        nn.init.uniform_(parameter, -0.6, 0.6)
    return model.eval()


def padded_ids():
    draw = torch.Generator().manual_seed(2)
    ids = torch.randint(1, 20, (6, 12), generator=draw)
    ids[1, :5] = 0
    ids[2, -4:] = 0
    ids[3, 4:7] = 0
    ids[4] = 0
    ids[5, :-1] = 0
    return ids


@pytest.mark.parametrize(
    ("cell", "theirs"), [("lstm", nn.LSTM), ("gru", nn.GRU), ("simple", nn.RNN)]
)  # fmt: skip
def test_plain_cells_are_pytorchs(cell, theirs):
    torch.manual_seed(3)
    mine = PlainRecurrent(cell, 4, 3, activation="tanh", recurrent_activation="sigmoid").double()
    other = theirs(4, 3, batch_first=True).double()
    with torch.no_grad():
        mine.weight_ih.copy_(other.weight_ih_l0)
        mine.weight_hh.copy_(other.weight_hh_l0)
        if cell == "gru":
            mine.bias_ih.copy_(other.bias_ih_l0)
            mine.bias_hh.copy_(other.bias_hh_l0)
        else:
            mine.bias.copy_(other.bias_ih_l0 + other.bias_hh_l0)
    x = torch.randn(5, 7, 4, dtype=torch.float64, requires_grad=True)
    found, (expected, _) = mine(x, return_sequences=True), other(x)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(mine(x), expected[:, -1])
    torch.testing.assert_close(torch.autograd.grad(found.sum(), x)[0], torch.autograd.grad(expected.sum(), x)[0])


def test_the_first_gru_resets_before_the_product():
    """Against the formula of Cho et al. (2014), written out once more, element by element."""
    torch.manual_seed(4)
    layer = PlainRecurrent("gru_reset_before", 1, 1, activation="tanh", recurrent_activation="sigmoid").double()
    with torch.no_grad():
        layer.bias.uniform_(-1, 1)
    (w_r,), (w_z,), (w_n,) = layer.weight_ih.tolist()
    (u_r,), (u_z,), (u_n,) = layer.weight_hh.tolist()
    b_r, b_z, b_n = layer.bias.tolist()
    h, xs = 0.0, [0.3, -1.2, 0.8]
    one = torch.tensor(1.0, dtype=torch.float64)
    for x in xs:
        r, z = (one * (w_r * x + u_r * h + b_r)).sigmoid(), (one * (w_z * x + u_z * h + b_z)).sigmoid()
        n = (one * (w_n * x + u_n * (r * h) + b_n)).tanh()
        h = float(z * h + (1 - z) * n)
    found = layer(torch.tensor(xs, dtype=torch.float64).view(1, 3, 1)).detach()
    assert float(found) == pytest.approx(h, abs=1e-12)


MASKED = {
    "last": [recurrent(), DENSE],
    "gru": [recurrent("gru_reset_before"), DENSE],
    "backwards": [recurrent(backwards=True), DENSE],
    "stacked": [recurrent(return_sequences=True), recurrent("gru", 3), DENSE],
    "both": [
        {"layer": "bidirectional", "forward_layer": _, "backward_layer": _ | {"backwards": True}, "merge": "sum"}
        for _ in [{key: value for key, value in recurrent().items() if key != "layer"}]
    ]
    + [DENSE],
    "mean": [recurrent(return_sequences=True), {"layer": "global_pooling", "kind": "mean"}, DENSE],
}


@pytest.mark.parametrize("name", MASKED)
def test_masked_steps_are_as_if_they_were_not_there(name):
    model = new(*MASKED[name], embedding={"mask_zero": True})
    ids = padded_ids()
    with torch.no_grad():
        together = model(ids)
        for row, answer in zip(ids, together, strict=True):
            words = row[row != 0].unsqueeze(0)
            if words.shape[1]:
                torch.testing.assert_close(model(words)[0], answer, rtol=0, atol=1e-6)
    assert torch.isfinite(together).all()


@pytest.mark.parametrize(
    ("options", "expected"),
    [({}, [[0, 0, 1, 1, 2, 3, 3]]), ({"zero_masked": True}, [[0, 0, 1, 0, 2, 3, 0]])],
)
def test_output_of_masked_steps(options, expected):
    """Keras repeats the output before, or gives zeros; none before the first step is zero too."""
    model = new(recurrent(return_sequences=True, **options), recurrent("gru", 3), DENSE, embedding={"mask_zero": True})
    ids = torch.tensor([[0, 0, 5, 0, 6, 7, 0]])
    with torch.no_grad():
        signal = model.layers[1](model.layers[0](Signal(ids)))
        states = model.layers[1](model.layers[0](Signal(ids[ids != 0].unsqueeze(0)))).values[0]
    by_number = torch.cat([torch.zeros(1, 3), states])
    torch.testing.assert_close(signal.values[0], by_number[expected[0]])
    assert signal.mask.tolist() == (ids != 0).tolist()


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize(("size", "stride", "dilation"), [(3, 1, 1), (4, 1, 1), (2, 2, 1), (5, 3, 1), (3, 1, 2)])
def test_shared_padding_changes_nothing(padding, size, stride, dilation):
    """Behind windows of any form, the LSTM computes equal leading steps once; row by row gives the same."""
    window = {"kernel_size": size, "stride": stride, "dilation": dilation, "padding": padding}
    pooling = {"layer": "pooling", "kind": "max", "size": 2, "stride": 1, "padding": "same"}
    model = new(convolution(5, **window, activation="relu"), pooling, recurrent(input_size=5), DENSE)
    ids = torch.randint(1, 20, (7, 24), generator=torch.Generator().manual_seed(5))
    for row, count in enumerate((0, 1, 2, 9, 20, 23, 24)):
        ids[row, :count] = 0
    with torch.no_grad():
        signal = model.layers[2](model.layers[1](model.layers[0](Signal(ids))))
        for row, count in enumerate(signal.leading.tolist()):
            torch.testing.assert_close(signal.values[row, :count], signal.values[6, :count], rtol=0, atol=1e-6)
        alone = torch.stack([model(row.unsqueeze(0))[0] for row in ids])
        torch.testing.assert_close(model(ids), alone, rtol=0, atol=1e-6)
        assert signal.leading[-1] == signal.values.shape[1]
        assert signal.leading[4] > 0
        assert signal.leading[0] == 0


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_convolution_is_pytorchs(stride):
    model = new(convolution(2, kernel_size=4, stride=stride, groups=2), recurrent(input_size=2), DENSE)
    own = model.layers[1].convolution
    x = torch.randn(3, 9, 4)
    expected = own(x.transpose(1, 2)).transpose(1, 2)
    torch.testing.assert_close(model.layers[1](Signal(x)).values, expected)


def test_branches_are_concatenated():
    poolings = [[{"layer": "global_pooling", "kind": kind}] for kind in ("mean", "max")]
    model = new({"layer": "branches", "branches": [*poolings, [recurrent()]]}, DENSE | {"in_features": 11})
    ids = padded_ids()
    with torch.no_grad():
        embedded = model.layers[0].table(ids)
        recurring = model.layers[1].branches[2][0].layer(embedded)
        joined = torch.cat([embedded.mean(dim=1), embedded.amax(dim=1), recurring], dim=1)
        torch.testing.assert_close(model(ids), model.layers[2].linear(joined).squeeze(1))


@pytest.mark.parametrize("kind", ["numbers", "features", "gaussian_noise", "gaussian_dropout"])
def test_dropout_is_for_training(kind):
    dropout = {"layer": "dropout", "rate": 0.5, "kind": kind}
    model = new(dropout, {"layer": "global_pooling", "kind": "mean"}, DENSE | {"in_features": 4})
    ids = padded_ids()
    torch.testing.assert_close(model(ids), model(ids))
    embedded = Signal(torch.ones(4, 10, 500))
    layer = model.layers[1].train()
    changed = layer(embedded).values
    assert changed.mean().item() == pytest.approx(1, abs=0.25)
    assert changed.std() > 0
    same = (changed == changed[:, :1]).all()
    assert same == (kind == "features")


@pytest.mark.parametrize(("kernel", "of_gru"), [("reference", "reference"), ("fused", "auto"), ("auto", "auto")])
def test_a_kernel_is_for_the_layers_that_have_it(kernel, of_gru):
    chain = new(recurrent(return_sequences=True), recurrent("gru", input_size=3), DENSE, kernel=kernel)
    assert [layer.layer.kernel for layer in chain.layers if hasattr(layer, "layer")] == [kernel, of_gru]


def test_saved_and_loaded(tmp_path):
    layers = [EMBEDDING, *MASKED["both"]]
    classifier = TextClassifier(ChainOptions(layers=layers)).eval()
    ids = padded_ids()
    for name in ("m.ckpt", "m.safetensors"):
        classifier.save(tmp_path / name)
        again = TextClassifier.load(tmp_path / name)
        assert again.options == classifier.options == options_from(classifier.options.values())
        assert isinstance(again.stack, Chain)
        with torch.no_grad():
            torch.testing.assert_close(again(ids), classifier(ids))
    assert TextClassifier.load(tmp_path / "m.ckpt", kernel="reference").options.kernel == "reference"


@pytest.mark.parametrize(
    ("outputs", "several", "classes"), [(1, False, 2), (2, False, 2), (3, False, 3), (3, True, 3), (2, True, 2)]
)
def test_classes(outputs, several, classes):
    layers = [EMBEDDING, recurrent(), DENSE | {"out_features": outputs}]
    options = ChainOptions(layers=layers, multi_label=several)
    assert (options.num_classes, options.num_embeddings, options.mask_padding) == (classes, 20, False)
    logits = TextClassifier(options)(padded_ids())
    assert logits.shape == ((6,) if outputs == 1 else (6, outputs))
    assert TextClassifier(options).probabilities(padded_ids()).shape == (6, classes)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([], "the first layer is .*; it has to be an embedding"),
        ([DENSE], "the first layer is .*; it has to be an embedding"),
        ("no list", "layers is 'no list'; it has to be a list of dicts"),
        ([EMBEDDING, recurrent(input_size=5), DENSE], r"layer 1 .*: it reads a sequence of 5 features, and is given a"),
        ([EMBEDDING, {"layer": "lambda"}], r"layer 1 \('lambda'\): unknown layer; allowed are"),
        ([EMBEDDING, recurrent(units=3)], r"layer 1 \('recurrent'\): .*unexpected keyword argument 'units'"),
        ([EMBEDDING, recurrent(hidden_size=0)], r"layer 1 \('recurrent'\): hidden_size is 0; allowed are"),
        ([EMBEDDING, recurrent(activation="no")], r"layer 1 \('recurrent'\): activation is 'no'; allowed are"),
        ([EMBEDDING, convolution(2, kernel_size=3, padding="full")], r"padding is 'full'; allowed are"),
        ([EMBEDDING, recurrent(return_sequences=True)], "ends in a sequence of 3 features: it has to end in one"),
        ([EMBEDDING, {"layer": "branches", "branches": [[], [recurrent()]]}], "the branches end in different forms"),
        ([EMBEDDING, {"layer": "branches", "branches": []}], r"branches=\[\] is empty"),
        ([EMBEDDING, {"layer": "flatten", "steps": 2, "features": 3}], "it reads a sequence of 3 features"),
        ([EMBEDDING] * 1001, "there are 1001 layers: at most 1000 are built"),
    ],
)  # fmt: skip
def test_refused(layers, message):
    with pytest.raises(ValueError, match=message):
        ChainOptions(layers=layers)


def test_branches_within_branches_are_bounded():
    inner = [{"layer": "global_pooling", "kind": "max"}]
    for _ in range(11):
        inner = [{"layer": "branches", "branches": [inner]}]
    with pytest.raises(ValueError, match="more than 10 branches within branches"):
        ChainOptions(layers=[EMBEDDING, *inner, DENSE | {"in_features": 4}])


def test_flatten_reads_one_length():
    model = new({"layer": "flatten", "steps": 12, "features": 4}, DENSE | {"in_features": 48})
    assert model(padded_ids()).shape == (6,)
    with pytest.raises(ValueError, match="this model flattens 12 steps, and was given 11"):
        model(padded_ids()[:, 1:])
