"""A classifier as a `torch.export` program: batch and length are free."""

import io
import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.interop.description import describe
from seqclass.interop.portable import portable_stack
from seqclass.interop.traceable_chain import fewest_steps, fixed_steps, traceable_chain
from seqclass.models import Chain, Stack
from seqclass.models.chain import PlainRecurrent
from seqclass.models.stack import padding_first
from seqclass.nn import GRU, LSTM, Bidirectional, LeadingPadding, Stacked
from seqclass.nn.bidirectional import reverse_words
from seqclass.nn.cells import gru_step, lstm_step, project_inputs
from seqclass.nn.shared_padding import after_window, count_leading

try:
    from torch._higher_order_ops.scan import scan
except ImportError:  # before PyTorch 2.6
    scan: Any = None  # type: ignore[no-redef]


def export_torch(classifier: TextClassifier, out: str | Path) -> None:
    """Write a program that `torch.export.load` reads.

    It takes ids, int64 (batch, steps), and returns what the classifier does. Two steps or more have to reach the LSTM.
    Labels and text pipeline are in it as the extra file `seqclass.json`.

    Raises:
        InputError: the file cannot be written, the classifier has what is not written, or this PyTorch is too old to
            trace a loop of unknown length.
    """
    if scan is None:
        raise InputError(f"torch-export needs PyTorch 2.6 or newer, and this is {torch.__version__}")
    # Tracing takes a size of one for a constant, so two steps must be left behind the windows.
    fixed: int | None = None
    if isinstance(classifier.stack, Chain):
        traced = traceable_chain(classifier.stack)
        shortest, fixed = fewest_steps(classifier.stack.layers), fixed_steps(classifier.stack)
    else:
        stack = portable_stack(classifier, "torch-export")
        traced = PortableStack(stack)
        shortest = 2 * (1 if stack.max_pooling is None else stack.max_pooling.size)
    sizes: dict[int, Any] = {0: torch.export.Dim("batch", min=1)}
    if fixed is None:
        sizes[1] = torch.export.Dim("steps", min=shortest)
    example = torch.ones(3, fixed or 5 * shortest + 1, dtype=torch.int64)
    content = io.BytesIO()
    description = json.dumps(describe(classifier), ensure_ascii=False)
    with torch.no_grad():
        try:
            program = torch.export.export(traced.eval(), (example,), dynamic_shapes=(sizes,))
            torch.export.save(program, content, extra_files={"seqclass.json": description})
            # PyTorch 2.3 writes such a program, but what it reads again does not run.
            torch.export.load(io.BytesIO(content.getvalue())).module()(example)
        except Exception as error:  # whatever a PyTorch raises that cannot export such a loop
            raise InputError(
                f"PyTorch {torch.__version__} cannot export the loop over the steps ({type(error).__name__}): take a "
                "newer one (2.13 can), or the format onnx"
            ) from error
    with written_whole(out) as part:
        part.write_bytes(content.getvalue())


class PortableStack(nn.Module):
    """What a `Stack` computes in evaluation, in operations that can be traced with sizes unknown.

    The kernels of `seqclass.nn` look at the numbers of a batch to plan their work; here every row runs every step, as
    the definitions of LSTM and GRU read.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.embedding = stack.embedding
        self.convolution = stack.convolution
        self.max_pooling = stack.max_pooling
        self.recurrent = stack.recurrent
        self.pooling = stack.pooling
        self.output = stack.output
        self.mask_padding = stack.mask_padding

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(batch, steps) int64 -> (batch,) or (batch, classes)."""
        if self.mask_padding:
            ids = padding_first(ids)
        sequence = self.embedding(ids)
        counts = count_leading(ids)
        if self.convolution is not None:
            sequence = self.convolution(sequence).relu()
            if self.max_pooling is not None:
                sequence = self.max_pooling(sequence)
            pool_size = 1 if self.max_pooling is None else self.max_pooling.size
            counts = after_window(counts, steps=ids.shape[1], kernel_size=self.convolution.window, pool_size=pool_size)
        padding = LeadingPadding(counts, masked=self.mask_padding)
        state, states = _recur(self.recurrent, sequence, padding)
        if self.pooling is not None:
            state = self.pooling(states, padding)
        logits: torch.Tensor = self.output(state)
        return logits.squeeze(1) if logits.shape[1] == 1 else logits


def _recur(layer: nn.Module, sequence: torch.Tensor, padding: LeadingPadding) -> tuple[torch.Tensor, torch.Tensor]:
    """Return a layer's last state, (batch, output_size), and all its states, (batch, steps, output_size)."""
    if isinstance(layer, Stacked):
        for level in layer.layers:
            last, sequence = _recur(level, sequence, padding)
        return last, sequence
    if isinstance(layer, Bidirectional):
        ahead, ahead_all = _recur(layer.forward_layer, sequence, padding)
        back, back_all = _recur(layer.backward_layer, reverse_words(sequence, padding), padding)
        every = torch.cat([ahead_all, reverse_words(back_all, padding)], dim=2)
        return torch.cat([ahead, back], dim=1), every
    assert isinstance(layer, LSTM | GRU)
    return run_scanned(layer, sequence, padding)


def run_scanned(
    layer: nn.Module, sequence: torch.Tensor, padding: LeadingPadding | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the last state and all states; masked padding leaves the state as it is."""
    assert isinstance(layer, LSTM | GRU | PlainRecurrent)
    bias = (
        layer.bias_ih
        if isinstance(layer, GRU)
        else layer.input_bias
        if isinstance(layer, PlainRecurrent)
        else layer.bias
    )
    inputs = project_inputs(sequence, layer.weight_ih, bias)
    start = torch.zeros_like(inputs[:, 0, : layer.hidden_size])
    step = torch.arange(sequence.shape[1], device=sequence.device)
    masked = padding is not None and padding.masked
    words = step >= padding.counts.unsqueeze(1) if masked and padding else torch.ones_like(inputs[:, :, 0]).bool()

    def advance(
        before: tuple[torch.Tensor, ...], now: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        x, word = now
        if isinstance(layer, PlainRecurrent):
            after = layer.advance(x, before)
        elif isinstance(layer, LSTM):
            after = lstm_step(x, before, layer.weight_hh, recurrent_activation=layer.recurrent_activation)
        else:
            activation = layer.recurrent_activation
            after = gru_step(x, before, layer.weight_hh, layer.bias_hh, recurrent_activation=activation)
        after = tuple(torch.where(word.unsqueeze(1), new, old) for new, old in zip(after, before, strict=True))
        return after, after[0].clone()

    two = isinstance(layer, LSTM) or (isinstance(layer, PlainRecurrent) and layer.cell == "lstm")
    memory = (start, torch.zeros_like(start)) if two else (start,)
    (last, *_), states = scan(advance, memory, (inputs, words), dim=1)
    return last, states
