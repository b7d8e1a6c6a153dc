"""A recurrent layer in each direction, side by side."""

from typing import Any

import torch

from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.shared_padding import LeadingPadding


class Bidirectional(RecurrentLayer):
    """Reads a sequence forward with one layer and backward with another, and puts their states side by side.

    Padding stays in front for both: of a row with the words a b c behind its padding the second layer reads the
    padding, and then c b a. So it does not forget the text over the padding, and masked or shared padding is that for
    both. With masked padding, or none, this is Keras' `Bidirectional` and that of `torch.nn.LSTM`; where padding is
    read as words are, those two would read it last.

    The last states are those after the last word forward, and after the first word backward.

    Args:
        forward_layer: a layer.
        backward_layer: another, with the same input size.

    Raises:
        ValueError: the layers have different input sizes.
    """

    def __init__(self, forward_layer: RecurrentLayer, backward_layer: RecurrentLayer) -> None:
        super().__init__()
        if backward_layer.input_size != forward_layer.input_size:
            raise ValueError(
                f"backward_layer.input_size is {backward_layer.input_size}; allowed is {forward_layer.input_size}, "
                "that of forward_layer"
            )
        self.input_size = forward_layer.input_size
        self.forward_layer = forward_layer
        self.backward_layer = backward_layer
        self.output_size = forward_layer.output_size + backward_layer.output_size

    @property
    def keeps_padding_shared(self) -> bool:
        return self.forward_layer.keeps_padding_shared and self.backward_layer.keeps_padding_shared

    def forward(
        self, inputs: torch.Tensor, padding: LeadingPadding | None = None, *, return_sequences: bool = False
    ) -> torch.Tensor:
        """Run over all steps, both ways; states after all steps stand at the steps that they have read last.

        Args:
            inputs: (batch, steps, input_size).
            padding: leading steps of the rows; None where there are none.
            return_sequences: whether the states after all steps are wanted; those of masked padding are zero.

        Returns:
            The last states, (batch, output_size), or all of them, (batch, steps, output_size).
        """
        ahead = self.forward_layer(inputs, padding, return_sequences=return_sequences)
        back = self.backward_layer(reverse_words(inputs, padding), padding, return_sequences=return_sequences)
        if return_sequences:
            back = reverse_words(back, padding)
        return torch.cat([ahead, back], dim=-1)


def reverse_words(sequence: torch.Tensor, padding: LeadingPadding | None) -> torch.Tensor:
    """Turn the order of each row's words round; its leading padding stays where it is.

    Args:
        sequence: (batch, steps, features).
        padding: None where there is none.

    Returns:
        The same shape. To reverse twice gives the sequence again.
    """
    if padding is None:
        return sequence.flip(1)
    batch, steps, _ = sequence.shape
    counts = padding.counts.to(sequence.device).unsqueeze(1)
    step = torch.arange(steps, device=sequence.device)
    places = torch.where(step < counts, step, counts + steps - 1 - step)
    rows = torch.arange(batch, device=sequence.device).unsqueeze(1) * steps
    places = (places + rows).flatten()
    if not torch.is_grad_enabled():
        return _exchanged(sequence, places)  # what `torch.export` can trace
    reversed_words: torch.Tensor = _Exchange.apply(sequence, places)
    return reversed_words


class _Exchange(torch.autograd.Function):
    """Steps of all rows in another order that is its own inverse, so the gradient takes the same way.

    PyTorch's `gather` does not know that, and adds the gradients up one by one.
    """

    @staticmethod
    def forward(ctx: Any, sequence: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(places)
        return _exchanged(sequence, places)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        (places,) = ctx.saved_tensors
        return _exchanged(gradients[0], places), None


def _exchanged(sequence: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    return sequence.flatten(0, 1).index_select(0, places).view(sequence.shape)
