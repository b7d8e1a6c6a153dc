import pytest
import torch
from torch import nn

from seqclass.models import NOTEBOOK_STACKS, Stack, build_stack
from seqclass.nn import GRU, LSTM, Convolution, Embedding

WORDS, STEPS = 40, 61
SIZES = {"num_embeddings": WORDS, "embedding_dim": 4, "hidden_size": 5}
COUNTS = [0, 3, 24, 25, 26, 50, STEPS - 1, STEPS]
WITHOUT_CONVOLUTION = ["lstm", "lstm_dropout", "lstm_gate_dropout"]


def build(name, *, seed=0, **options):
    """A stack in float64, with large weights, and forget gates so near to 1 that the first step still matters."""
    torch.manual_seed(seed)
    stack = build_stack(name, **SIZES, **options).double()
    with torch.no_grad():
        for weight in stack.parameters():
            weight.uniform_(-0.6, 0.6)
        for layer in stack.modules():
            if isinstance(layer, LSTM):
                layer.bias.chunk(4)[1].add_(3)
            elif isinstance(layer, GRU):
                layer.bias_ih.chunk(3)[1].add_(3)
    return stack


def padded_ids(counts=COUNTS, steps=STEPS):
    """Rows with that much padding in front; no word is 0."""
    ids = torch.randint(1, WORDS, (len(counts), steps), generator=torch.Generator().manual_seed(3))
    return ids.masked_fill(torch.arange(steps) < torch.tensor(counts).unsqueeze(1), 0)


@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_takes_both_integer_types(name, dtype):
    stack = build(name).eval()
    assert torch.equal(stack(padded_ids().to(dtype)), stack(padded_ids()))


@pytest.mark.parametrize("kernel", ["auto", "fused", "reference"])
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_a_rows_output_does_not_depend_on_the_other_rows(name, kernel):
    stack = build(name, kernel=kernel).eval()
    ids = padded_ids()
    with torch.no_grad():
        together = stack(ids)
        alone = torch.cat([stack(row.unsqueeze(0)) for row in ids])
        backwards = stack(ids.flip(0)).flip(0)
        unpadded_beside = stack(torch.cat([ids, padded_ids([0] * 9)]))[: len(ids)]
    assert together.unique().numel() == len(ids)
    # Float64: 61 steps at the scale of 1, in matrix products of other shapes and, alone, by another kernel.
    for other in (alone, backwards, unpadded_beside):
        torch.testing.assert_close(together, other, rtol=0, atol=1e-14)


NO_DROPOUT = {
    "lstm": {},
    "lstm_dropout": {"word_dropout": 0.0, "dropout": 0.0},
    "lstm_gate_dropout": {"word_dropout": 0.0, "dropout": 0.0, "recurrent_dropout": 0.0},
    "cnn_lstm": {},
}
SETTINGS = [
    *NO_DROPOUT.items(),
    ("lstm_dropout", {"word_dropout": 0.3, "dropout": 0.0}),
    ("lstm_dropout", {"word_dropout": 0.3, "dropout": 0.4}),
    ("lstm_gate_dropout", {"word_dropout": 0.3, "dropout": 0.0, "recurrent_dropout": 0.0}),
    ("lstm_gate_dropout", {"word_dropout": 0.3, "dropout": 0.4, "recurrent_dropout": 0.2}),
]
MASKED_SETTINGS = [(name, {**options, "mask_padding": True}) for name, options in SETTINGS if name != "cnn_lstm"]


def output_and_gradients(stack, ids):
    torch.manual_seed(11)  # the same words, elements and masks are dropped
    output = stack(ids)
    factors = torch.linspace(-1, 2, len(ids), dtype=torch.float64)
    return output.detach(), *torch.autograd.grad((output * factors).sum(), list(stack.parameters()))


@pytest.mark.parametrize(("name", "options"), SETTINGS + MASKED_SETTINGS)
def test_training_equals_the_reference_whatever_is_padding(name, options):
    expected = output_and_gradients(build(name, kernel="reference", **options), padded_ids())
    assert all(gradient.abs().max() > 1e-3 for gradient in expected)
    for kernel in ("fused", "auto"):
        result = output_and_gradients(build(name, kernel=kernel, **options), padded_ids())
        # Float64: gradients that are sums over 8 x 61 steps, at the scale of 1.
        torch.testing.assert_close(result, expected, rtol=0, atol=1e-13)


WHAT_READS = [
    {"num_layers": 2},
    {"bidirectional": True},
    {"cell": "gru"},
    {"pooling": "mean"},
    {"pooling": "max"},
    {"num_layers": 2, "bidirectional": True, "pooling": "max"},
    {"num_layers": 2, "bidirectional": True, "cell": "gru", "pooling": "mean"},
]
DROPOUT = {
    "lstm": {},
    "lstm_dropout": {"word_dropout": 0.3, "dropout": 0.4},
    "lstm_gate_dropout": {"word_dropout": 0.3, "dropout": 0.4, "recurrent_dropout": 0.2},
    "cnn_lstm": {"kernel_size": [2, 3]},
}


@pytest.mark.parametrize("options", WHAT_READS, ids=str)
@pytest.mark.parametrize(
    ("name", "drops", "masked"),
    [(name, drops, False) for name in NOTEBOOK_STACKS for drops in (False, True)]
    + [(name, drops, True) for name in WITHOUT_CONVOLUTION for drops in (False, True)],
)
def test_whatever_reads_trains_as_the_reference(name, drops, masked, options):
    options = {**options, **(DROPOUT if drops else NO_DROPOUT)[name]}
    if masked:
        options["mask_padding"] = True
    expected = output_and_gradients(build(name, kernel="reference", **options), padded_ids())
    result = output_and_gradients(build(name, kernel="auto", **options), padded_ids())
    # Float64: gradients that are sums over 8 x 61 steps, at the scale of 1, through up to two layers.
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("options", WHAT_READS, ids=str)
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_whatever_reads_no_row_depends_on_the_others(name, options):
    stack = build(name, **options, **({"kernel_size": [3, 4]} if name == "cnn_lstm" else {})).eval()
    ids = padded_ids()
    with torch.no_grad():
        alone = torch.cat([stack(row.unsqueeze(0)) for row in ids])
        torch.testing.assert_close(stack(ids), alone, rtol=0, atol=1e-13)


@pytest.mark.parametrize("options", WHAT_READS, ids=str)
@pytest.mark.parametrize("name", WITHOUT_CONVOLUTION)
def test_with_masked_padding_its_length_does_not_matter(name, options):
    stack = build(name, mask_padding=True, **options).eval()
    ids = padded_ids()
    longer = torch.cat([ids.new_zeros(len(ids), 19), ids], dim=1)
    with torch.no_grad():
        torch.testing.assert_close(stack(longer), stack(ids), rtol=0, atol=1e-13)
        for place in ("post", "mid"):
            torch.testing.assert_close(stack(moved(ids, place)), stack(ids), rtol=0, atol=1e-13)


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_pooling_leaves_out_the_padding_that_is_read(name, pooling):
    """The states in the padding are computed, and do not count; behind a convolution, those that see nothing else."""
    stack = build(name, pooling=pooling).eval()
    seen = []
    stack.pooling.register_forward_hook(lambda _, inputs, output: seen.append((inputs[0], output)))
    with torch.no_grad():
        logits = stack(padded_ids())
    ((states, pooled),) = seen
    for row, count in enumerate(COUNTS[:-1]):
        first = max(count - 1, 0) // 2 if name == "cnn_lstm" else count
        words = states[row, first:]
        expected = words.mean(dim=0) if pooling == "mean" else words.amax(dim=0)
        torch.testing.assert_close(pooled[row], expected, rtol=0, atol=1e-14)
    # A text without words is decided by the bias alone.
    assert logits[-1] == stack.output.bias


@pytest.mark.parametrize("name", ["lstm", "lstm_dropout", "cnn_lstm"])
def test_training_by_the_builtin_kernel_equals_the_reference(name):
    expected = output_and_gradients(build(name, kernel="reference", **NO_DROPOUT[name]), padded_ids())
    result = output_and_gradients(build(name, kernel="builtin", **NO_DROPOUT[name]), padded_ids())
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("kernel_size", [1, 2, 3, 4, 5, [2, 5]])
@pytest.mark.parametrize("pool_size", [1, 2, 3])
def test_shared_padding_behind_any_convolution_and_pooling(kernel_size, pool_size):
    options = {"kernel_size": kernel_size, "pool_size": pool_size}
    expected = output_and_gradients(build("cnn_lstm", kernel="reference", **options), padded_ids())
    result = output_and_gradients(build("cnn_lstm", kernel="fused", **options), padded_ids())
    # Float64: gradients that are sums over 8 x 61 steps and up to 64 channels; the padding's reaches 34.
    torch.testing.assert_close(result, expected, rtol=1e-12, atol=1e-13)


def test_padding_is_shared_where_nothing_random_stands_before_the_lstm(lstm_paddings):
    ids = padded_ids()
    for name in NOTEBOOK_STACKS:
        build(name).eval()(ids)
    build("lstm")(ids)
    build("lstm_gate_dropout")(ids)
    build("cnn_lstm")(ids)
    build("lstm_dropout", dropout=0.0)(ids)
    build("lstm_dropout")(ids)
    *told, behind_dropout = lstm_paddings
    assert all(padding is not None and not padding.masked for padding in told)
    assert all(padding.shared for padding in told)
    assert told[0].counts.tolist() == behind_dropout.counts.tolist() == COUNTS
    assert not behind_dropout.saves_steps


def moved(ids, place):
    """The same words in the same order, with the padding elsewhere."""
    rows = []
    for row in ids:
        words, padding = row[row != 0], row[row == 0]
        middle = len(words) // 2
        parts = {
            "pre": [padding, words],
            "post": [words, padding],
            "mid": [words[:middle], padding, words[middle:]],
            "both": [padding[: len(padding) // 2], words, padding[len(padding) // 2 :]],
        }[place]
        rows.append(torch.cat(parts))
    return torch.stack(rows)


@pytest.mark.parametrize("place", ["post", "mid", "both"])
@pytest.mark.parametrize("name", WITHOUT_CONVOLUTION)
@pytest.mark.parametrize("kernel", ["fused", "reference"])
def test_masked_padding_may_stand_anywhere(name, place, kernel):
    stack = build(name, mask_padding=True, kernel=kernel).eval()
    unmasked = build(name, kernel=kernel).eval()
    ids = padded_ids()
    assert not torch.equal(moved(ids, place), ids)
    with torch.no_grad():
        assert torch.equal(stack(moved(ids, place)), stack(ids))
        # Without the mask it matters where the padding stands.
        assert (unmasked(moved(ids, place)) - unmasked(ids)).abs().max() > 1e-3
        # A row's words alone give the same: 61 steps at the scale of 1 in float64.
        alone = torch.cat([stack(row[row != 0].unsqueeze(0)) for row in ids[:-1]])
        torch.testing.assert_close(stack(ids)[:-1], alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", WITHOUT_CONVOLUTION)
def test_masked_rows_without_words_give_the_bias(name):
    stack = build(name, mask_padding=True).eval()
    ids = torch.zeros(6, 30, dtype=torch.int64)
    assert torch.equal(stack(ids), stack.output.bias.expand(6))
    stack.train()
    stack(ids).sum().backward()
    assert stack.output.bias.grad.item() == 6
    assert not stack.recurrent.weight_hh.grad.any()


@pytest.mark.parametrize("name", NOTEBOOK_STACKS)
def test_rows_without_words_are_read_like_words(name):
    stack, reference = build(name).eval(), build(name, kernel="reference").eval()
    ids = torch.zeros(6, 30, dtype=torch.int64)
    # Float64, 30 steps at the scale of 1.
    torch.testing.assert_close(stack(ids), reference(ids), rtol=0, atol=1e-14)
    assert stack(ids).unique().numel() == 1


def test_masked_padding_does_not_go_with_a_convolution():
    with pytest.raises(ValueError, match=r"^mask_padding=True does not go with a convolution: its windows mix padding"):
        Stack(
            embedding=Embedding(5, 2),
            convolution=Convolution(2, 2, 3),
            recurrent=LSTM(2, 2),
            output=nn.Linear(2, 1),
            mask_padding=True,
        )


def test_a_convolution_without_pooling():
    torch.manual_seed(0)
    stack = Stack(
        embedding=Embedding(WORDS, 2),
        convolution=Convolution(2, 3, 3),
        recurrent=LSTM(3, 4),
        output=nn.Linear(4, 1),
    )
    # Float32, 61 steps at the scale of 1.
    ids = padded_ids()
    alone = torch.cat([stack(row.unsqueeze(0)) for row in ids])
    torch.testing.assert_close(stack(ids), alone, rtol=0, atol=1e-6)
