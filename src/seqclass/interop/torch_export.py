"""A classifier as a `torch.export` program: batch and length are free."""

import io
import json
from pathlib import Path

import torch
from torch import nn
from torch._higher_order_ops.while_loop import while_loop

from seqclass.classifier import SequenceClassifier
from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.interop.description import describe
from seqclass.models import Stack
from seqclass.nn.lstm_kernels.arguments import HARD_SIGMOID_SLOPES


def export_torch(classifier: SequenceClassifier, out: str | Path) -> None:
    """Write a program that `torch.export.load` reads.

    It takes ids, int64 (batch, steps), and returns what the classifier does. Two steps or more have to reach the LSTM.
    Labels and text pipeline are in it as the extra file `seqclass.json`.

    Raises:
        InputError: the file cannot be written, or this PyTorch cannot export the loop over the steps, as 2.3 cannot.
    """
    # Tracing takes a size of one for a constant, so two steps have to be left behind the pooling.
    shortest = 2 * (1 if classifier.stack.pooling is None else classifier.stack.pooling.size)
    batch, steps = torch.export.Dim("batch", min=1), torch.export.Dim("steps", min=shortest)
    example = torch.ones(3, 5 * shortest + 1, dtype=torch.int64)
    content = io.BytesIO()
    description = json.dumps(describe(classifier), ensure_ascii=False)
    with torch.no_grad():
        try:
            program = torch.export.export(
                PortableStack(classifier.stack).eval(), (example,), dynamic_shapes=({0: batch, 1: steps},)
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

    The kernels of `seqclass.nn` look at the numbers of a batch to plan their work; here every row runs every step in a
    loop, as the LSTM's definition reads.
    """

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.embedding = stack.embedding
        self.convolution = stack.convolution
        self.pooling = stack.pooling
        self.output = stack.output
        self.mask_padding = stack.mask_padding
        self.slope = HARD_SIGMOID_SLOPES.get(stack.lstm.recurrent_activation)
        self.hidden_size = stack.lstm.hidden_size
        self.weight_ih, self.weight_hh, self.bias = stack.lstm.weight_ih, stack.lstm.weight_hh, stack.lstm.bias

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """(batch, steps) int64 -> (batch,) or (batch, classes)."""
        features = self.embedding(ids)
        if self.convolution is not None:
            features = self.convolution(features).relu()
            if self.pooling is not None:
                features = self.pooling(features)
        inputs = torch.nn.functional.linear(features, self.weight_ih, self.bias).transpose(0, 1).contiguous()
        words = (ids != 0).transpose(0, 1).contiguous()
        hidden = inputs.new_zeros(ids.shape[0], self.hidden_size)

        def goes_on(step: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor) -> torch.Tensor:
            return step < inputs.shape[0]

        def advance(
            step: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
            total = inputs.index_select(0, step.unsqueeze(0)).squeeze(0) + hidden @ self.weight_hh.t()
            i, f, g, o = total.chunk(4, dim=1)
            new_cell = self._gate(f) * cell + self._gate(i) * g.tanh()
            new_hidden = self._gate(o) * new_cell.tanh()
            if self.mask_padding:
                word = words.index_select(0, step.unsqueeze(0)).squeeze(0).unsqueeze(1)
                new_cell, new_hidden = torch.where(word, new_cell, cell), torch.where(word, new_hidden, hidden)
            return step + 1, new_hidden, new_cell

        start = torch.zeros((), dtype=torch.int64, device=ids.device)
        _, hidden, _ = while_loop(goes_on, advance, (start, hidden, torch.zeros_like(hidden)))
        logits: torch.Tensor = self.output(hidden)
        return logits.squeeze(1) if logits.shape[1] == 1 else logits

    def _gate(self, total: torch.Tensor) -> torch.Tensor:
        return total.sigmoid() if self.slope is None else (self.slope * total + 0.5).clamp(0, 1)
