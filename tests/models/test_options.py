import pytest
import torch

from seqclass.models import NOTEBOOK_STACKS, STACK_NAMES, StackOptions, build_stack, options_from
from seqclass.nn import GRU, INITIALIZERS, LSTM, Bidirectional, Convolution, Dropout, Embedding, Stacked
from seqclass.nn.initializers import initialize_conv1d, initialize_linear


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
        "recurrent": 53_200,
        "output": 101,
        **({"convolution": 3_104} if name == "cnn_lstm" else {}),
    }


def test_options_come_back_from_their_plain_values():
    for name in STACK_NAMES:
        options = StackOptions(stack=name, num_embeddings=9, hidden_size=4)
        assert options_from(options.values()) == options
        assert all(value is not None for value in options.values().values())
    with pytest.raises(ValueError, match=r"there is no option 'units' \(given 3\); the options are affix_buckets, bid"):
        options_from({"stack": "lstm", "units": 3})


def test_a_check_draws_no_random_numbers_and_takes_no_memory():
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    StackOptions(stack="cnn_lstm", num_embeddings=2**40, hidden_size=2**20, num_layers=2, bidirectional=True)
    assert torch.equal(torch.rand(1), expected)


def test_the_number_of_layers_is_bounded():
    with pytest.raises(ValueError, match="num_layers is 1000000; allowed are whole numbers from 1 to 100"):
        StackOptions(num_layers=1_000_000)
    with pytest.raises(ValueError, match="the number of kernel_size is 101; allowed are whole numbers from 1 to 100"):
        StackOptions(stack="cnn_lstm", kernel_size=[3] * 101)


def test_the_dropouts_are_where_the_notebook_has_them():
    dropout = build_stack("lstm_dropout")
    assert dropout.embedding.dropout == dropout.embedded_dropout.rate == dropout.output_dropout.rate == 0.2
    assert dropout.recurrent.dropout == dropout.recurrent.recurrent_dropout == 0
    gates = build_stack("lstm_gate_dropout")
    assert gates.embedding.dropout == gates.recurrent.dropout == gates.recurrent.recurrent_dropout == 0.2
    assert gates.embedded_dropout is gates.output_dropout is None
    for name in ("lstm", "cnn_lstm"):
        plain = build_stack(name)
        assert plain.embedding.dropout == plain.recurrent.dropout == plain.recurrent.recurrent_dropout == 0
        assert not any(isinstance(module, Dropout) for module in plain.modules())


def test_each_dropout_is_set_by_its_own_option():
    dropout = build_stack("lstm_dropout", word_dropout=0.1, dropout=0.3)
    assert (dropout.embedding.dropout, dropout.embedded_dropout.rate, dropout.output_dropout.rate) == (0.1, 0.3, 0.3)
    gates = build_stack("lstm_gate_dropout", word_dropout=0.1, dropout=0.3, recurrent_dropout=0.4)
    assert (gates.embedding.dropout, gates.recurrent.dropout, gates.recurrent.recurrent_dropout) == (0.1, 0.3, 0.4)
    convolved = build_stack("cnn_lstm", token_dropout=0.1, output_dropout=0.3)
    assert (convolved.token_dropout.rate, convolved.output_dropout.rate) == (0.1, 0.3)


@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
@pytest.mark.parametrize(("num_classes", "shape"), [(2, (3,)), (3, (3, 3)), (10, (3, 10))])
def test_any_sizes_and_several_classes(name, num_classes, shape):
    extra = {"channels": 6, "kernel_size": 5, "pool_size": 3} if name == "cnn_lstm" else {}
    stack = build_stack(name, num_embeddings=11, embedding_dim=3, hidden_size=7, num_classes=num_classes, **extra)
    logits = stack(torch.randint(0, 11, (3, 13)))
    assert logits.shape == shape
    logits.sum().backward()
    assert all(weight.grad is not None for weight in stack.parameters())


@pytest.mark.parametrize("initializer", INITIALIZERS)
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_a_seed_gives_the_plain_stacks_the_initial_values_that_it_always_gave(name, initializer):
    """Drawn in this order: convolution, embedding, LSTM, output."""
    torch.manual_seed(7)
    stack = build_stack(name, num_embeddings=50, embedding_dim=8, hidden_size=6, initializer=initializer)
    torch.manual_seed(7)
    layers = {}
    if name == "cnn_lstm":
        layers["convolution"] = Convolution(8, 32, 3)
        initialize_conv1d(layers["convolution"], initializer)
    layers["embedding"] = Embedding(50, 8, initializer=initializer)
    layers["recurrent"] = LSTM(32 if name == "cnn_lstm" else 8, 6, initializer=initializer)
    layers["output"] = torch.nn.Linear(6, 1)
    initialize_linear(layers["output"], initializer)
    expected = {f"{layer}.{key}": value for layer in layers for key, value in layers[layer].state_dict().items()}
    assert set(stack.state_dict()) == set(expected)
    assert {key for key in expected if key.startswith("recurrent")} == {
        f"recurrent.{name}" for name in ("weight_ih", "weight_hh", "bias")
    }
    assert all(torch.equal(value, expected[key]) for key, value in stack.state_dict().items())


WHAT_READS = [
    {},
    {"num_layers": 3},
    {"bidirectional": True},
    {"cell": "gru"},
    {"pooling": "mean"},
    {"num_layers": 2, "bidirectional": True, "cell": "gru", "pooling": "max"},
]


@pytest.mark.parametrize("options", WHAT_READS, ids=str)
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_what_reads_the_sequence_is_chosen_in_every_stack(name, options):
    stack = build_stack(name, num_embeddings=11, embedding_dim=3, hidden_size=7, **options)
    layers, ways = options.get("num_layers", 1), 1 + options.get("bidirectional", False)
    cell = GRU if options.get("cell") == "gru" else LSTM
    cells = [layer for layer in stack.recurrent.modules() if isinstance(layer, cell)]
    assert len(cells) == layers * ways
    assert [layer.hidden_size for layer in cells] == [7] * layers * ways
    first = 32 if name == "cnn_lstm" else 3
    assert [layer.input_size for layer in cells] == [first] * ways + [7 * ways] * (layers - 1) * ways
    assert stack.output.in_features == stack.recurrent.output_size == 7 * ways
    kind = options.get("pooling", "last")
    assert (stack.pooling.kind if stack.pooling is not None else "last") == kind
    gates = 0.2 if name == "lstm_gate_dropout" else 0
    assert all(layer.dropout == layer.recurrent_dropout == gates for layer in cells)
    if layers > 1:
        assert stack.recurrent.dropout.rate == (0.2 if name == "lstm_dropout" else 0)
    logits = stack(torch.randint(0, 11, (3, 13)))
    assert logits.shape == (3,)
    logits.sum().backward()
    assert all(weight.grad is not None for weight in stack.parameters())


def test_the_plain_case_is_the_bare_layer():
    assert type(build_stack("lstm").recurrent) is LSTM
    assert type(build_stack("lstm", bidirectional=True).recurrent) is Bidirectional
    assert type(build_stack("lstm", num_layers=2).recurrent) is Stacked


def test_several_lengths_stand_side_by_side():
    stack = build_stack("cnn_lstm", num_embeddings=11, embedding_dim=3, channels=5, kernel_size=[3, 4, 5])
    assert [layer.kernel_size for layer in stack.convolution] == [(3,), (4,), (5,)]
    assert stack.recurrent.input_size == 15
    # Keras 1's limit is its own for each length: `initialize_conv1d`.
    for layer in stack.convolution:
        assert not layer.bias.any()
        assert layer.weight.abs().max() <= (6 / (15 * (1 + layer.kernel_size[0]))) ** 0.5
    (one,) = {type(build_stack("cnn_lstm", kernel_size=size).convolution) for size in (4, [4], (4,))}
    assert one is Convolution


@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_options_reach_the_layers(name):
    stack = build_stack(name, recurrent_activation="hard_sigmoid", kernel="reference", initializer="keras")
    assert stack.recurrent.recurrent_activation == "hard_sigmoid"
    assert stack.recurrent.kernel == "reference"
    assert stack.recurrent.initializer == stack.embedding.initializer == "keras"
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
        ("gru", {}, "stack is 'gru'; allowed are 'lstm', 'lstm_dropout', 'lstm_gate_dropout', 'cnn_lstm', 'pooled'"),
        (
            "lstm",
            {"dropout": 0.2},
            r"stack 'lstm' has no option 'dropout' \(given 0\.2\): it has num_embeddings, embedding_dim, hidden_size, "
            "num_layers, bidirectional, cell, pooling, num_classes, "
            "multi_label, mask_padding, initializer, recurrent_activation, kernel",
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
        ("lstm", {"num_classes": 1}, "num_classes is 1; allowed are whole numbers from 2 on"),
        ("lstm", {"num_embeddings": 0}, "num_embeddings is 0; allowed are whole numbers from 1 on"),
        ("lstm", {"embedding_dim": 0}, "embedding_dim is 0; allowed are whole numbers from 1 on"),
        ("lstm", {"hidden_size": 0}, "hidden_size is 0; allowed are whole numbers from 1 on"),
        ("lstm", {"num_layers": 0}, "num_layers is 0; allowed are whole numbers from 1 on"),
        ("cnn_lstm", {"cell": "rnn"}, "cell is 'rnn'; allowed are 'lstm', 'gru'"),
        ("lstm", {"pooling": "min"}, "pooling is 'min'; allowed are 'last', 'mean', 'max', 'max_mean'"),
        ("lstm", {"kernel_size": [3, 4]}, r"stack 'lstm' has no option 'kernel_size' \(given \[3, 4\]\): it has .*"),
        ("cnn_lstm", {"kernel_size": []}, r"kernel_size is \[\]; allowed are one length, or several"),
        ("cnn_lstm", {"kernel_size": [3, 0]}, "kernel_size is 0; allowed are whole numbers from 1 on"),
        (
            "lstm",
            {"cell": "gru", "kernel": "fused"},
            "kernel='fused' is for the LSTM: for a GRU it must be one of auto, reference, builtin, compiled",
        ),
        ("lstm_dropout", {"dropout": 1.5}, r"dropout is 1\.5; allowed are probabilities from 0 to 1"),
        ("lstm_dropout", {"word_dropout": 2}, "dropout is 2; allowed are probabilities from 0 to 1"),
        (
            "lstm_gate_dropout",
            {"recurrent_dropout": -1},
            "recurrent_dropout is -1; allowed are probabilities from 0 to 1",
        ),
        ("cnn_lstm", {"embedding_dim": 0}, "embedding_dim is 0; allowed are whole numbers from 1 on"),
        ("cnn_lstm", {"channels": 0}, "channels is 0; allowed are whole numbers from 1 on"),
        ("cnn_lstm", {"kernel_size": 0}, "kernel_size is 0; allowed are whole numbers from 1 on"),
        ("cnn_lstm", {"pool_size": 0}, "pool_size is 0; allowed are whole numbers from 1 on"),
    ],
)
def test_a_wrong_option_is_named(name, options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        build_stack(name, **options)
