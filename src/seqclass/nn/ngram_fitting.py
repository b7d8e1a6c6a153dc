"""The weights of an `NGrams` layer: regularized logistic regression, scaled by naive Bayes, over all texts at once."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from seqclass.checks import check_positive
from seqclass.nn.ngrams import NGrams

_HISTORY = 8
_SMOOTHING = 1.0
_CHUNK = 2**20  # ids that are hashed at a time


@dataclass(frozen=True)
class NGramFit:
    """What a fit came to.

    Attributes:
        features: buckets that have a weight.
        loss: mean binary cross-entropy of the training texts.
        iterations: of L-BFGS.
    """

    features: int
    loss: float
    iterations: int


def fit_ngrams(
    layer: NGrams,
    values: torch.Tensor,
    offsets: torch.Tensor,
    targets: torch.Tensor,
    *,
    weights: torch.Tensor | None = None,
    strength: float = 200.0,
    min_texts: int = 1,
    max_iterations: int = 100,
    tolerance: float = 1e-3,
) -> NGramFit:
    """Fit the layer to texts, each output by itself (one against the rest), and set its weights.

    For each output, with x a text's binary features, N the counts of the features in the texts that have the label and
    in those that have not, V the number of features, n that of the texts, and l the mean of |r * x|^2 over them:

        r = log((N_yes + 1) / (|N_yes| + V)) - log((N_no + 1) / (|N_no| + V))
        minimize over w and b: mean cross-entropy of sigmoid((r * x) . w + b) + l / (2 * strength * n) * |w|^2
        weight = r * w, bias = b

    This is the NBSVM of Wang and Manning (2012) with the logistic loss for the hinge and without interpolation.
    `strength` is the C of LIBLINEAR and scikit-learn for texts scaled to length 1 on average, so one value does for
    short and long texts. The minimum is unique; L-BFGS finds it, with no learning rate and nothing random.

    Keeps 8 bytes for each distinct n-gram of each text, and up to 30 while they are collected; 100 for each weight.

    Args:
        layer: its weights and bias are overwritten.
        values: (ids,), the ids of all texts one after the other, any integer type.
        offsets: (texts + 1,) int64: text i is `values[offsets[i]:offsets[i + 1]]`.
        targets: (texts, outputs), ones and zeros; for a layer of one output (texts,) will do.
        weights: (texts,), what each text weighs in the loss; None for the same.
        strength: of the fit against the penalty on the weights; more fits the training texts more closely.
        min_texts: n-grams in fewer texts get no weight.
        max_iterations: where L-BFGS stops if it has not converged.
        tolerance: it has when the gradient's largest number is that part of what it was for zero weights.

    Raises:
        ValueError: no texts, shapes that do not fit each other, targets other than 0 and 1, or a number out of range.
    """
    targets = _checked_targets(layer, offsets, targets)
    if not strength > 0:
        raise ValueError(f"strength is {strength!r}; allowed are numbers above 0")
    check_positive("min_texts", min_texts)
    check_positive("max_iterations", max_iterations)
    table = _FeatureTable(layer, values, offsets, min_texts=min_texts)
    importance, targets = _shares(weights, targets)[table.order], targets[table.order]
    ratio = _log_ratio(table, targets)
    # x is binary, so these are the texts' mean squared lengths: the mean over texts and outputs of |r * x|^2.
    length = float(table.of_texts(ratio.square()).mean())
    penalty = length / (strength * len(targets))

    solution = ratio.new_zeros(table.features + 1, layer.outputs)  # the last row is the bias
    weight, bias = solution[:-1], solution[-1]

    def closure() -> float:
        logits = table.of_texts(ratio * weight) + bias
        losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
        slope = (logits.sigmoid() - targets) * importance
        solution.grad = torch.cat([ratio * table.of_features(slope) + penalty * weight, slope.sum(dim=0, keepdim=True)])
        return float((losses * importance).sum() + penalty / 2 * weight.square().sum())

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
    loss = closure() - penalty / 2 * float(weight.square().sum())
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[table.buckets] = ratio * weight
        layer.bias.copy_(bias)
    return NGramFit(features=table.features, loss=loss, iterations=optimizer.state[solution]["n_iter"])


def suggested_buckets(num_ids: int, *, outputs: int, max_length: int = 3) -> int:
    """Choose a table that collisions hardly matter in, and that stays below 64 MiB.

    A text has up to `max_length` n-grams for each word, and of those of a corpus less than half are distinct. The table
    has two to four times as many rows, so four or more for each distinct n-gram. For 20,000 film reviews, which have
    3.3 million, the limit counts: accuracy is 90.4 with 2^20 rows, 90.7 with 2^21 and 90.9 with 2^22.

    Args:
        num_ids: words of the training texts.
        outputs: of the layer.
        max_length: words of the longest n-grams.

    Returns:
        A power of two from 2^16 to 2^22; less where so many outputs would make it more than 2^24 numbers.

    Raises:
        ValueError: a number below 1.
    """
    check_positive("num_ids", num_ids)
    check_positive("outputs", outputs)
    check_positive("max_length", max_length)
    wanted = (2 * num_ids * max_length - 1).bit_length()
    return 2 ** max(1, min(max(wanted, 16), 22, 24 - (outputs - 1).bit_length()))


class _FeatureTable:
    """Which features each text has, and which texts have each feature; on the layer's device.

    Both are lists of bags, so that a product with the matrix, or with its transpose, is a sum over each bag, in a fixed
    order: the same in every run, and as fast as a sparse matrix.

    Attributes:
        order: (texts,) int64, the texts as the table has them, shortest first.
        buckets: (features,) int64, ascending.
        features: their number.
    """

    def __init__(self, layer: NGrams, values: torch.Tensor, offsets: torch.Tensor, *, min_texts: int) -> None:
        self.order = offsets.diff().argsort(stable=True)
        parts = list(_distinct_buckets(layer, values, offsets, self.order))
        found = torch.cat([buckets for buckets, _ in parts])
        sizes = torch.cat([sizes for _, sizes in parts])
        texts = len(sizes)
        kept = torch.bincount(found, minlength=layer.buckets) >= min_texts
        self.buckets = kept.nonzero().squeeze(1)
        self.features = len(self.buckets)
        # Numbers of texts and features fit int32: there are fewer than 2^31 buckets.
        numbers = (kept.cumsum(0) - 1).int()
        of_text = torch.arange(texts, dtype=torch.int32, device=found.device).repeat_interleave(sizes)
        stay = kept[found]
        self._features, owners = numbers[found[stay]], of_text[stay]
        self._feature_offsets = _offsets(owners, texts)
        self._texts = owners[self._features.argsort(stable=True)]
        self._text_offsets = _offsets(self._features, self.features)

    def of_texts(self, weight: torch.Tensor) -> torch.Tensor:
        """Sum the rows of each text's features: (features, n) -> (texts, n)."""
        return F.embedding_bag(self._features, weight, self._feature_offsets, mode="sum", include_last_offset=True)

    def of_features(self, numbers: torch.Tensor) -> torch.Tensor:
        """Sum the rows of the texts that have a feature: (texts, n) -> (features, n)."""
        return F.embedding_bag(self._texts, numbers, self._text_offsets, mode="sum", include_last_offset=True)


def _distinct_buckets(
    layer: NGrams, values: torch.Tensor, offsets: torch.Tensor, order: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Find the buckets of the texts in that order, and how many each has, some texts of like length at a time."""
    device = layer.weight.device
    lengths = offsets.diff()[order]
    start = 0
    while start < len(order):
        # The last text of the chunk is its longest.
        rows = torch.arange(1, len(order) - start + 1)
        stop = start + max(1, int((rows * lengths[start:] <= _CHUNK).sum()))
        steps = int(lengths[stop - 1])
        places = offsets[order[start:stop]].unsqueeze(1) + torch.arange(steps)
        words = torch.arange(steps) < lengths[start:stop].unsqueeze(1)
        ids = values[places.clamp(max=max(0, len(values) - 1))] if len(values) else values.new_zeros(words.shape)
        buckets = layer.distinct(ids.long().masked_fill(~words, 0).to(device))
        present = buckets != 0
        yield buckets[present], present.sum(dim=1)
        start = stop


def _offsets(numbers: torch.Tensor, bags: int) -> torch.Tensor:
    """Count where each bag begins if the bags' numbers, in any order, are sorted; int32, as the indices have to be."""
    ends = torch.bincount(numbers, minlength=bags).cumsum(0)
    return F.pad(ends, (1, 0)).int()


def _log_ratio(table: _FeatureTable, targets: torch.Tensor) -> torch.Tensor:
    """Compute the naive Bayes log-count ratio of each feature for each output, (features, outputs)."""

    def log_share(kind: torch.Tensor) -> torch.Tensor:
        counts = table.of_features(kind) + _SMOOTHING
        return counts.log() - counts.sum(dim=0).log()

    return log_share(targets) - log_share(1 - targets)


def _checked_targets(layer: NGrams, offsets: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the targets in the layer's dtype, on its device, (texts, outputs)."""
    texts = len(offsets) - 1
    if texts < 1:
        raise ValueError(f"offsets holds {texts} texts; allowed is one or more")
    if targets.shape == (texts,) and layer.outputs == 1:
        targets = targets.unsqueeze(1)
    if targets.shape != (texts, layer.outputs):
        raise ValueError(f"targets is {tuple(targets.shape)}; allowed is {(texts, layer.outputs)}, texts and outputs")
    known = (targets == 0) | (targets == 1)
    if not known.all():
        raise ValueError(f"targets holds {float(targets[~known][0])}; allowed are 0 and 1")
    return targets.to(layer.weight)


def _shares(weights: torch.Tensor | None, targets: torch.Tensor) -> torch.Tensor:
    """Compute the share of each text in the mean loss, (texts, 1)."""
    texts = len(targets)
    if weights is None:
        return targets.new_full((texts, 1), 1 / texts)
    if weights.shape != (texts,):
        raise ValueError(f"weights is {tuple(weights.shape)}; allowed is {(texts,)}, one for each text")
    if not ((weights >= 0) & weights.isfinite()).all() or not weights.any():
        raise ValueError(
            "weights holds a number that is negative or not finite, or zeros alone; allowed are numbers from 0 on"
        )
    return (weights.to(targets) / weights.to(targets).sum()).unsqueeze(1)
