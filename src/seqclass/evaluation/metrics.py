"""All figures of `metrics.json`, from scikit-learn, SciPy and torchmetrics."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import binomtest
from sklearn import metrics as sk
from sklearn.preprocessing import label_binarize
from torchmetrics.functional.classification import binary_calibration_error, multiclass_calibration_error

from seqclass.data import stratified_holdout
from seqclass.evaluation.prediction import Predictions

CALIBRATION_BINS = 15
HELD_OUT = 0.2
"""Share of the texts on which the threshold is chosen; it is evaluated on the others."""
MATRIX_CLASSES = 30
"""The largest confusion matrix that is written and shown in full; larger ones are almost all zeros."""


def measure(predictions: Predictions) -> dict[str, Any]:
    """Compute the figures.

    A figure that is undefined, such as the area under the curve of a class without texts, is None.

    Returns:
        Plain numbers, lists and dicts. `accuracy_interval` is Wilson's, 95%; `macro` averages over the classes,
        `micro` over all decisions.

        Where each text has one class, `loss` is in nats, without class weights; `expected_calibration_error` is of the
        predicted class's probability in 15 bins; `brier` runs from 0 to 1 for two classes and from 0 to 2 for more;
        rows of the confusion matrix are the true classes. Beyond `MATRIX_CLASSES` classes `confusion_counts` replaces
        it, with the same counts except for the zeros: {true class: {predicted class: texts}}.

        Where a text may have several labels, `accuracy` is the share of texts of which all labels are right, and
        `label_accuracy` that of single decisions, of which there are texts times labels. `loss`, `brier` and
        `expected_calibration_error` are of single decisions, the areas means of the labels.
    """
    return _shared(predictions) | (_several_labels if predictions.multi_label else _one_label)(predictions)


def _shared(predictions: Predictions) -> dict[str, Any]:
    names, y, predicted = predictions.label_names, predictions.labels, predictions.predicted
    classes = list(range(len(names)))
    correct = int(predictions.correct.sum())
    interval = binomtest(correct, len(y)).proportion_ci(0.95, method="wilson")

    def scores(average: str | None) -> Any:
        return sk.precision_recall_fscore_support(y, predicted, labels=classes, average=average, zero_division=0)

    per_class = {
        name: {"precision": float(a), "recall": float(b), "f1": float(c), "support": int(d)}
        for name, a, b, c, d in zip(names, *scores(None), strict=True)
    }
    averages = {
        kind: dict(zip(("precision", "recall", "f1"), map(float, scores(kind)[:3]), strict=True))
        for kind in ("macro", "micro")
    }
    return {
        "texts": len(y),
        "accuracy": correct / len(y),
        "accuracy_interval": [float(interval.low), float(interval.high)],
        "classes": per_class,
        **averages,
    }


def _several_labels(predictions: Predictions) -> dict[str, Any]:
    y, p = predictions.labels, predictions.probabilities
    known = ((y == 0).any(axis=0) & (y == 1).any(axis=0)).all()
    # Not from the probabilities' own logarithms: those of float32 may be 0.
    limit = np.finfo(np.float32).eps
    sure = p.clip(limit, 1 - limit)
    confidence = binary_calibration_error(
        torch.from_numpy(p.ravel()), torch.from_numpy(y.ravel()), n_bins=CALIBRATION_BINS, norm="l1"
    )
    return {
        "loss": float(-np.where(y == 1, np.log(sure), np.log1p(-sure)).mean()),
        "label_accuracy": float((predictions.predicted == y).mean()),
        "roc_auc": float(sk.roc_auc_score(y, p, average="macro")) if known else None,
        "average_precision": float(sk.average_precision_score(y, p, average="macro")) if known else None,
        "brier": float(np.square(p - y).mean()),
        "expected_calibration_error": float(confidence),
    }


def _one_label(predictions: Predictions) -> dict[str, Any]:
    names, y, predicted = predictions.label_names, predictions.labels, predictions.predicted
    # In float32 they sum to 1 only to within 1e-7, which log_loss warns about.
    p = predictions.probabilities / predictions.probabilities.sum(axis=1, keepdims=True)
    classes = list(range(len(names)))
    complete = len(np.unique(y)) == len(classes)
    confidence = multiclass_calibration_error(
        torch.from_numpy(p), torch.from_numpy(y), num_classes=len(names), n_bins=CALIBRATION_BINS, norm="l1"
    )
    binary = len(names) == 2
    return {
        "loss": float(sk.log_loss(y, p, labels=classes)),
        "roc_auc": _roc_auc(y, p) if complete else None,
        "average_precision": _average_precision(y, p) if complete else None,
        "mcc": float(sk.matthews_corrcoef(y, predicted)),
        "brier": float(sk.brier_score_loss(y, p[:, 1] if binary else p, labels=classes)),
        "expected_calibration_error": float(confidence),
        **_confusion(names, y, predicted),
        "threshold": _threshold(predictions) if binary and complete else None,
    }


def _confusion(names: Sequence[str], y: Any, predicted: Any) -> dict[str, Any]:
    if len(names) <= MATRIX_CLASSES:
        return {"confusion_matrix": sk.confusion_matrix(y, predicted, labels=list(range(len(names)))).tolist()}
    counts: dict[str, dict[str, int]] = {}
    pairs, texts = np.unique(np.stack([y, predicted]), axis=1, return_counts=True)
    for true, found, count in zip(*pairs.tolist(), texts.tolist(), strict=True):
        counts.setdefault(names[true], {})[names[found]] = count
    return {"confusion_counts": counts}


def _roc_auc(y: Any, p: Any) -> float:
    return float(sk.roc_auc_score(y, p[:, 1] if p.shape[1] == 2 else p, multi_class="ovr"))


def _average_precision(y: Any, p: Any) -> float:
    if p.shape[1] == 2:
        return float(sk.average_precision_score(y, p[:, 1]))
    return float(sk.average_precision_score(label_binarize(y, classes=range(p.shape[1])), p, average="macro"))


def _threshold(predictions: Predictions) -> dict[str, Any] | None:
    """Return the threshold on the second class's probability that is most accurate on a held-out part."""
    y, p = predictions.labels, predictions.probabilities[:, 1]
    if np.bincount(y).min() < 5:
        return None  # too few to hold any out
    rest, held = stratified_holdout(
        y,
        fraction=HELD_OUT,
        seed=0,
        option="held-out part",
        label_names=predictions.label_names,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        false_rate, true_rate, thresholds = sk.roc_curve(y[held], p[held])
    positives = int(y[held].sum())
    accuracy = (true_rate * positives + (1 - false_rate) * (len(held) - positives)) / len(held)
    best = int(accuracy.argmax())
    value = min(float(thresholds[best]), 1.0)  # scikit-learn begins with infinity: nothing is positive
    return {
        "class": predictions.label_names[1],
        "threshold": value,
        "held_out": len(held),
        "held_out_accuracy": float(accuracy[best]),
        "others_accuracy": float(((p[rest] >= value) == y[rest]).mean()),
        "others_accuracy_at_half": float(((p[rest] > 0.5) == y[rest]).mean()),
    }
