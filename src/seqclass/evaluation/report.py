"""The page that `seqclass evaluate` writes: a single file that needs neither network nor scripts."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sklearn import metrics as sk
from sklearn.calibration import calibration_curve

from seqclass.classifier import TextClassifier
from seqclass.evaluation.attribution import METHOD, word_importance
from seqclass.evaluation.charts import bar_chart, line_chart
from seqclass.evaluation.metrics import MATRIX_CLASSES
from seqclass.evaluation.prediction import Mistake, Predictions
from seqclass.files import written_whole

_MAX_CURVES = 6
_POINTS = 200
_LENGTH_GROUPS = 5
_SHOWN_WORDS = 400
_MAX_CONFUSIONS = 30


def write_report(
    path: str | Path,
    classifier: TextClassifier,
    predictions: Predictions,
    figures: dict[str, Any],
    *,
    name: str,
) -> None:
    """Write the page.

    Args:
        path: of the HTML file.
        classifier: explains its worst mistakes by their words.
        predictions: all of them.
        figures: as `measure` gives them.
        name: of the model.

    Raises:
        InputError: the file cannot be written.
    """
    roc, precision_recall = _curves(predictions)
    page = _template().render(
        name=name,
        figures=figures,
        names=predictions.label_names,
        multi_label=predictions.multi_label,
        classes=_most_frequent(figures["classes"]),
        confusions=_largest_confusions(figures),
        stack=classifier.options.stack,
        roc=roc,
        precision_recall=precision_recall,
        calibration=_calibration(predictions),
        lengths=_by_length(predictions),
        mistakes=[_explained(classifier, mistake) for mistake in predictions.mistakes],
        method=METHOD,
    )
    with written_whole(path) as part:
        part.write_text(page, encoding="utf-8", errors="backslashreplace")


def _most_frequent(classes: dict[str, Any]) -> dict[str, Any]:
    """Return the classes in their order; of many, those with the most texts."""
    if len(classes) <= MATRIX_CLASSES:
        return classes
    ordered = sorted(classes.items(), key=lambda entry: entry[1]["support"], reverse=True)
    return dict(ordered[:MATRIX_CLASSES])


def _largest_confusions(figures: dict[str, Any]) -> list[tuple[str, str, int, float]]:
    """Return the pairs of classes that are confused most often, if there are too many classes for a matrix.

    Returns:
        True class, predicted class, number of texts, and their share of the true class's texts.
    """
    pairs = [
        (true, predicted, count, count / figures["classes"][true]["support"])
        for true, row in figures.get("confusion_counts", {}).items()
        for predicted, count in row.items()
        if predicted != true
    ]
    return sorted(pairs, key=lambda pair: pair[2], reverse=True)[:_MAX_CONFUSIONS]


def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("seqclass.evaluation", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda value: f"{100 * value:.1f}%"
    environment.filters["number"] = lambda value: "not defined" if value is None else f"{value:.4f}"
    return environment.get_template("report.html.j2")


def _curves(predictions: Predictions) -> tuple[Markup, Markup]:
    """ROC and precision-recall: of the second of two classes, or of each class or label alone, the most frequent."""
    y, p, names = predictions.labels, predictions.probabilities, predictions.label_names
    one_of_two = len(names) == 2 and not predictions.multi_label
    texts = y.sum(axis=0) if predictions.multi_label else np.bincount(y, minlength=len(names))
    most_frequent = np.argsort(-texts, kind="stable")[:_MAX_CURVES]
    shown = [1] if one_of_two else sorted(most_frequent.tolist())
    roc, precision_recall = [], []
    for label in shown:
        truth = y[:, label] == 1 if predictions.multi_label else y == label
        if truth.all() or not truth.any():
            continue
        false_rate, true_rate, _ = sk.roc_curve(truth, p[:, label])
        precision, recall, _ = sk.precision_recall_curve(truth, p[:, label])
        roc.append((names[label], _thinned(false_rate, true_rate)))
        precision_recall.append((names[label], _thinned(recall, precision)))
    return (
        line_chart(roc, x="false positive rate", y="true positive rate", diagonal=True),
        line_chart(precision_recall, x="recall", y="precision"),
    )


def _thinned(x: Any, y: Any) -> list[tuple[float, float]]:
    rows = np.unique(np.linspace(0, len(x) - 1, _POINTS).round().astype(int))
    return [(float(x[row]), float(y[row])) for row in rows]


def _calibration(predictions: Predictions) -> Markup:
    """Draw a reliability diagram: how often a label of a given probability applies, or a prediction of it is right."""
    p = predictions.probabilities.clip(0, 1)
    if predictions.multi_label:
        share, stated = calibration_curve(predictions.labels.ravel(), p.ravel(), n_bins=10)
        x, y = "probability of a label", "share that has it"
    else:
        share, stated = calibration_curve(predictions.correct, p.max(axis=1), n_bins=10)
        x, y = "probability of the predicted class", "share that is right"
    points = list(zip(stated.tolist(), share.tolist(), strict=True))
    return line_chart([("", points)], x=x, y=y, diagonal=True, dots=True)


def _by_length(predictions: Predictions) -> Markup:
    """Draw the accuracy in groups of about equal size, from short to long texts."""
    lengths, correct = predictions.lengths, predictions.correct
    edges = np.unique(np.quantile(lengths, np.linspace(0, 1, _LENGTH_GROUPS + 1)).astype(int))
    edges[-1] += 1
    bars = []
    for low, high in pairwise(edges):
        chosen = correct[(lengths >= low) & (lengths < high)]
        if len(chosen):
            bars.append((f"≤ {high - 1:,}", float(chosen.mean()), f"{chosen.mean():.1%}"))
    return bar_chart(bars, x="words in the text", y="accuracy")


def _explained(classifier: TextClassifier, mistake: Mistake) -> dict[str, Any]:
    """Describe a mistake with the words that the model read, each with how strongly to mark it, from -100 to 100."""
    words = word_importance(classifier, mistake.item.text, mistake.label)
    largest = max((abs(value) for _, value in words), default=0) or 1
    marked = [(word, round(100 * value / largest)) for word, value in words]
    return {
        "name": mistake.item.name,
        "labels": mistake.item.labels,
        "label": mistake.label,
        "said": mistake.said,
        "confidence": mistake.confidence,
        "words": marked[-_SHOWN_WORDS:],
        "left_out": max(len(marked) - _SHOWN_WORDS, 0),
        "strongest": [word for word, value in sorted(words, key=lambda entry: -entry[1])[:5] if value > 0],
    }
