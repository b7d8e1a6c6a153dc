"""One answer from two branches: a stack's recurrent layers and its n-grams."""

import torch
from torch import nn
from torch.nn import functional as F

PRIOR = (1 / 3, 2 / 3)
"""The weights of the recurrent branch and of the n-grams before any held-out text is seen."""
DEVIATION = 0.1
"""How far the held-out texts are expected to move them. Both were chosen on other held-out texts (docs/accuracy.md)."""


class Blend(nn.Module):
    """Add the log-odds of two branches, each weighted: a geometric mean of their probabilities.

    The weights are chosen on held-out texts (`fit`), since on the training texts the n-grams are nearly always right.

    Args:
        single_label: whether a text has exactly one of several classes; then the branches' n-gram logits, one against
            the rest, become log-probabilities first.

    Attributes:
        weights: (2,), of the recurrent branch and of the n-grams; not trained by gradient descent.
    """

    def __init__(self, *, single_label: bool) -> None:
        super().__init__()
        self.single_label = single_label
        self.weights = nn.Parameter(torch.tensor(PRIOR), requires_grad=False)

    def forward(self, recurrent: torch.Tensor, ngrams: torch.Tensor) -> torch.Tensor:
        """Blend logits of the same shape, (batch,) or (batch, classes)."""
        return self._blended(self.weights, recurrent, ngrams)

    def _blended(self, weights: torch.Tensor, recurrent: torch.Tensor, ngrams: torch.Tensor) -> torch.Tensor:
        if self.single_label and ngrams.dim() == 2:
            ngrams = F.logsigmoid(ngrams)
        return weights[0] * recurrent + weights[1] * ngrams

    @torch.enable_grad()
    def fit(self, recurrent: torch.Tensor, ngrams: torch.Tensor, labels: torch.Tensor) -> None:
        """Choose the weights that give held-out texts the highest likelihood; both stay at or above zero.

        A prior, normal around `PRIOR` with the standard deviation `DEVIATION`, decides where there are few texts.

        Args:
            recurrent: the first branch's logits, (texts,) or (texts, classes).
            ngrams: the second's.
            labels: (texts,) int64; (texts, classes), ones and zeros, if a text may have several.
        """
        recurrent, ngrams = recurrent.detach().double(), ngrams.detach().double()
        prior = torch.tensor(PRIOR, dtype=torch.float64, device=recurrent.device)
        roots = prior.sqrt().requires_grad_()
        optimizer = torch.optim.LBFGS([roots], max_iter=50, line_search_fn="strong_wolfe")

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            weights = roots.square()
            logits = self._blended(weights, recurrent, ngrams)
            if self.single_label and logits.dim() == 2:
                loss = F.cross_entropy(logits, labels, reduction="sum")
            else:
                loss = F.binary_cross_entropy_with_logits(logits, labels.to(logits), reduction="sum")
            total = loss + ((weights - prior) / DEVIATION).square().sum() / 2
            total.backward()  # type: ignore[no-untyped-call]  # PyTorch leaves it untyped
            return total

        optimizer.step(closure)  # type: ignore[no-untyped-call]
        with torch.no_grad():
            self.weights.copy_(roots.square())
