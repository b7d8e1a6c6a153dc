"""``seqclass``, ``seqclass:KERNEL`` and ``seqclass:as-keras3``: this project.

Steps are those of the stack in the same loop as ``torch-naive``'s. Epochs and evaluations are those that users get:
`SequenceClassifier` with the initial values of its recipe, under Lightning's `Trainer`, with batches of seqclass' own
loader in the given order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from lightning.pytorch import Trainer
from torch import nn

from benchmarks.protocol import serve
from benchmarks.workers.base import METHODS
from benchmarks.workers.torch_loop import TorchWorker
from seqclass.classifier import TextClassifier
from seqclass.data import Batches
from seqclass.freed_memory import keep_freed_memory
from seqclass.models import StackOptions
from seqclass.optim import KerasAdam
from seqclass.training import SequenceClassifier

METRICS = {"loss": "loss", "accuracy": "acc"}
"""The names of results, and how seqclass logs them."""

KERAS1_EPS = 1e-8
KERAS3_EPS = 1e-7
"""The defaults of the two Adams."""


def recipe(stack: str) -> dict[str, Any]:
    """The model's section of the stack's recipe in ``configs``."""
    config = Path(__file__).parents[2] / "configs" / f"{stack}.yaml"
    return yaml.safe_load(config.read_text(encoding="utf-8"))["model"]


class SeqclassWorker(TorchWorker):
    """Trains a `SequenceClassifier` with `KerasAdam`."""

    distributions = ("seqclass", "torch", "lightning", "numpy")

    def make_model(self, stack: str, sizes: dict[str, int], options: dict[str, Any]) -> nn.Module:
        options = {"initializer": recipe(stack)["initializer"], **options}
        self.eps = KERAS1_EPS
        if options.pop("as_keras3", False):
            self.eps = KERAS3_EPS
            options["initializer"] = "keras"
            if "word_dropout" in recipe(stack):
                options["word_dropout"] = 0.0
        # One optimizer for all calls of `epoch`: each is a `fit` of its own, and would start with a new one.
        self.classifier = TextClassifier(StackOptions(stack=stack, num_classes=2, **sizes, **options))
        self.module = SequenceClassifier(self.classifier, optimizer=lambda parameters: self.optimizer)
        return self.classifier.stack

    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        return KerasAdam(model.parameters(), eps=self.eps)

    def from_neutral(self, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
        if name == "conv_kernel":
            return {"convolution.weight": value.transpose(2, 1, 0)}
        renamed = {
            "embedding": "embedding.weight",
            "conv_bias": "convolution.bias",
            "lstm_kernel": "recurrent.weight_ih",
            "lstm_recurrent": "recurrent.weight_hh",
            "lstm_bias": "recurrent.bias",
            "dense_kernel": "output.weight",
            "dense_bias": "output.bias",
        }
        return {renamed[name]: value if name == "embedding" else value.T}

    def epoch(self, *, order: str, start: int, stop: int, batch_size: int) -> dict[str, float]:
        chosen = np.load(order)[start:stop]
        batches = self._batches(self.train_ids[chosen], self.train_labels[chosen], batch_size)
        trainer = self._trainer()
        trainer.fit(self.module, batches)
        return {name: float(trainer.callback_metrics[f"train_{key}"]) for name, key in METRICS.items()}

    def evaluate(self, *, batch_size: int) -> dict[str, float]:
        batches = self._batches(self.test_ids, self.test_labels, batch_size)
        (logged,) = self._trainer().validate(self.module, batches, verbose=False)
        return {name: float(logged[f"val_{key}"]) for name, key in METRICS.items()}

    def _batches(self, ids: np.ndarray, labels: np.ndarray, batch_size: int) -> Batches:
        num_ids = self.classifier.options.num_embeddings
        batches = Batches(
            torch.from_numpy(ids), torch.from_numpy(labels).long(), num_ids=num_ids, batch_size=batch_size
        )
        return batches.to(self.device)

    def _trainer(self) -> Trainer:
        return Trainer(
            accelerator="gpu" if self.device == "cuda" else "cpu",
            devices=1,
            max_epochs=1,
            precision="bf16-mixed" if self.autocast else "32-true",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )


if __name__ == "__main__":
    keep_freed_memory()  # as the command line does
    serve(SeqclassWorker(), METHODS)
