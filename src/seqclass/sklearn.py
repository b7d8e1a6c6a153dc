"""A scikit-learn estimator over raw texts. Needs the extra `sklearn`."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from seqclass.classifier import TextClassifier
from seqclass.models import StackName

Texts = Sequence[str] | npt.NDArray[Any]

_LARGEST_SEED = 2**31 - 1


class TextEstimator(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Classifies raw texts: tokenizer, vocabulary, network and training in one estimator.

    It trains as `configs/text.yaml` does, on all texts but those that the recipe holds out for its own choices. For
    everything that is None the recipe's value is taken; other options of the stack, the texts and the Trainer go into
    the three mappings.

    Args:
        stack: a named stack.
        hidden_size: units of the recurrent layers.
        embedding_dim: numbers of a word's vector.
        num_words: ids of the vocabulary.
        maxlen: words of a text that are read.
        batch_size: texts in a training batch.
        learning_rate: in place of the optimizer's own.
        max_epochs: over the texts, at most.
        max_steps: batches, at most.
        validation: share of each class that is held out, between 0 and 1.
        class_weight: factors of the loss by class, or "balanced".
        model_options: further options of `seqclass.training.new_classifier`.
        data_options: further options of `seqclass.data.TextDataModule`.
        trainer_options: further options of `lightning.pytorch.Trainer`, such as {"accelerator": "gpu"}.
        random_state: decides the initial values, the order of the texts, dropout and what is held out.
        verbose: show Lightning's progress bar.

    Attributes:
        classes_: the labels, sorted.
        classifier_: the trained `TextClassifier`; its `save` writes what the commands of `seqclass` read.
    """

    def __init__(
        self,
        *,
        stack: StackName | None = None,
        hidden_size: int | None = None,
        embedding_dim: int | None = None,
        num_words: int | str | None = None,
        maxlen: int | str | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        max_epochs: int | None = None,
        max_steps: int | None = None,
        validation: float | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        model_options: Mapping[str, Any] | None = None,
        data_options: Mapping[str, Any] | None = None,
        trainer_options: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ) -> None:
        self.stack = stack
        self.hidden_size = hidden_size
        self.embedding_dim = embedding_dim
        self.num_words = num_words
        self.maxlen = maxlen
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_epochs = max_epochs
        self.max_steps = max_steps
        self.validation = validation
        self.class_weight = class_weight
        self.model_options = model_options
        self.data_options = data_options
        self.trainer_options = trainer_options
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Texts, y: Any) -> "TextEstimator":
        """Train on texts and their labels.

        Args:
            X: the texts, one-dimensional.
            y: a label for each, of at least two kinds.

        Raises:
            ValueError: the inputs are not texts and classes, or an option has a wrong value (`InputError`).
        """
        texts = _texts(X)
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        if len(texts) != len(labels):
            raise ValueError(f"Found input variables with inconsistent numbers of samples: {[len(texts), len(labels)]}")
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise ValueError(f"y has one class only, {self.classes_.tolist()[0]!r}: nothing can be learnt from that")
        names = _names(self.classes_)
        numbers = np.searchsorted(self.classes_, labels)
        data = {"num_words": self.num_words, "maxlen": self.maxlen, "batch_size": self.batch_size}
        model = {"stack": self.stack, "hidden_size": self.hidden_size, "embedding_dim": self.embedding_dim}
        trainer = {"max_epochs": self.max_epochs, "max_steps": self.max_steps}

        from seqclass.training.from_texts import train_on_texts  # using a trained estimator needs no Lightning

        self.classifier_ = train_on_texts(
            texts,
            [names[number] for number in numbers],
            seed=int(check_random_state(self.random_state).randint(_LARGEST_SEED)),
            model_options={
                **_given(**model, learning_rate=self.learning_rate, class_weights=self._class_weights(names)),
                **(self.model_options or {}),
            },
            data_options={**_given(**data, validation=self.validation), **(self.data_options or {})},
            trainer_options={**_given(**trainer), **(self.trainer_options or {})},
            verbose=self.verbose,
        )
        return self

    def predict_proba(self, X: Texts) -> npt.NDArray[np.float64]:
        """Compute the probabilities of the classes, (texts, classes), in the order of `classes_`."""
        check_is_fitted(self)
        results = self.classifier_.classify(_texts(X))
        names = _names(self.classes_)
        rows = np.array([[result.probabilities[name] for name in names] for result in results], dtype=np.float64)
        normalized: npt.NDArray[np.float64] = rows / rows.sum(axis=1, keepdims=True)  # they are float32's
        return normalized

    def predict(self, X: Texts) -> npt.NDArray[Any]:
        """Choose the most probable class of each text."""
        probabilities = self.predict_proba(X)
        chosen: npt.NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return chosen

    def _class_weights(self, names: list[str]) -> Any:
        if not isinstance(self.class_weight, Mapping):
            return self.class_weight
        classes = self.classes_.tolist()
        unknown = [label for label in self.class_weight if label not in classes]
        if unknown:
            raise ValueError(f"class_weight has {unknown[0]!r}, which is not a class; the classes are {classes}")
        # As in scikit-learn, a class that is not named weighs 1.
        return {name: self.class_weight.get(label, 1.0) for name, label in zip(names, classes, strict=True)}

    def __getstate__(self) -> dict[str, Any]:
        """Hold the trained model as the bytes of its file."""
        state: dict[str, Any] = dict(super().__getstate__())
        if "classifier_" in state:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "model.safetensors"
                state["classifier_"].save(file)
                state["classifier_"] = file.read_bytes()
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        if isinstance(state.get("classifier_"), bytes):
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder) / "model.safetensors"
                file.write_bytes(state["classifier_"])
                state["classifier_"] = TextClassifier.load(file)
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.non_deterministic = False
        return tags


def _texts(given: Any) -> list[str]:
    """Take texts from a list, an array, or a column of a table.

    Raises:
        ValueError: the input is not a sequence of texts, or is empty.
    """
    if isinstance(given, str | bytes):
        raise ValueError(f"X is a single text, {given!r:.80}; give a list of texts")
    shape = np.shape(given) if not isinstance(given, list | tuple) else (len(given),)
    if len(shape) != 1:
        raise ValueError(f"X has the shape {shape}; texts are one-dimensional: choose a column")
    texts = list(given)
    if not texts:
        raise ValueError("Found array with 0 sample(s) (shape=(0,)) while a minimum of 1 is required.")
    wrong = next((place for place, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise ValueError(f"X[{wrong}] is {texts[wrong]!r:.80}, of {type(texts[wrong]).__name__}; texts are str")
    return [str(text) for text in texts]


def _names(classes: npt.NDArray[Any]) -> list[str]:
    """Name the classes as they print; by their numbers where that is not unique, or empty."""
    names = [str(label) for label in classes.tolist()]
    if len(set(names)) < len(names) or not all(name.strip() for name in names):
        return [str(number) for number in range(len(names))]
    return names


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}
