"""``seqclass`` and ``seqclass:KERNEL``: this project's stacks, in the same loop as ``torch-naive``."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from seqclass.models import build_stack
from seqclass.optim import KerasAdam
from torch import nn

from benchmarks.protocol import serve
from benchmarks.workers.base import METHODS
from benchmarks.workers.torch_loop import TorchWorker


class SeqclassWorker(TorchWorker):
    """Trains what `build_stack` makes, with `KerasAdam`."""

    distributions = ("seqclass", "torch", "numpy")

    def make_model(self, stack: str, sizes: dict[str, int], options: dict[str, Any]) -> nn.Module:
        return build_stack(stack, **sizes, **options)

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return KerasAdam(model.parameters())

    def from_neutral(self, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
        if name == "conv_kernel":
            return {"convolution.weight": value.transpose(2, 1, 0)}
        renamed = {
            "embedding": "embedding.weight",
            "conv_bias": "convolution.bias",
            "lstm_kernel": "lstm.weight_ih",
            "lstm_recurrent": "lstm.weight_hh",
            "lstm_bias": "lstm.bias",
            "dense_kernel": "output.weight",
            "dense_bias": "output.bias",
        }
        return {renamed[name]: value if name == "embedding" else value.T}


if __name__ == "__main__":
    serve(SeqclassWorker(), METHODS)
