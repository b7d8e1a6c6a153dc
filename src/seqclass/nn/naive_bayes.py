"""Logistic regression over features that naive Bayes has scaled, for each output by itself, over all texts at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F

_HISTORY = 8


class Features(Protocol):
    """How often each text has each feature: a matrix of texts and features, and its products."""

    @property
    def number(self) -> int:
        """Of the features."""

    def of_texts(self, weight: torch.Tensor) -> torch.Tensor:
        """Sum the rows of each text's features: (features, n) -> (texts, n)."""

    def of_features(self, numbers: torch.Tensor) -> torch.Tensor:
        """Sum the rows of the texts that have a feature: (texts, n) -> (features, n)."""

    def mean_square_length(self, scale: torch.Tensor) -> float:
        """Compute the mean of |scale * x|^2 over the texts x and the columns of `scale`, (features, n)."""


@dataclass(frozen=True)
class Fit:
    """What a fit came to.

    Attributes:
        weight: (features, outputs), naive Bayes' scale included.
        bias: (outputs,).
        loss: mean binary cross-entropy of the texts, summed over the outputs.
        iterations: of L-BFGS.
    """

    weight: torch.Tensor
    bias: torch.Tensor
    loss: float
    iterations: int


def fit_naive_bayes(
    features: Features,
    targets: torch.Tensor,
    shares: torch.Tensor,
    *,
    strength: float,
    max_iterations: int,
    tolerance: float,
) -> Fit:
    """Find the weights and the bias; see `seqclass.nn.fit_ngrams` for the formula and its source.

    Args:
        features: of the texts.
        targets: (texts, outputs), ones and zeros.
        shares: (texts, 1), of each text in the mean loss.
        strength: of the fit against the penalty on the weights.
        max_iterations: where L-BFGS stops if it has not converged.
        tolerance: it has when the gradient's largest number is that part of what it was for zero weights.
    """
    ratio = log_ratio(features, targets)
    penalty = features.mean_square_length(ratio) / (strength * len(targets))
    solution = ratio.new_zeros(features.number + 1, targets.shape[1])  # the last row is the bias
    weight, bias = solution[:-1], solution[-1]

    def closure() -> float:
        logits = features.of_texts(ratio * weight) + bias
        losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        slope = (logits.sigmoid() - targets) * shares
        solution.grad = torch.cat(
            [ratio * features.of_features(slope) + penalty * weight, slope.sum(dim=0, keepdim=True)]
        )
        return float((losses * shares).sum() + penalty / 2 * weight.square().sum())

    iterations = _minimize(solution, closure, max_iterations=max_iterations, tolerance=tolerance)
    loss = closure() - penalty / 2 * float(weight.square().sum())
    return Fit(weight=ratio * weight, bias=bias, loss=loss, iterations=iterations)


def _minimize(solution: torch.Tensor, closure: Callable[[], float], *, max_iterations: int, tolerance: float) -> int:
    """Run L-BFGS, with no learning rate and nothing random; returns the number of its iterations."""
    closure()
    assert solution.grad is not None
    steepest = float(solution.grad.abs().max())
    optimizer = torch.optim.LBFGS(
        [solution],
        max_iter=max_iterations,
        history_size=_HISTORY,
        tolerance_grad=tolerance * steepest,
        tolerance_change=0,
        line_search_fn="strong_wolfe",
    )
    optimizer.step(closure)
    iterations: int = optimizer.state[solution]["n_iter"]
    return iterations


def log_ratio(features: Features, targets: torch.Tensor) -> torch.Tensor:
    """Compute the naive Bayes log-count ratio of each feature for each output, (features, outputs)."""
    share = (targets.sum(dim=0) + 1) / (len(targets) + 2)

    def log_share(kind: torch.Tensor, of_kind: torch.Tensor) -> torch.Tensor:
        counts = features.of_features(kind) + 2 * of_kind
        return counts.log() - counts.sum(dim=0).log()

    return log_share(targets, share) - log_share(1 - targets, 1 - share)
