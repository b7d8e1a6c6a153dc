"""The weights of an `NGrams` layer: regularized logistic regression, scaled by naive Bayes, over all texts at once."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from seqclass.checks import check_positive
from seqclass.nn.feature_tables import BinaryFeatures, PartFeatures, gather_bags
from seqclass.nn.naive_bayes import fit_naive_bayes
from seqclass.nn.ngrams import NGrams, distinct_in_rows

SUBWORD_STRENGTH = 20.0
SUBWORD_SHARE = 0.5
"""Of the words' spelling: how closely it fits the training texts, and what it counts beside the n-grams. Both were
chosen on held-out texts (docs/accuracy.md)."""

_CHUNK = 2**20  # ids that are hashed at a time

_Finder = Callable[[torch.Tensor], torch.Tensor]


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
    subwords: tuple[torch.Tensor, torch.Tensor] | None = None,
    strength: float = 200.0,
    min_texts: int = 1,
    max_iterations: int = 100,
    tolerance: float = 1e-3,
) -> NGramFit:
    """Fit the layer to texts, each output by itself (one against the rest), and set its weights.

    For each output, with x a text's binary features, N the counts of the features in the texts that have the label and
    in those that have not, p the share of the former, V the number of features, n that of the texts, and l the mean of
    |r * x|^2 over them:

        r = log((N_yes + 2p) / (|N_yes| + 2pV)) - log((N_no + 2(1 - p)) / (|N_no| + 2(1 - p)V))
        minimize over w and b: mean cross-entropy of sigmoid((r * x) . w + b) + l / (2 * strength * n) * |w|^2
        weight = r * w, bias = b

    This is the NBSVM of Wang and Manning (2012) with the logistic loss for the hinge and without interpolation. They
    smooth all counts by 1, as here where p is 1/2; of a rare label that would make r nearly 0 for a feature that five
    texts have and none of them with the label.
    `strength` is the C of LIBLINEAR and scikit-learn for texts scaled to length 1 on average, so one value does for
    short and long texts. The minimum is unique; L-BFGS finds it, with no learning rate and nothing random.

    With `subwords` a second model of the same kind reads the spelling: x counts in how many of the text's distinct
    words a character n-gram occurs. So its logit is a sum over the words, and `SUBWORD_SHARE` of it is added to the
    weights of the single words: a word that few texts have gets most of its weight from words that are spelled alike,
    at no cost when texts are classified.

    Keeps 8 bytes for each distinct n-gram of each text, and up to 30 while they are collected; 100 for each weight.

    Args:
        layer: its weights and bias are overwritten.
        values: (ids,), the ids of all texts one after the other, any integer type.
        offsets: (texts + 1,) int64: text i is `values[offsets[i]:offsets[i + 1]]`.
        targets: (texts, outputs), ones and zeros; for a layer of one output (texts,) will do.
        weights: (texts,), what each text weighs in the loss; None for the same.
        subwords: the numbers of the character n-grams of all ids' words, and (ids + 1,) int64, where those of each id
            begin (`seqclass.text.subword_table`); None for n-grams of whole words alone.
        strength: of the fit against the penalty on the weights; more fits the training texts more closely.
        min_texts: n-grams in fewer texts get no weight.
        max_iterations: where L-BFGS stops if it has not converged.
        tolerance: it has when the gradient's largest number is that part of what it was for zero weights.

    Raises:
        ValueError: no texts, shapes that do not fit each other, targets other than 0 and 1, ids that `subwords` lacks,
            or a number out of range.
    """
    targets = _checked_targets(layer, offsets, targets)
    if not strength > 0:
        raise ValueError(f"strength is {strength!r}; allowed are numbers above 0")
    check_positive("min_texts", min_texts)
    check_positive("max_iterations", max_iterations)
    shares = _shares(weights, targets)
    order = offsets.diff().argsort(stable=True)
    targets, shares = targets[order], shares[order]
    until: dict[str, Any] = {"max_iterations": max_iterations, "tolerance": tolerance}

    def distinct(find: _Finder) -> tuple[torch.Tensor, torch.Tensor]:
        return _distinct(find, values, offsets, order, layer.weight.device)

    ngrams = BinaryFeatures(*distinct(layer.distinct), min_texts=min_texts)
    fit = fit_naive_bayes(ngrams, targets, shares, strength=strength, **until)
    with torch.no_grad():
        layer.weight.zero_()
        layer.weight[ngrams.names] = fit.weight
        layer.bias.copy_(fit.bias)
    if subwords is not None:
        words = BinaryFeatures(*distinct(distinct_in_rows))
        parts = PartFeatures(words, *_parts(subwords, words.names))
        spelling = fit_naive_bayes(parts, targets, shares, strength=SUBWORD_STRENGTH, **until)
        with torch.no_grad():
            layer.weight.index_add_(0, layer.rows_of(words.names), SUBWORD_SHARE * parts.of_words(spelling.weight))
            layer.bias.add_(SUBWORD_SHARE * spelling.bias)
    return NGramFit(features=ngrams.number, loss=fit.loss, iterations=fit.iterations)


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


def _parts(subwords: tuple[torch.Tensor, torch.Tensor], ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the parts of some ids, one after the other, and how many each has."""
    parts, offsets = (part.to(ids.device) for part in subwords)
    if len(ids) and int(ids[-1]) >= len(offsets) - 1:  # ascending
        raise ValueError(
            f"the texts hold the id {int(ids[-1])}; allowed are those of subwords, 0 to {len(offsets) - 2}"
        )
    return gather_bags(parts, offsets, ids)


def _distinct(
    find: _Finder,
    values: torch.Tensor,
    offsets: torch.Tensor,
    order: torch.Tensor,
    device: torch.device,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Find each text's distinct features, some texts of like length at a time.

    Args:
        find: from padded ids, (texts, steps) int64, to the features, (texts, any number); 0 where there is none.
        values: the ids of all texts.
        offsets: where they begin.
        order: (texts,), the texts in the order of the result, shortest first.
        device: to work on.

    Returns:
        The features of all texts, one after the other, and (texts,), how many each has.
    """
    lengths = offsets.diff()[order]
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    start = 0
    while start < len(order):
        # The last text of the chunk is its longest.
        rows = torch.arange(1, len(order) - start + 1)
        stop = start + max(1, int((rows * lengths[start:] <= _CHUNK).sum()))
        steps = int(lengths[stop - 1])
        places = offsets[order[start:stop]].unsqueeze(1) + torch.arange(steps)
        words = torch.arange(steps) < lengths[start:stop].unsqueeze(1)
        ids = values[places.clamp(max=max(0, len(values) - 1))] if len(values) else values.new_zeros(words.shape)
        features = find(ids.long().masked_fill(~words, 0).to(device))
        present = features != 0
        parts.append((features[present], present.sum(dim=1)))
        start = stop
    return torch.cat([features for features, _ in parts]), torch.cat([sizes for _, sizes in parts])


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
