import pytest
import torch
from packaging.version import Version
from torch import nn

from seqclass.nn import GlobalPooling, LeadingPadding, RecurrentActivation
from seqclass.nn.bidirectional import reverse_words
from seqclass.nn.cells import gru_step, lstm_step, project_inputs, run_steps
from seqclass.nn.shared_padding import count_leading

needs_export = pytest.mark.skipif(
    Version(torch.__version__) < Version("2.6"), reason="PyTorch before 2.6 cannot trace a loop of unknown length"
)


def random_weights(gates, *, input_size=3, hidden_size=4):
    torch.manual_seed(0)
    shapes = ((gates * hidden_size, input_size), (gates * hidden_size, hidden_size), (gates * hidden_size,))
    return tuple(torch.randn(shape, dtype=torch.float64) for shape in (*shapes, shapes[2]))


def test_an_lstms_step_is_torchs():
    weight_ih, weight_hh, bias, _ = random_weights(4)
    inputs, hidden, cell = (torch.randn(5, size, dtype=torch.float64) for size in (3, 4, 4))
    projected = project_inputs(inputs.unsqueeze(1), weight_ih, bias).squeeze(1)
    found = lstm_step(projected, (hidden, cell), weight_hh, recurrent_activation="sigmoid")
    expected = torch.lstm_cell(inputs, (hidden, cell), weight_ih, weight_hh, bias, torch.zeros_like(bias))
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


def test_a_grus_step_is_torchs():
    weight_ih, weight_hh, bias_ih, bias_hh = random_weights(3)
    inputs, hidden = (torch.randn(5, size, dtype=torch.float64) for size in (3, 4))
    projected = project_inputs(inputs.unsqueeze(1), weight_ih, bias_ih).squeeze(1)
    found = gru_step(projected, (hidden,), weight_hh, bias_hh, recurrent_activation="sigmoid")
    expected = torch.gru_cell(inputs, hidden, weight_ih, weight_hh, bias_ih, bias_hh)
    torch.testing.assert_close(found, (expected,), rtol=0, atol=1e-15)


def test_masks_multiply_what_goes_into_each_gate():
    """With masks of ones and zeros, a gate reads what it would read with those columns of its weights at zero."""
    weight_ih, weight_hh, bias, _ = random_weights(4)
    inputs, hidden, cell = (torch.randn(1, size, dtype=torch.float64) for size in (3, 4, 4))
    input_masks = torch.randint(0, 2, (4, 1, 3)).double()
    masks = torch.randint(0, 2, (4, 1, 4)).double()
    projected = project_inputs(inputs.unsqueeze(1), weight_ih, bias, input_masks).squeeze(1)
    found = lstm_step(projected, (hidden, cell), weight_hh, recurrent_activation="hard_sigmoid", masks=masks)
    pruned_ih = (weight_ih.view(4, 4, 3) * input_masks).view(16, 3)
    pruned_hh = (weight_hh.view(4, 4, 4) * masks).view(16, 4)
    projected = project_inputs(inputs.unsqueeze(1), pruned_ih, bias).squeeze(1)
    expected = lstm_step(projected, (hidden, cell), pruned_hh, recurrent_activation="hard_sigmoid")
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-15)


@pytest.mark.parametrize("return_sequences", [False, True])
def test_masked_padding_leaves_the_states_as_they_are(return_sequences):
    def count(x, states):
        return (states[0] + x, states[1] + 2 * x)

    padding = LeadingPadding(torch.tensor([0, 2, 4]), masked=True)
    zeros = torch.zeros(3, 1)
    found = run_steps(count, torch.ones(3, 4, 1), (zeros, zeros), padding, return_sequences=return_sequences)
    every = torch.tensor([[1.0, 2, 3, 4], [0, 0, 1, 2], [0, 0, 0, 0]]).unsqueeze(2)
    assert torch.equal(found, every if return_sequences else every[:, -1])


class Portable(nn.Module):
    """Both cells behind each other, a reversal and both poolings, as an exporter puts them together."""

    activation: RecurrentActivation = "hard_sigmoid"

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.ParameterList(random_weights(4))
        self.gru = nn.ParameterList(random_weights(3, input_size=4))
        self.mean, self.max = GlobalPooling("mean"), GlobalPooling("max")

    def forward(self, ids: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        from torch._higher_order_ops.scan import scan

        padding = LeadingPadding(count_leading(ids))
        zeros = torch.zeros_like(inputs[:, 0, :1]).expand(-1, 4)

        def run_lstm(states, projected):
            after = lstm_step(projected, states, self.lstm[1], recurrent_activation=self.activation)
            return after, after[0].clone()

        def run_gru(states, projected):
            after = gru_step(projected, states, self.gru[1], self.gru[3], recurrent_activation=self.activation)
            return after, after[0].clone()

        projected = project_inputs(reverse_words(inputs, padding), self.lstm[0], self.lstm[2])
        _, states = scan(run_lstm, (zeros.clone(), zeros.clone()), projected, dim=1)
        _, states = scan(run_gru, (zeros.clone(),), project_inputs(states, self.gru[0], self.gru[2]), dim=1)
        return torch.cat([self.mean(states, padding), self.max(states, padding)], dim=1)

    def step_by_step(self, ids: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        padding = LeadingPadding(count_leading(ids))
        zeros = inputs.new_zeros(len(inputs), 4)
        states = run_steps(
            lambda x, before: lstm_step(x, before, self.lstm[1], recurrent_activation=self.activation),
            project_inputs(reverse_words(inputs, padding), self.lstm[0], self.lstm[2]),
            (zeros, zeros),
            None,
            return_sequences=True,
        )
        states = run_steps(
            lambda x, before: gru_step(x, before, self.gru[1], self.gru[3], recurrent_activation=self.activation),
            project_inputs(states, self.gru[0], self.gru[2]),
            (zeros,),
            None,
            return_sequences=True,
        )
        return torch.cat([self.mean(states, padding), self.max(states, padding)], dim=1)


@needs_export
def test_torch_export_traces_them_for_any_batch_and_steps():
    module = Portable()

    def example(batch, steps):
        words = torch.rand(batch, steps) * torch.arange(1.0, steps + 1)
        return (words > 1).long(), torch.randn(batch, steps, 3, dtype=torch.float64)

    sizes = {0: torch.export.Dim("batch", min=1), 1: torch.export.Dim("steps", min=2)}
    with torch.no_grad():
        program = torch.export.export(module, example(3, 7), dynamic_shapes=(sizes, sizes)).module()
        for shape in ((1, 2), (5, 11), (2, 30)):
            given = example(*shape)
            torch.testing.assert_close(program(*given), module.step_by_step(*given), rtol=0, atol=1e-14)
