"""A classifier's answers to labelled texts, text by text, so that any number of them fits."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from heapq import heappush, heappushpop

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.classifier import SequenceClassifier
from seqclass.errors import InputError
from seqclass.evaluation.texts import LabelledText, batches

RowSink = Callable[[Sequence[LabelledText], npt.NDArray[np.float64]], None]


@dataclass(frozen=True)
class Mistake:
    """A text whose predicted class is not its own.

    Attributes:
        item: the text.
        predicted: name of the class that was predicted.
        probability: of that class.
    """

    item: LabelledText
    predicted: str
    probability: float


@dataclass(frozen=True)
class Predictions:
    """Labels and probabilities of all texts.

    Attributes:
        label_names: the classes.
        labels: (texts,) int64, the true classes.
        probabilities: (texts, classes) float64.
        lengths: (texts,) int64, words separated by white space.
        mistakes: the most confident of them, the worst first.
    """

    label_names: tuple[str, ...]
    labels: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]
    lengths: npt.NDArray[np.int64]
    mistakes: tuple[Mistake, ...]

    @property
    def predicted(self) -> npt.NDArray[np.int64]:
        """(texts,), the most probable class of each."""
        return self.probabilities.argmax(axis=1)

    @property
    def correct(self) -> npt.NDArray[np.bool_]:
        """(texts,), whether it is the true one."""
        return self.predicted == self.labels


def predict(
    classifier: SequenceClassifier,
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
        sink: is handed each batch's texts and probabilities.

    Raises:
        InputError: the classifier cannot read texts or gives several labels to one, a label is none of its classes,
            or there are no texts.
    """
    if classifier.hparams["multi_label"]:
        raise InputError("this model gives a text any number of labels; the figures here are for exactly one")
    names = classifier.label_names
    index = {name: number for number, name in enumerate(names)}
    labels: list[npt.NDArray[np.int64]] = []
    parts: list[npt.NDArray[np.float64]] = []
    lengths: list[npt.NDArray[np.int64]] = []
    worst: list[tuple[float, int, Mistake]] = []
    seen = 0
    with tqdm(unit=" texts", disable=None, leave=False) as progress:
        for batch in batches(texts, batch_size):
            for item in batch:
                if item.label not in index:
                    raise InputError(f"{item.name}: the label {item.label!r:.80} is none of the checkpoint's: {names}")
            results = classifier.classify([item.text for item in batch], batch_size)
            rows = np.array([list(result.probabilities.values()) for result in results], dtype=np.float64)
            if sink is not None:
                sink(batch, rows)
            for item, result in zip(batch, results, strict=True):
                if result.label != item.label:
                    entry = (result.probability, -seen, Mistake(item, result.label, result.probability))
                    (heappush if len(worst) < keep_mistakes else heappushpop)(worst, entry)
                seen += 1
            labels.append(np.array([index[item.label] for item in batch], dtype=np.int64))
            lengths.append(np.array([len(item.text.split()) for item in batch], dtype=np.int64))
            parts.append(rows)
            progress.update(len(batch))
    if not parts:
        raise InputError("there are no texts to measure the checkpoint on")
    mistakes = tuple(mistake for _, _, mistake in sorted(worst, key=lambda entry: entry[:2], reverse=True))
    return Predictions(names, np.concatenate(labels), np.concatenate(parts), np.concatenate(lengths), mistakes)
