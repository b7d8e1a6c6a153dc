"""What no layer and no kernel computes with: tensors that do not fit each other, or the layer."""

import re
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.versions import needs_fake_gpu
from torch._subclasses.fake_tensor import FakeTensorMode

from seqclass.nn import (
    GRU,
    KERNELS,
    LSTM,
    Bidirectional,
    Convolution,
    Embedding,
    GlobalPooling,
    LeadingPadding,
    MaxPooling,
    ParallelConvolutions,
    Stacked,
)
from seqclass.nn.kernels import LSTMArguments, run_kernel
from seqclass.nn.tensor_checks import has_numbers

LAYERS = {
    "lstm": lambda: LSTM(32, 100),
    "gru": lambda: GRU(32, 100),
    "bidirectional": lambda: Bidirectional(LSTM(32, 100), GRU(32, 100)),
    "stacked": lambda: Stacked([LSTM(32, 10), LSTM(10, 100)]),
}
STEPS_32 = r"allowed is \(batch, steps, 32\) of floating-point numbers on cpu$"


@pytest.fixture(params=LAYERS.values(), ids=LAYERS)
def layer(request):
    return request.param()


@pytest.mark.parametrize(
    ("inputs", "found"),
    [
        (torch.ones(2, 5, 64), r"\(2, 5, 64\) torch.float32 on cpu"),
        (torch.ones(2, 5, 31), r"\(2, 5, 31\) torch.float32 on cpu"),
        (torch.ones(2, 5, 0), r"\(2, 5, 0\) torch.float32 on cpu"),
        (torch.ones(5, 32), r"\(5, 32\) torch.float32 on cpu"),
        (torch.ones(1, 2, 5, 32), r"\(1, 2, 5, 32\) torch.float32 on cpu"),
        (torch.ones(2, 5, 32, dtype=torch.int64), r"\(2, 5, 32\) torch.int64 on cpu"),
        (torch.ones(2, 5, 32, dtype=torch.complex64), r"\(2, 5, 32\) torch.complex64 on cpu"),
        (torch.ones(2, 5, 32, device="meta"), r"\(2, 5, 32\) torch.float32 on meta"),
    ],
    ids=str,
)
def test_inputs_that_a_recurrent_layer_does_not_take(layer, inputs, found):
    with pytest.raises(ValueError, match=f"^inputs is {found}; {STEPS_32}"):
        layer(inputs)


@pytest.mark.parametrize("kind", [{}, {"masked": True}, {"shared": False}], ids=str)
@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (torch.tensor([0, 50]), "padding.counts has 50; allowed are 0 to 5, the steps"),
        (torch.tensor([6, 6]), "padding.counts has 6; allowed are 0 to 5, the steps"),
        (torch.tensor([-1, 5]), "padding.counts has -1; allowed are 0 to 5, the steps"),
        (torch.tensor([2**62, -(2**62)]), f"padding.counts has -{2**62}; allowed are 0 to 5, the steps"),
        (torch.tensor([1]), "padding.counts is (1,) torch.int64; allowed is (2,) torch.int64, a number for each row"),
        (torch.tensor([1, 1, 1]), "padding.counts is (3,) torch.int64; allowed is (2,) torch.int64"),
        (torch.tensor([[1, 1]]), "padding.counts is (1, 2) torch.int64; allowed is (2,) torch.int64"),
        (torch.tensor(1), "padding.counts is () torch.int64; allowed is (2,) torch.int64"),
        (torch.tensor([1, 1], dtype=torch.int32), "padding.counts is (2,) torch.int32; allowed is (2,) torch.int64"),
        (torch.tensor([1.0, 1.0]), "padding.counts is (2,) torch.float32; allowed is (2,) torch.int64"),
    ],
    ids=str,
)
def test_padding_that_a_recurrent_layer_does_not_take(layer, counts, message, kind):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        layer(torch.ones(2, 5, 32), LeadingPadding(counts, **kind))


@pytest.mark.parametrize("kernel", ["reference", "fused", "compiled", "gru"])
@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("input_masks", (4, 3, 2)),
        ("input_masks", (4, 2)),
        ("recurrent_masks", (1, 2, 3)),
        ("recurrent_masks", (4, 2, 2)),
    ],
)
def test_masks_that_do_not_fit(kernel, name, shape):
    module = GRU(2, 3, kernel="reference") if kernel == "gru" else LSTM(2, 3, kernel=kernel)
    sizes = {"input_masks": (module.cell.gates, 2, 2), "recurrent_masks": (module.cell.gates, 2, 3)}
    message = f"{name} is {shape} torch.float32 on cpu; allowed is {sizes[name]} torch.float32 on cpu"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        module(torch.ones(2, 5, 2), **{name: torch.ones(shape)})


ARGUMENTS = LSTMArguments(torch.ones(3, 7, 2), torch.ones(20, 2), torch.ones(20, 5), torch.ones(20))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(
    ("name", "tensor", "message"),
    [
        ("weight_ih", torch.ones(16, 2), "weight_ih is (16, 2) torch.float32 on cpu; allowed is (20, 2)"),
        ("weight_hh", torch.ones(20, 4), "weight_ih is (20, 2) torch.float32 on cpu; allowed is (16, 2)"),
        ("weight_hh", torch.ones(21, 5), "weight_hh is (21, 5) torch.float32 on cpu; allowed is (20, 5)"),
        ("bias", torch.ones(19), "bias is (19,) torch.float32 on cpu; allowed is (20,)"),
        (
            "bias",
            torch.ones(20, dtype=torch.float64),
            "bias is (20,) torch.float64 on cpu; allowed is (20,)",
        ),
        (
            "bias",
            torch.ones(20, device="meta"),
            "bias is (20,) torch.float32 on meta; allowed is (20,) torch.float32 on cpu",
        ),
        ("inputs", torch.ones(3, 7, 3), "inputs is (3, 7, 3) torch.float32 on cpu; allowed is (batch, steps, 2)"),
        ("inputs", torch.ones(3, 7, 2, dtype=torch.int64), "inputs is (3, 7, 2) torch.int64 on cpu; allowed is"),
        ("padding", LeadingPadding(torch.tensor([0, 8, 0])), "padding.counts has 8; allowed are 0 to 7"),
    ],
)
def test_arguments_of_a_kernel_that_do_not_fit(kernel, name, tensor, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        run_kernel(replace(ARGUMENTS, **{name: tensor}), kernel)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    kernel=st.sampled_from(["reference", "builtin", "fused", "compiled"]),
    inputs=st.lists(st.integers(0, 5), min_size=2, max_size=4),
    features=st.integers(1, 5),
    counts=st.none() | st.lists(st.integers(-2, 7), max_size=6),
    masked=st.booleans(),
)
def test_any_shapes_fit_or_are_refused(kernel, inputs, features, counts, masked):
    """Never anything but a finite state or a ValueError, whatever the shapes."""
    fits = len(inputs) == 3 and inputs[2] == features
    if counts is not None:
        fits = fits and len(counts) == inputs[0] and all(0 <= count <= inputs[1] for count in counts)
    padding = None if counts is None else LeadingPadding(torch.tensor(counts, dtype=torch.int64), masked=masked)
    layer = LSTM(features, 3, kernel=kernel)
    if not fits:
        with pytest.raises(ValueError, match=r"^(inputs|padding\.counts) (is|has) .*; allowed (is|are) "):
            layer(torch.ones(inputs), padding)
    elif kernel == "builtin" and masked and padding is not None:
        with pytest.raises(ValueError, match="cannot run masked padding"):
            layer(torch.ones(inputs), padding)
    else:
        state = layer(torch.ones(inputs), padding)
        assert state.shape == (inputs[0], 3)
        assert state.isfinite().all()


def test_layers_that_do_not_fit_each_other():
    with pytest.raises(ValueError, match=r"^backward_layer.input_size is 4; allowed is 3, that of forward_layer$"):
        Bidirectional(LSTM(3, 5), GRU(4, 5))
    with pytest.raises(
        ValueError, match=r"^layers\[2\].input_size is 10; allowed is 5, the output_size of the layer below$"
    ):
        Stacked([Bidirectional(LSTM(3, 5), LSTM(3, 5)), LSTM(10, 5), LSTM(10, 5)])


@pytest.mark.parametrize("layer", [Convolution(4, 2, 3), ParallelConvolutions(4, 2, [2, 3])], ids=["one", "parallel"])
@pytest.mark.parametrize(
    "inputs",
    [torch.ones(2, 5, 3), torch.ones(5, 4), torch.ones(2, 5, 4, dtype=torch.int64), torch.ones(2, 5, 4, device="meta")],
    ids=str,
)
def test_inputs_that_a_convolution_does_not_take(layer, inputs):
    with pytest.raises(ValueError, match=r"^inputs is .*; allowed is \(batch, steps, 4\) of floating-point numbers"):
        layer(inputs)


@pytest.mark.parametrize("layer", [MaxPooling(2), GlobalPooling("max"), GlobalPooling("mean")], ids=str)
def test_inputs_that_a_pooling_does_not_take(layer):
    for inputs in (torch.ones(5, 4), torch.ones(2, 5, 4, dtype=torch.int64)):
        with pytest.raises(ValueError, match=r"(inputs|states) is .*; allowed is \(batch, steps, features\) of"):
            layer(inputs)


def test_fewer_steps_than_are_pooled():
    with pytest.raises(ValueError, match=r"^inputs has 2 steps; allowed are 3 or more, the pooling's size$"):
        MaxPooling(3)(torch.ones(1, 2, 4))


@pytest.mark.parametrize("kind", ["max", "mean"])
@pytest.mark.parametrize("counts", [[6, 0], [-1, 0], [0], [0, 0, 0]])
def test_padding_that_a_pooling_does_not_take(kind, counts):
    with pytest.raises(ValueError, match=r"^padding.counts (is|has) "):
        GlobalPooling(kind)(torch.ones(2, 5, 4), LeadingPadding(torch.tensor(counts)))


@pytest.mark.parametrize("dropout", [0.0, 0.5])
@pytest.mark.parametrize("dtype", [torch.int32, torch.int64])
@pytest.mark.parametrize("outside", [10, -1, 2**31 - 1])
def test_an_id_outside_the_table_is_named(outside, dtype, dropout):
    ids = torch.zeros(3, 4, dtype=dtype)
    ids[1, 2] = outside
    ids[2, 0] = outside
    message = rf"^ids\[1, 2\] is {outside}; allowed are 0 to 9, the rows of the table$"
    with pytest.raises(IndexError, match=message):
        Embedding(10, 2, dropout=dropout)(ids)


@pytest.mark.parametrize(
    "ids",
    [torch.zeros(3), torch.zeros(3, dtype=torch.int64), torch.zeros(3, 4), torch.zeros(3, 4, dtype=torch.int16)],
    ids=str,
)
def test_ids_that_an_embedding_does_not_take(ids):
    found = re.escape(f"{tuple(ids.shape)} {ids.dtype} on cpu")
    with pytest.raises(
        ValueError, match=rf"^ids is {found}; allowed is \(batch, steps\) torch.int32 or torch.int64 on cpu$"
    ):
        Embedding(10, 2)(ids)


class Front(torch.nn.Module):
    """Layers that look for nothing in the numbers of their inputs."""

    def __init__(self):
        super().__init__()
        self.embedding, self.convolution, self.pooling = Embedding(10, 4), Convolution(4, 3, 3), MaxPooling(2)
        self.summary = GlobalPooling("max")

    def forward(self, ids):
        states = self.pooling(self.convolution(self.embedding(ids)))
        return self.summary(states, LeadingPadding((ids == 0).sum(dim=1) // 2))


def test_layers_run_without_numbers():
    module = Front().to("meta")
    assert module(torch.zeros(2, 6, dtype=torch.int64, device="meta")).shape == (2, 3)
    with FakeTensorMode(allow_non_fake_inputs=True):
        ids = torch.zeros(2, 6, dtype=torch.int64)
        assert not has_numbers(ids)
        assert Front()(ids).shape == (2, 3)
        for cell in (LSTM, GRU):
            assert cell(4, 5)(torch.zeros(2, 6, 4)).shape == (2, 5)
            with pytest.raises(ValueError, match=r"^kernel='compiled' cannot run fake tensors: they have no memory"):
                cell(4, 5, kernel="compiled")(torch.zeros(2, 6, 4))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning", "ignore::DeprecationWarning")
def test_layers_are_traced_without_looking_at_numbers():
    module = Front().eval()
    ids = torch.tensor([[0, 0, 3, 4, 0, 5], [1, 2, 3, 4, 5, 6]])
    traced = torch.jit.trace(module, ids)
    other = ids.flip(0).roll(1, 1)
    torch.testing.assert_close(traced(other), module(other))


@needs_fake_gpu
def test_counts_on_a_gpu_are_not_waited_for():
    with FakeTensorMode():  # has devices that this machine need not have, and raises where a number is read
        counts = torch.zeros(2, dtype=torch.int64, device="cuda")
        assert not has_numbers(counts)
        LeadingPadding(counts).check(2, 5)
