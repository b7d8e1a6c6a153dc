import pytest
import torch
from torch import nn

from seqclass.nn import Convolution, MaxPooling, ParallelConvolutions


def features(steps=11, channels=4, dtype=torch.float64):
    return torch.randn(3, steps, channels, generator=torch.Generator().manual_seed(0), dtype=dtype).requires_grad_()


def with_gradients(output, *sources):
    return output, *torch.autograd.grad(output.square().sum(), sources)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("steps", [1, 2, 11])
def test_convolution_is_that_of_torch(kernel_size, steps):
    ours = Convolution(4, 6, kernel_size).double()
    torchs = nn.Conv1d(4, 6, kernel_size, padding="same", dtype=torch.float64)
    torchs.load_state_dict(ours.state_dict())
    inputs = features(steps)
    result = with_gradients(ours(inputs), inputs, *ours.parameters())
    expected = with_gradients(torchs(inputs.transpose(1, 2)).transpose(1, 2), inputs, *torchs.parameters())
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("kernel_size", [2, 4])
@pytest.mark.parametrize("steps", [1, 2, 11])
def test_an_even_window_reaches_further_to_the_right_as_in_keras(kernel_size, steps):
    """No warning either: PyTorch has one for its own "same" padding."""
    ours = Convolution(4, 6, kernel_size).double()
    inputs = features(steps)
    padded = nn.functional.pad(inputs.transpose(1, 2), (kernel_size // 2 - 1, kernel_size // 2))
    expected = nn.functional.conv1d(padded, ours.weight, ours.bias).transpose(1, 2)
    result = with_gradients(ours(inputs), inputs, *ours.parameters())
    torch.testing.assert_close(result, with_gradients(expected, inputs, *ours.parameters()), rtol=0, atol=1e-12)


def test_parallel_convolutions_stand_side_by_side():
    several = ParallelConvolutions(4, 6, [3, 4, 5]).double()
    assert (several.window, several.out_channels) == (5, 18)
    assert [name for name, _ in several.named_parameters()] == [
        f"{number}.{name}" for number in range(3) for name in ("weight", "bias")
    ]
    inputs = features()
    parts = several(inputs).split(6, dim=2)
    assert len(parts) == 3
    for part, layer in zip(parts, several, strict=True):
        assert torch.equal(part, layer(inputs))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pooling_is_that_of_torch(size):
    inputs = features()
    result = with_gradients(MaxPooling(size)(inputs), inputs)
    expected = with_gradients(nn.functional.max_pool1d(inputs.transpose(1, 2), size).transpose(1, 2), inputs)
    assert all(torch.equal(ours, torchs) for ours, torchs in zip(result, expected, strict=True))


def test_the_first_of_equal_steps_gets_the_gradient():
    inputs = torch.ones(1, 4, 2, requires_grad=True)
    MaxPooling(2)(inputs).sum().backward()
    assert inputs.grad[0, :, 0].tolist() == [1, 0, 1, 0]


def test_results_lie_steps_before_features():
    """So nothing is copied on the way to an LSTM, which reads (batch, steps, features)."""
    convolved = Convolution(4, 6, 3)(features(dtype=torch.float32))
    assert convolved.is_contiguous()
    assert MaxPooling(2)(convolved).is_contiguous()


@pytest.mark.parametrize("kernel_size", [3, 4])
def test_equal_windows_give_equal_features(kernel_size):
    """The padding in front is the same in all rows, to the last digit: the LSTM shares it."""
    convolution = Convolution(32, 32, kernel_size)
    inputs = torch.cat([torch.randn(1, 1, 32).expand(64, 60, 32), torch.randn(64, 40, 32)], dim=1)
    padding = convolution(inputs)[:, 1:58]
    assert torch.equal(padding, padding[:1, :1].expand_as(padding))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Convolution(0, 1, 1), "in_channels is 0; allowed are whole numbers from 1 on"),
        (lambda: Convolution(1, -1, 1), "out_channels is -1; allowed are whole numbers from 1 on"),
        (lambda: Convolution(1, 1, 0), "kernel_size is 0; allowed are whole numbers from 1 on"),
        (lambda: ParallelConvolutions(1, 1, []), r"kernel_sizes is \[\]; allowed is one length or more"),
        (lambda: ParallelConvolutions(1, 1, [3, 0]), "kernel_size is 0; allowed are whole numbers from 1 on"),
        (lambda: MaxPooling(0), "size is 0; allowed are whole numbers from 1 on"),
    ],
)
def test_sizes_are_positive(make, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        make()
