"""One recurrent layer for each direction, their states concatenated."""

from typing import Any

import torch

from seqclass.nn.recurrent import RecurrentLayer
from seqclass.nn.shared_padding import LeadingPadding


class Bidirectional(RecurrentLayer):
    """Read a sequence forward with one layer and backward with another, and concatenate their states.

    Padding stays in front for both layers: given a row with padding followed by the words a b c, the second layer reads
    the padding and then c b a. So padding is never the last thing a layer reads, and masked or shared padding is so for
    both. With masked padding, or none, this equals Keras' `Bidirectional` and PyTorch's `bidirectional=True`; where
    padding is computed like words, those two read it last in the backward direction.

    The last states are those after the last word forward, and after the first word backward.

    Args:
        forward_layer: reads the words in their order.
        backward_layer: reads them in reverse; its input size is the same.

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
        """Run over all steps in both directions; see `RecurrentLayer`.

        Each state is returned at the step that it has read last.
        """
        ahead = self.forward_layer(inputs, padding, return_sequences=return_sequences)
        back = self.backward_layer(reverse_words(inputs, padding), padding, return_sequences=return_sequences)
        if return_sequences:
            back = reverse_words(back, padding)
        return torch.cat([ahead, back], dim=-1)


def reverse_words(sequence: torch.Tensor, padding: LeadingPadding | None) -> torch.Tensor:
    """Reverse the words of each row, and leave its leading padding in front.

    Args:
        sequence: (batch, steps, features).
        padding: None where there is none.

    Returns:
        The same shape. Reversing twice gives the sequence again.
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
    """Permute the steps of all rows by a permutation that is its own inverse, so the gradient is permuted likewise.

    PyTorch's `gather` cannot know that, and adds the gradients up one by one.
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
