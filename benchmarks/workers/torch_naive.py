"""``torch-naive``: the stacks as most people write them in PyTorch, with `nn.LSTM` and PyTorch's defaults.

PyTorch's initial values, Adam and two biases, no flushing of denormal numbers, the padding run in full.
Dropout on the embedding is element-wise. `nn.LSTM` has no dropout at its gates: no ``lstm_gate_dropout``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.notebook import DROPOUT, FILTERS, KERNEL_SIZE
from benchmarks.protocol import serve
from benchmarks.workers.base import METHODS
from benchmarks.workers.torch_loop import TorchWorker


class NaiveStack(nn.Module):
    """Embedding, perhaps a convolution, `nn.LSTM`, and a linear layer on its last state."""

    def __init__(self, stack: str, *, num_embeddings: int, embedding_dim: int, hidden_size: int) -> None:
        super().__init__()
        convolved = stack == "cnn_lstm"
        self.embedding = nn.Embedding(num_embeddings, embedding_dim)
        self.convolution = nn.Conv1d(embedding_dim, FILTERS, KERNEL_SIZE, padding="same") if convolved else None
        self.dropout = nn.Dropout(DROPOUT if stack == "lstm_dropout" else 0.0)
        self.lstm = nn.LSTM(FILTERS if convolved else embedding_dim, hidden_size, batch_first=True)
        self.linear = nn.Linear(hidden_size, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """The logits, (batch,), of ids (batch, steps)."""
        values = self.dropout(self.embedding(ids))
        if self.convolution is not None:
            features = self.convolution(values.transpose(1, 2)).relu()
            values = nn.functional.max_pool1d(features, 2).transpose(1, 2)
        _, (hidden, _) = self.lstm(values)
        return self.linear(self.dropout(hidden[-1])).squeeze(-1)


class TorchNaiveWorker(TorchWorker):
    """Trains `NaiveStack`."""

    def make_model(self, stack: str, sizes: dict[str, int], options: dict[str, Any]) -> nn.Module:
        if stack == "lstm_gate_dropout":
            raise NotImplementedError("nn.LSTM has no dropout at its gates")
        return NaiveStack(stack, **sizes)

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.Adam(model.parameters())

    def from_neutral(self, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
        if name == "embedding":
            return {"embedding.weight": value}
        if name == "conv_kernel":
            return {"convolution.weight": value.transpose(2, 1, 0)}
        if name == "conv_bias":
            return {"convolution.bias": value}
        if name == "lstm_bias":
            return {"lstm.bias_ih_l0": value, "lstm.bias_hh_l0": np.zeros_like(value)}
        renamed = {
            "lstm_kernel": "lstm.weight_ih_l0",
            "lstm_recurrent": "lstm.weight_hh_l0",
            "dense_kernel": "linear.weight",
            "dense_bias": "linear.bias",
        }
        return {renamed[name]: value.T}

    def epoch(self, *, order: str, start: int, stop: int, batch_size: int) -> dict[str, float]:
        self.model.train()
        chosen = np.load(order)[start:stop]
        slices = self._slices(self.train_ids[chosen], self.train_labels[chosen], batch_size)
        return _means(self.train_step(*batch) for batch in slices)

    def evaluate(self, *, batch_size: int) -> dict[str, float]:
        self.model.eval()
        with torch.no_grad():
            slices = self._slices(self.test_ids, self.test_labels, batch_size)
            return _means(self.scores(*batch) for batch in slices)

    def _slices(self, ids: np.ndarray, labels: np.ndarray, batch_size: int) -> Iterable[tuple[Tensor, Tensor]]:
        return zip(self.tensor(ids).split(batch_size), self.tensor(labels).split(batch_size), strict=True)


def _means(sums: Iterable[Tensor]) -> dict[str, float]:
    loss, right, reviews = torch.stack(list(sums)).sum(0).tolist()
    return {"loss": loss / reviews, "accuracy": right / reviews}


if __name__ == "__main__":
    serve(TorchNaiveWorker(), METHODS)
