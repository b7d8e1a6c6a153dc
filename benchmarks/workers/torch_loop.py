"""What the two PyTorch workers share: the training step that anyone writes, and nothing else in it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.timer import Laps
from benchmarks.workers.base import NeuralWorker, Wanted, batches


class TorchWorker(NeuralWorker):
    """Trains a module of ids (batch, steps) to logits (batch,) with binary cross-entropy."""

    distributions: tuple[str, ...] = ("torch", "numpy")

    @abstractmethod
    def make_model(self, stack: str, sizes: dict[str, int], options: dict[str, Any]) -> nn.Module:
        """The module, with the initial values its users get."""

    @abstractmethod
    def make_optimizer(self, model: nn.Module) -> torch.optim.Optimizer:
        """Adam, as its users write it."""

    @abstractmethod
    def from_neutral(self, name: str, value: np.ndarray) -> dict[str, np.ndarray]:
        """One array of the neutral layout as entries of the module's state."""

    @final
    def make(self, wanted: Wanted) -> int:
        torch.set_num_threads(wanted.threads)
        torch.manual_seed(wanted.seed)
        self.device = wanted.device
        self.autocast = wanted.options.get("precision") == "bf16"
        options = {name: value for name, value in wanted.options.items() if name != "precision"}
        self.model = self.make_model(wanted.stack, wanted.sizes, options).to(self.device)
        self.optimizer = self.make_optimizer(self.model)
        return sum(parameter.numel() for parameter in self.model.parameters())

    @final
    def check(self, *, weights: str, ids: str, probabilities: str) -> None:
        own = {name: value.clone() for name, value in self.model.state_dict().items()}
        with np.load(weights) as neutral:
            given = {
                name: torch.from_numpy(np.ascontiguousarray(value))
                for key in neutral.files
                for name, value in self.from_neutral(key, neutral[key]).items()
            }
        self.model.load_state_dict(given)
        self.model.eval()
        with torch.no_grad():
            np.save(probabilities, self.model(self.tensor(np.load(ids))).sigmoid().cpu().numpy())
        self.model.load_state_dict(own)

    @final
    def train_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        self.model.train()
        return self._timed(self.train_step, ids, labels, start, count)

    @final
    def eval_steps(self, *, ids: str, labels: str, start: int, count: int) -> list[float]:
        self.model.eval()
        with torch.no_grad():
            return self._timed(self.scores, ids, labels, start, count)

    def memory(self) -> dict[str, float]:
        figures = super().memory()
        if self.device == "cuda":
            figures["device_peak_mib"] = torch.cuda.max_memory_allocated() / 2**20
        return figures

    @final
    def train_step(self, ids: Tensor, labels: Tensor) -> Tensor:
        """One step of training; the batch's summed loss, right answers and number of reviews."""
        self.optimizer.zero_grad()
        logits = self._logits(ids)
        loss = F.binary_cross_entropy_with_logits(logits, labels)
        loss.backward()
        self.optimizer.step()
        return _sums(loss.detach(), logits.detach(), labels)

    @final
    def scores(self, ids: Tensor, labels: Tensor) -> Tensor:
        """One step of evaluation; the same sums."""
        logits = self._logits(ids)
        return _sums(F.binary_cross_entropy_with_logits(logits, labels), logits, labels)

    def _logits(self, ids: Tensor) -> Tensor:
        with torch.autocast(self.device, torch.bfloat16, enabled=self.autocast):
            return self.model(ids).float()

    def _timed(
        self, step: Callable[[Tensor, Tensor], Tensor], ids: str, labels: str, start: int, count: int
    ) -> list[float]:
        all_ids, all_labels = batches(ids, labels, start, count)
        laps = Laps(self.device)
        laps.start()
        for batch_ids, batch_labels in zip(all_ids, all_labels, strict=True):
            step(self.tensor(batch_ids), self.tensor(batch_labels))
            laps.lap()
        return laps.milliseconds()

    @final
    def tensor(self, array: np.ndarray) -> Tensor:
        """The array as a tensor on the device."""
        return torch.from_numpy(array).to(self.device)


def _sums(loss: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
    """A batch's summed loss, right answers and reviews; added up at the end, so that no step waits."""
    reviews = torch.full_like(loss, len(labels))
    return torch.stack([loss * reviews, ((logits > 0) == (labels > 0.5)).sum().to(loss), reviews])
