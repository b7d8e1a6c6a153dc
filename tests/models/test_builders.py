import pytest
import torch

from seqclass.models import STACK_NAMES, build_stack, cnn_lstm, lstm, lstm_dropout, lstm_gate_dropout
from seqclass.nn import Dropout

BUILDERS = {"lstm": lstm, "lstm_dropout": lstm_dropout, "lstm_gate_dropout": lstm_gate_dropout, "cnn_lstm": cnn_lstm}


def parameters(module):
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


@pytest.mark.parametrize(
    ("name", "count"),
    [("lstm", 213_301), ("lstm_dropout", 213_301), ("lstm_gate_dropout", 213_301), ("cnn_lstm", 216_405)],
)
def test_the_notebooks_sizes_are_the_defaults(name, count):
    stack = build_stack(name)
    assert parameters(stack) == count
    assert {child: parameters(module) for child, module in stack.named_children() if parameters(module)} == {
        "embedding": 160_000,
        "lstm": 53_200,
        "output": 101,
        **({"convolution": 3_104} if name == "cnn_lstm" else {}),
    }


def test_every_name_has_its_builder():
    assert set(BUILDERS) == set(STACK_NAMES)
    for name, builder in BUILDERS.items():
        torch.manual_seed(0)
        by_name = build_stack(name, num_embeddings=9, hidden_size=4)
        torch.manual_seed(0)
        directly = builder(num_embeddings=9, hidden_size=4)
        assert repr(by_name) == repr(directly)
        for key, weight in by_name.state_dict().items():
            assert torch.equal(weight, directly.state_dict()[key])


def test_the_dropouts_stand_where_the_notebook_has_them():
    dropout = build_stack("lstm_dropout")
    assert dropout.embedding.dropout == dropout.embedded_dropout.rate == dropout.last_dropout.rate == 0.2
    assert dropout.lstm.dropout == dropout.lstm.recurrent_dropout == 0
    gates = build_stack("lstm_gate_dropout")
    assert gates.embedding.dropout == gates.lstm.dropout == gates.lstm.recurrent_dropout == 0.2
    assert gates.embedded_dropout is gates.last_dropout is None
    for name in ("lstm", "cnn_lstm"):
        plain = build_stack(name)
        assert plain.embedding.dropout == plain.lstm.dropout == plain.lstm.recurrent_dropout == 0
        assert not any(isinstance(module, Dropout) for module in plain.modules())


def test_each_dropout_is_set_by_its_own_option():
    dropout = build_stack("lstm_dropout", word_dropout=0.1, dropout=0.3)
    assert (dropout.embedding.dropout, dropout.embedded_dropout.rate, dropout.last_dropout.rate) == (0.1, 0.3, 0.3)
    gates = build_stack("lstm_gate_dropout", word_dropout=0.1, dropout=0.3, recurrent_dropout=0.4)
    assert (gates.embedding.dropout, gates.lstm.dropout, gates.lstm.recurrent_dropout) == (0.1, 0.3, 0.4)


@pytest.mark.parametrize("name", STACK_NAMES)
@pytest.mark.parametrize(("num_classes", "shape"), [(2, (3,)), (3, (3, 3)), (10, (3, 10))])
def test_any_sizes_and_several_classes(name, num_classes, shape):
    extra = {"channels": 6, "kernel_size": 5, "pool_size": 3} if name == "cnn_lstm" else {}
    stack = build_stack(name, num_embeddings=11, embedding_dim=3, hidden_size=7, num_classes=num_classes, **extra)
    logits = stack(torch.randint(0, 11, (3, 13)))
    assert logits.shape == shape
    logits.sum().backward()
    assert all(weight.grad is not None for weight in stack.parameters())


@pytest.mark.parametrize("name", STACK_NAMES)
def test_options_reach_the_layers(name):
    stack = build_stack(name, recurrent_activation="hard_sigmoid", kernel="reference", initializer="keras")
    assert stack.lstm.recurrent_activation == "hard_sigmoid"
    assert stack.lstm.kernel == "reference"
    assert stack.lstm.initializer == stack.embedding.initializer == "keras"
    # The embedding, the dense layer and the convolution of torch's scheme have wider ranges or a bias.
    torchs = build_stack(name, initializer="torch")
    assert torchs.embedding.weight.abs().max() > 1
    assert torchs.output.bias.any()
    assert not stack.output.bias.any()
    if name == "cnn_lstm":
        assert torchs.convolution.bias.any()
        assert not stack.convolution.bias.any()


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("gru", {}, "stack='gru' is unknown: it must be one of lstm, lstm_dropout, lstm_gate_dropout, cnn_lstm"),
        (
            "lstm",
            {"dropout": 0.2},
            r"stack 'lstm' has no option 'dropout' \(given 0\.2\): it has num_embeddings, embedding_dim, hidden_size, "
            "num_classes, multi_label, mask_padding, initializer, recurrent_activation, kernel",
        ),
        (
            "cnn_lstm",
            {"mask_padding": True},
            r"stack 'cnn_lstm' has no option 'mask_padding' \(given True\): it has num_embeddings, .*, kernel",
        ),
        (
            "lstm_dropout",
            {"recurrent_dropout": 0.1},
            r"stack 'lstm_dropout' has no option 'recurrent_dropout' \(given 0\.1\): it has .*, dropout, .*",
        ),
        ("lstm", {"num_classes": 1}, "num_classes=1 is too small: it must be at least 2"),
        ("lstm", {"num_embeddings": 0}, "num_embeddings=0 is too small: it must be at least 1"),
        ("lstm", {"embedding_dim": 0}, "embedding_dim=0 is too small: it must be at least 1"),
        ("lstm", {"hidden_size": 0}, "hidden_size=0 is too small: it must be at least 1"),
        ("lstm_dropout", {"dropout": 1.5}, r"dropout=1\.5 is no probability: it must be from 0 to 1"),
        ("lstm_dropout", {"word_dropout": 2}, "dropout=2 is no probability: it must be from 0 to 1"),
        ("lstm_gate_dropout", {"recurrent_dropout": -1}, "recurrent_dropout=-1 is no probability: .*"),
        ("cnn_lstm", {"embedding_dim": 0}, "embedding_dim=0 is too small: it must be at least 1"),
        ("cnn_lstm", {"channels": 0}, "channels=0 is too small: it must be at least 1"),
        ("cnn_lstm", {"kernel_size": 0}, "kernel_size=0 is too small: it must be at least 1"),
        ("cnn_lstm", {"pool_size": 0}, "pool_size=0 is too small: it must be at least 1"),
    ],
)
def test_a_wrong_option_is_named(name, options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        build_stack(name, **options)
