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
from seqclass.interop.description import describe, exportable_stack
from seqclass.models import Stack
from seqclass.nn import GRU, LSTM, Bidirectional, Stacked
from seqclass.nn.global_pooling import PoolingKind
from seqclass.nn.recurrent_activations import activate
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
        InputError: the file cannot be written, the stack has parts that the program would lack, or this PyTorch is too
            old to trace a loop of unknown length.
    """
    if scan is None:
        raise InputError(f"torch-export needs PyTorch 2.6 or newer, and this is {torch.__version__}")
    stack = exportable_stack(classifier, "torch-export")
    # Tracing takes a size of one for a constant, so two steps have to be left behind the pooling.
    shortest = 2 * (1 if stack.max_pooling is None else stack.max_pooling.size)
    batch, steps = torch.export.Dim("batch", min=1), torch.export.Dim("steps", min=shortest)
    example = torch.ones(3, 5 * shortest + 1, dtype=torch.int64)
    content = io.BytesIO()
    description = json.dumps(describe(classifier), ensure_ascii=False)
    with torch.no_grad():
        try:
            program = torch.export.export(
                PortableStack(stack).eval(), (example,), dynamic_shapes=({0: batch, 1: steps},)
            )
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
    the definitions of LSTM and GRU read. Masked padding is skipped where it stands.
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
        sequence = self.embedding(ids)
        counts = count_leading(ids)
        if self.convolution is not None:
            sequence = self.convolution(sequence).relu()
            if self.max_pooling is not None:
                sequence = self.max_pooling(sequence)
            pool_size = 1 if self.max_pooling is None else self.max_pooling.size
            counts = after_window(counts, steps=ids.shape[1], kernel_size=self.convolution.window, pool_size=pool_size)
        step = torch.arange(sequence.shape[1], device=ids.device)
        words = ids != 0 if self.mask_padding else step >= counts.unsqueeze(1)
        state, states = self._recur(self.recurrent, sequence, words, counts)
        if self.pooling is not None:
            state = _pool(states, words, self.pooling.kind)
        logits: torch.Tensor = self.output(state)
        return logits.squeeze(1) if logits.shape[1] == 1 else logits

    def _recur(
        self, layer: nn.Module, sequence: torch.Tensor, words: torch.Tensor, counts: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a layer's last state, (batch, output_size), and all its states, (batch, steps, output_size)."""
        if isinstance(layer, Stacked):
            for level in layer.layers:
                last, sequence = self._recur(level, sequence, words, counts)
            return last, sequence
        if isinstance(layer, Bidirectional):
            ahead, ahead_all = self._recur(layer.forward_layer, sequence, words, counts)
            # Padding that is skipped is turned round with the words, padding that is read stays where it was.
            turned_words = words.flip(1) if self.mask_padding else words
            back, back_all = self._recur(layer.backward_layer, self._turned(sequence, counts), turned_words, counts)
            every = torch.cat([ahead_all, self._turned(back_all, counts)], dim=2)
            return torch.cat([ahead, back], dim=1), every
        assert isinstance(layer, LSTM | GRU)
        return _run(layer, sequence, words if self.mask_padding else torch.ones_like(words))

    def _turned(self, sequence: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        if self.mask_padding:
            return sequence.flip(1)
        steps = sequence.shape[1]
        step, counts = torch.arange(steps, device=sequence.device), counts.unsqueeze(1)
        places = torch.where(step < counts, step, counts + steps - 1 - step)
        return sequence.gather(1, places.unsqueeze(2).expand(-1, -1, sequence.shape[2]))


def _run(layer: LSTM | GRU, sequence: torch.Tensor, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the last state and all states; where `words`, (batch, steps), is False the state stays as it is."""
    bias = layer.bias if isinstance(layer, LSTM) else layer.bias_ih
    inputs = nn.functional.linear(sequence, layer.weight_ih, bias)
    start = torch.zeros_like(inputs[:, 0, : layer.hidden_size])

    def advance(
        before: tuple[torch.Tensor, ...], step: tuple[torch.Tensor, torch.Tensor]
    ) -> tuple[tuple[torch.Tensor, ...], torch.Tensor]:
        x, word = step
        after = _lstm_step(layer, x, *before) if isinstance(layer, LSTM) else _gru_step(layer, x, *before)
        after = tuple(torch.where(word.unsqueeze(1), new, old) for new, old in zip(after, before, strict=True))
        return after, after[0].clone()

    memory = (start, torch.zeros_like(start)) if isinstance(layer, LSTM) else (start,)
    (last, *_), states = scan(advance, memory, (inputs, words), dim=1)
    return last, states


def _lstm_step(layer: LSTM, x: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor) -> tuple[torch.Tensor, ...]:
    i, f, g, o = (x + hidden @ layer.weight_hh.t()).chunk(4, dim=1)
    i, f, o = (activate(gate, layer.recurrent_activation) for gate in (i, f, o))
    cell = f * cell + i * g.tanh()
    return o * cell.tanh(), cell


def _gru_step(layer: GRU, x: torch.Tensor, hidden: torch.Tensor) -> tuple[torch.Tensor, ...]:
    x_r, x_z, x_n = x.chunk(3, dim=1)
    to_r, to_z, to_n = (hidden @ layer.weight_hh.t() + layer.bias_hh).chunk(3, dim=1)
    r, z = activate(x_r + to_r, layer.recurrent_activation), activate(x_z + to_z, layer.recurrent_activation)
    n = (x_n + r * to_n).tanh()
    return (n + z * (hidden - n),)


def _pool(states: torch.Tensor, words: torch.Tensor, kind: PoolingKind) -> torch.Tensor:
    number = words.sum(dim=1, keepdim=True)
    if kind == "mean":
        return (states * words.unsqueeze(2)).sum(dim=1) / number.clamp(min=1)
    largest = states.masked_fill(~words.unsqueeze(2), -torch.inf).amax(dim=1)
    return largest.masked_fill(number == 0, 0)
