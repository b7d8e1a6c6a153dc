"""A stack with everything needed to use it on raw texts."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqclass.classifier.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from seqclass.classifier.tasks import Classification, Task, task_of
from seqclass.errors import InputError
from seqclass.models import ChainOptions, StackOptions, options_from
from seqclass.nn import Kernel
from seqclass.text import RaggedIds, TextPipeline


class TextClassifier(nn.Module):
    """A stack, the text pipeline in front of it, and the names of its classes: all that a trained model is.

    Plain PyTorch: it is trained by `seqclass.training`, or by any loop over `logits`, and used from one file.

    Args:
        options: of the stack, which is built from them.
        pipeline: from texts to ids; None for a model of bare ids.
        label_names: of the classes, in the order of the logits; empty if they have none.
        record: plain values about the training: data, recipe, figures.

    Attributes:
        stack: the layers: ids (batch, steps) to logits.
        task: whether a text has one class or any number of labels.

    Raises:
        InputError: pipeline or label names do not fit the stack.
    """

    def __init__(
        self,
        options: StackOptions | ChainOptions,
        *,
        pipeline: TextPipeline | None = None,
        label_names: Sequence[str] = (),
        record: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__()
        if pipeline is not None and pipeline.num_ids > options.num_embeddings:
            raise InputError(
                f"the text pipeline has {pipeline.num_ids} ids, but the embedding num_embeddings="
                f"{options.num_embeddings} rows: it needs one for each id"
            )
        pool_size = getattr(options, "pool_size", None) or 1
        if pipeline is not None and pipeline.maxlen is not None and pipeline.maxlen < pool_size:
            raise InputError(
                f"maxlen={pipeline.maxlen} is shorter than pool_size={pool_size}: the pooling would leave nothing of a "
                f"text; allowed are a pool_size from 1 to {pipeline.maxlen}, or a maxlen from {pool_size} on"
            )
        if label_names and len(label_names) != options.num_classes:
            raise InputError(f"there are {len(label_names)} label names, but num_classes={options.num_classes}")
        self.options = options
        self.stack: Any = options.build()  # a Stack, or a Chain
        self.task: Task = task_of(options.num_classes, multi_label=options.multi_label)
        self.pipeline = pipeline
        self.label_names = tuple(label_names)
        self.record: dict[str, Any] = dict(record or {})

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch,) for two classes of which a text has one, else (batch, classes).
        """
        logits: torch.Tensor = self.stack(ids)
        return logits

    def logits(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits: the same as calling the classifier."""
        logits: torch.Tensor = self(ids)
        return logits

    def probabilities(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the probabilities of the classes.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch, classes); they sum to 1 unless a text may have several labels.
        """
        return self.task.probabilities(self(ids))

    def chosen(self, row: Sequence[float]) -> tuple[str, ...]:
        """Name the labels that a row of probabilities amounts to: the most probable, or all of at least one half."""
        return tuple(self.label_names[number] for number in self.task.chosen(row))

    @torch.inference_mode()
    def classify(self, texts: Sequence[str], batch_size: int = 250) -> list[Classification]:
        """Classify raw texts, each read as in training.

        Texts without a word that the model knows, empty ones too, get the answer to padding and marks alone, with a
        warning.

        Args:
            texts: any number of them.
            batch_size: how many are computed at a time; memory grows with it, results do not depend on it.

        Raises:
            InputError: one of the texts is not a str, or the model has no text pipeline.
        """
        pipeline = self.text_pipeline
        encoded = pipeline.encode_all(texts)
        without_words = pipeline.without_words(encoded)
        if without_words.any():
            warnings.warn(
                f"{without_words.sum()} of {len(texts)} texts have no word that the model knows, and the predictions "
                f"for them are meaningless; the first is {texts[int(without_words.argmax())]!r:.80}",
                stacklevel=3,  # past the decorator
            )
        return self.classify_encoded(encoded, batch_size)

    @torch.inference_mode()
    def classify_encoded(self, encoded: RaggedIds, batch_size: int = 250) -> list[Classification]:
        """Classify texts that the model's pipeline has encoded, without a warning; see `classify`.

        Args:
            encoded: as `TextPipeline.encode_all` gives them, neither cut nor padded.
            batch_size: how many are computed at a time.

        Raises:
            InputError: the model has no text pipeline.
        """
        ids = torch.from_numpy(self.text_pipeline.pad(encoded))
        device = next(self.parameters()).device
        was_training = self.training
        self.eval()
        try:
            rows = [row for part in ids.split(batch_size) for row in self.probabilities(part.to(device)).tolist()]
        finally:
            self.train(was_training)
        return [
            Classification(self.chosen(row), max(row), dict(zip(self.label_names, row, strict=True))) for row in rows
        ]

    @property
    def text_pipeline(self) -> TextPipeline:
        """The pipeline, where one is needed.

        Raises:
            InputError: there is none.
        """
        if self.pipeline is None:
            raise InputError("this model was trained on bare ids and has no text pipeline: it cannot read texts")
        return self.pipeline

    def description(self) -> dict[str, Any]:
        """Describe everything but the weights, as plain values that JSON can hold."""
        return {
            "options": self.options.values(),
            "pipeline": None if self.pipeline is None else self.pipeline.state(),
            "label_names": list(self.label_names),
            "record": self.record,
        }

    def save(self, path: str | Path) -> None:
        """Write one file that `load` reads.

        Args:
            path: ends in `.safetensors` for that format; else it becomes a PyTorch checkpoint of plain values.

        Raises:
            InputError: the file cannot be written.
        """
        write_checkpoint(path, self.description(), self.state_dict())

    @classmethod
    def load(
        cls, path: str | Path, map_location: str | torch.device = "cpu", kernel: Kernel | None = None
    ) -> "TextClassifier":
        """Load a trained model; weights, sizes, text pipeline and label names come from this one file.

        The file is read as data: nothing in it is executed, and no memory is taken that its weights do not fill.

        Args:
            path: written by `save`, or by Lightning while a `SequenceClassifier` was trained.
            map_location: where the weights are put.
            kernel: the way to run the LSTM, in place of the saved one.

        Returns:
            The classifier, in evaluation mode.

        Raises:
            InputError: the file is missing, broken, or not a checkpoint of this project.
        """
        return cls.from_checkpoint(read_checkpoint(path, map_location), kernel=kernel)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, *, kernel: Kernel | None = None) -> "TextClassifier":
        """Make the classifier of a checkpoint that has been read; see `load`."""
        try:
            found = checkpoint.description
            options = options_from({**found["options"], **({} if kernel is None else {"kernel": kernel})})
            pipeline = None if found["pipeline"] is None else TextPipeline.from_state(found["pipeline"])
            names = [str(name) for name in found["label_names"]]
            with torch.device("meta"):
                classifier = cls(options, pipeline=pipeline, label_names=names, record=found["record"])
            # The weights of the file take the place of those that have no memory yet.
            classifier.load_state_dict(checkpoint.weights, assign=True)
        except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{checkpoint.source} does not describe a classifier: {error}") from error
        return classifier.eval()
