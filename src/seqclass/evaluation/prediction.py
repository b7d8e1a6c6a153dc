"""A classifier's predictions for labelled texts, one batch at a time, so that memory does not limit their number."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.evaluation.texts import LabelledText, batches
from seqclass.messages import listed

RowSink = Callable[[Sequence[LabelledText], npt.NDArray[np.float64]], None]


@dataclass(frozen=True)
class Mistake:
    """A wrong decision about a text.

    Attributes:
        item: the text.
        label: the class it concerns: the predicted one or, with several labels per text, the one the model gets most
            wrong.
        said: whether the model predicts this label; always true if each text has exactly one.
        confidence: the probability of that decision.
    """

    item: LabelledText
    label: str
    said: bool
    confidence: float


@dataclass(frozen=True)
class Predictions:
    """The labels and predicted probabilities of all texts.

    Attributes:
        label_names: the classes.
        labels: (texts,) int64, the true classes; or where a text may have several, (texts, classes) of ones and zeros.
        probabilities: (texts, classes) float64.
        lengths: (texts,) int64, words separated by white space.
        mistakes: the most confident of them, the worst first; at most one per text.
    """

    label_names: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    mistakes: tuple[Mistake, ...]

    @property
    def multi_label(self) -> bool:
        """Whether a text may have several labels, or none."""
        return self.labels.ndim == 2

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """The most probable class of each text, or all classes of at least one half; in the shape of the labels."""
        if self.multi_label:
            return (self.probabilities >= 0.5).astype(np.int64)
        return self.probabilities.argmax(axis=1)

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """(texts,), whether the prediction is entirely correct."""
        right = self.predicted == self.labels
        return right.all(axis=1) if self.multi_label else right


def predict(
    classifier: TextClassifier,
    texts: Iterable[LabelledText],
    *,
    batch_size: int = 250,
    keep_mistakes: int = 12,
    sink: RowSink | None = None,
) -> Predictions:
    """Classify labelled texts, with progress on standard error if that is a terminal.

    Args:
        classifier: with its text pipeline.
        texts: read once, in order.
        batch_size: texts computed at a time.
        keep_mistakes: how many mistakes are kept with their text.
        sink: called with each batch's texts and probabilities.

    Raises:
        InputError: the classifier cannot read texts, it lacks one of the labels, a text has several where the
            classifier gives one, or there are no texts.
    """
    names, several = classifier.label_names, classifier.options.multi_label
    column = {name: number for number, name in enumerate(names)}
    labels: list[npt.NDArray[np.int64]] = []
    parts: list[npt.NDArray[np.float64]] = []
    lengths: list[npt.NDArray[np.int64]] = []
    worst: list[tuple[float, int, Mistake]] = []
    seen = 0
    with tqdm(unit=" texts", disable=None, leave=False) as progress:
        for batch in batches(texts, batch_size):
            truth = np.stack([_indicators(item, column, several=several) for item in batch])
            results = classifier.classify([item.text for item in batch], batch_size)
            rows = np.array([list(result.probabilities.values()) for result in results], dtype=np.float64)
            if sink is not None:
                sink(batch, rows)
            for item, row, true in zip(batch, rows, truth, strict=True):
                if (mistake := _mistake(classifier, item, row, true)) is not None:
                    entry = (mistake.confidence, -seen, mistake)
                    (heappush if len(worst) < keep_mistakes else heappushpop)(worst, entry)
                seen += 1
            labels.append(truth if several else truth.argmax(axis=1))
            lengths.append(np.array([len(item.text.split()) for item in batch], dtype=np.int64))
            parts.append(rows)
            progress.update(len(batch))
    if not parts:
        raise InputError("there are no texts to measure the checkpoint on")
    mistakes = tuple(mistake for _, _, mistake in sorted(worst, key=lambda entry: entry[:2], reverse=True))
    return Predictions(names, np.concatenate(labels), np.concatenate(parts), np.concatenate(lengths), mistakes)


def _indicators(item: LabelledText, column: dict[str, int], *, several: bool) -> npt.NDArray[np.int64]:
    """Return a text's labels, (classes,) of ones and zeros."""
    indicators = np.zeros(len(column), dtype=np.int64)
    for label in item.labels:
        if label not in column:
            hint = "; `label_separator` separates several labels" if several else ""
            raise InputError(
                f"{item.name}: the label {label!r:.80} is none of the checkpoint's: {listed(list(column))}{hint}"
            )
        indicators[column[label]] = 1
    if not several and len(item.labels) != 1:
        raise InputError(
            f"{item.name} has {len(item.labels)} labels ({listed(item.labels)}); this model gives each text one"
        )
    return indicators


def _mistake(
    classifier: TextClassifier, item: LabelledText, row: npt.NDArray[np.float64], truth: npt.NDArray[np.int64]
) -> Mistake | None:
    """Return the worst mistake in a text's probabilities, (classes,); None if all its labels are right."""
    chosen = classifier.chosen(row.tolist())
    if set(chosen) == set(item.labels):
        return None
    if not classifier.options.multi_label:
        return Mistake(item, chosen[0], True, float(row.max()))
    error = np.abs(row - truth)
    number = int(error.argmax())
    return Mistake(item, classifier.label_names[number], not truth[number], float(error[number]))
