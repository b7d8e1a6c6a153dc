"""The LightningModule: a stack, its loss, its optimizer, its metrics, and the text pipeline it was trained with."""

import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities import rank_zero_only
from torch import distributed, nn

from seqclass.classifier.checkpoint import put_texts, read_checkpoint, take_texts
from seqclass.classifier.class_weights import ClassWeights, weights_in_order
from seqclass.classifier.data_facts import DataFacts, check_fits
from seqclass.classifier.epoch_metrics import EpochMetrics, Stage
from seqclass.classifier.shared_batch import batch_loss
from seqclass.classifier.tasks import Classification, MultiLabel, SingleLabel, Task
from seqclass.errors import InputError
from seqclass.models import STACK_OPTIONS, Cell, Pooling, Stack, StackName, build_stack
from seqclass.nn import Initializer, Kernel, RecurrentActivation
from seqclass.nn.checks import check_positive
from seqclass.optim import KerasAdam
from seqclass.text import TextPipeline, WordVectors, read_word_vectors


class SequenceClassifier(LightningModule):
    """One of the four stacks, ready to be trained, tested, saved, and asked about raw texts.

    What follows from the data (rows of the embedding, classes, text pipeline) is taken from the DataModule when
    training begins, and is part of the checkpoint: `SequenceClassifier.load_from_checkpoint(PATH)` needs no other
    file.

    Args:
        stack: `lstm`, `lstm_dropout`, `lstm_gate_dropout` or `cnn_lstm`; see `seqclass.models` for their layers.
        num_embeddings: rows of the embedding; None takes the DataModule's number of ids.
        num_classes: None takes the number of the DataModule's label names.
        multi_label: whether a text may have several labels, or none: the model then decides on each alone. None takes
            what the DataModule says.
        embedding_dim: size of a word's vector; None for that of `word_vectors`, or 32 without them.
        word_vectors: path of vectors that others have trained, as text files of GloVe, word2vec or fastText; see
            `seqclass.text.read_word_vectors`. Words of the vocabulary that the file has begin with its vectors, the
            others as `initializer` says. Read when training begins; a checkpoint holds the weights alone.
        freeze_embedding: leave the embedding, padding and all, as it is at the beginning.
        hidden_size: units of the LSTM, of each layer and direction.
        num_layers: LSTM layers, each reading the states of the one below; `lstm_dropout` drops between them too.
        bidirectional: each layer reads forward and backward, the states of both side by side.
        cell: `lstm`, or `gru` in place of the LSTM.
        pooling: what the dense layer is given: the `last` state, or the `mean` or `max` over all that are not padding.
        word_dropout: rate of whole words; None for the stack's own. Like the next six it is an error in a stack
            without it.
        dropout: rate on the embedded words and the last state (`lstm_dropout`), or on the inputs of the gates
            (`lstm_gate_dropout`); None for the stack's own.
        recurrent_dropout: rate on the state on its way into the gates; None for the stack's own.
        channels: of each convolution; None for the stack's own.
        kernel_size: length of the convolution, or several, such as [3, 4, 5]: one convolution each, side by side; None
            for the stack's own.
        pool_size: of the max pooling; None for the stack's own.
        mask_padding: padded steps leave the state as it is (Keras' `mask_zero`); None for no.
        initializer: initial values as `keras1`, `keras` (2 and 3) or `torch` have them.
        recurrent_activation: of the LSTM's gates.
        kernel: the way to run the LSTM; `auto` is the fastest that can.
        class_weights: one factor of the loss for each class, by name or in the order of the label names; "balanced"
            takes texts / (classes * texts of the class), so that each class weighs the same in all; None weighs all
            texts the same. Saved as numbers in the order of the label names.
        optimizer: from parameters to an optimizer; None for `KerasAdam` with its defaults.
        lr_scheduler: from an optimizer to a scheduler; None for a constant rate.
        lr_scheduler_interval: whether the scheduler steps each epoch or each batch.
        lr_scheduler_monitor: the metric that a scheduler such as `ReduceLROnPlateau` looks at.

    Raises:
        ValueError: an option outside its range, or one that the stack does not have.
    """

    def __init__(
        self,
        stack: StackName = "lstm",
        *,
        num_embeddings: int | None = None,
        num_classes: int | None = None,
        multi_label: bool | None = None,
        embedding_dim: int | None = None,
        word_vectors: str | None = None,
        freeze_embedding: bool = False,
        hidden_size: int = 100,
        num_layers: int = 1,
        bidirectional: bool = False,
        cell: Cell = "lstm",
        pooling: Pooling = "last",
        word_dropout: float | None = None,
        dropout: float | None = None,
        recurrent_dropout: float | None = None,
        channels: int | None = None,
        kernel_size: int | list[int] | None = None,
        pool_size: int | None = None,
        mask_padding: bool | None = None,
        initializer: Initializer = "keras1",
        recurrent_activation: RecurrentActivation = "sigmoid",
        kernel: Kernel = "auto",
        class_weights: ClassWeights = None,
        optimizer: OptimizerCallable | None = None,
        lr_scheduler: LRSchedulerCallable | None = None,
        lr_scheduler_interval: Literal["epoch", "step"] = "epoch",
        lr_scheduler_monitor: str = "val_loss",
    ) -> None:
        super().__init__()
        # Plain values only: a checkpoint loads under weights_only=True, and names no code to be run.
        self.save_hyperparameters(ignore=["optimizer", "lr_scheduler", "word_vectors"], logger=False)
        self._word_vectors = word_vectors
        self._optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = optimizer or KerasAdam
        self._lr_scheduler = lr_scheduler
        self.pipeline: TextPipeline | None = None
        self.label_names: tuple[str, ...] = ()
        # A wrong option is to be reported now, not after the data have been read: this small one is thrown away.
        for name in ("num_embeddings", "num_classes", "embedding_dim", "hidden_size"):
            if self.hparams[name] is not None:
                check_positive(name, self.hparams[name])
        self._new_stack(num_embeddings=1, num_classes=2, embedding_dim=1, hidden_size=1)
        self._generator_state = torch.get_rng_state()
        self.model: Stack | None = None
        if num_embeddings is not None and num_classes is not None and word_vectors is None:
            self._build(num_embeddings, num_classes, multi_label=bool(multi_label))

    def _new_stack(self, **sizes: int) -> Stack:
        # What is None is the stack's own.
        options = {name: self.hparams[name] for name in STACK_OPTIONS if self.hparams[name] is not None}
        return build_stack(self.hparams["stack"], **{**options, **sizes})

    def _build(self, num_embeddings: int, num_classes: int, *, multi_label: bool) -> None:
        """Build what depends on the data: the stack, the weights of the loss, and the metrics."""
        sizes = {"num_embeddings": num_embeddings, "num_classes": num_classes, "multi_label": multi_label}
        self.hparams.update(sizes)
        self.model = self._new_stack(**sizes)
        self.hparams["embedding_dim"] = self.model.embedding.embedding_dim
        self.model.embedding.requires_grad_(not self.hparams["freeze_embedding"])
        if multi_label and self.hparams["class_weights"] is not None:
            raise InputError("class_weights do not go with several labels a text, where each is decided on alone")
        self.register_buffer("_class_weights", None, persistent=False)
        if isinstance(self.hparams["class_weights"], list):
            self._weigh_classes()
        self.task: Task = MultiLabel(num_classes) if multi_label else SingleLabel(num_classes)
        self._epoch = EpochMetrics(self.task)

    def _weigh_classes(self, label_names: tuple[str, ...] = (), class_counts: list[int] | None = None) -> None:
        weights = weights_in_order(
            self.hparams["class_weights"],
            num_classes=self.hparams["num_classes"],
            label_names=label_names,
            class_counts=class_counts,
        )
        self.hparams["class_weights"] = weights
        self._class_weights = None if weights is None else torch.tensor(weights)

    def _read_word_vectors(self, pipeline: TextPipeline | None) -> WordVectors | None:
        """The vectors, if some are asked for; they decide the size of the embedding."""
        if self._word_vectors is None:
            return None
        if pipeline is None:
            raise InputError(f"word_vectors={self._word_vectors} need a DataModule of seqclass, which knows the words")
        vectors = read_word_vectors(self._word_vectors, pipeline.vocabulary, dimension=self.hparams["embedding_dim"])
        self.hparams["embedding_dim"] = vectors.dimension
        return vectors

    def setup(self, stage: str) -> None:
        """Take from the DataModule what follows from the data, or check that a trained model fits it.

        Raises:
            InputError: the model was trained with other ids or other classes, or would read padding behind the text;
                or word vectors or class weights do not fit the data.
        """
        data: Any = getattr(self.trainer, "datamodule", None)
        facts = DataFacts.of(data)
        vectors = None
        if self.model is None:
            num_embeddings = self.hparams["num_embeddings"] or (facts.pipeline and facts.pipeline.num_ids)
            num_classes = self.hparams["num_classes"] or len(facts.label_names)
            if not num_embeddings or not num_classes:
                raise InputError(
                    "num_embeddings and num_classes are not known: give them, or train with a DataModule of seqclass"
                )
            multi_label = self.hparams["multi_label"]
            if multi_label is None:
                multi_label = facts.multi_label
            if distributed.is_available() and distributed.is_initialized():
                # Lightning has seeded once more with the process group; the initial values are those of one process.
                torch.set_rng_state(self._generator_state)
            vectors = self._read_word_vectors(facts.pipeline)
            self._build(num_embeddings, num_classes, multi_label=multi_label)
        if isinstance(self.hparams["class_weights"], dict | str):
            self._weigh_classes(facts.label_names, getattr(data, "class_counts", None))
        check_fits(
            facts,
            num_embeddings=self.hparams["num_embeddings"],
            num_classes=self.hparams["num_classes"],
            multi_label=self.hparams["multi_label"],
            reads_padding=not self.hparams["mask_padding"],
            pipeline=self.pipeline,
            label_names=self.label_names,
        )
        if vectors is not None:
            with torch.no_grad():
                self.stack.embedding.weight[torch.from_numpy(vectors.ids)] = torch.from_numpy(vectors.vectors)
            rank_zero_only(print)(vectors.coverage(data.id_counts), file=sys.stderr)
        if facts.pipeline is not None:
            self.pipeline, self.label_names = facts.pipeline, facts.label_names

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits.

        Args:
            ids: (batch, steps), int32 or int64; 0 pads.

        Returns:
            (batch,) for two classes, else (batch, classes).
        """
        logits: torch.Tensor = self.stack(ids)
        return logits

    @property
    def stack(self) -> Stack:
        """The layers.

        Raises:
            RuntimeError: they are not built yet: what depends on the data is not known.
        """
        if self.model is None:
            raise RuntimeError("the model is built when training begins, or from num_embeddings and num_classes")
        return self.model

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Mean cross-entropy of a batch, in nats.

        Args:
            logits: (batch,) or (batch, classes).
            labels: (batch,) int64; (batch, classes), ones and zeros, if a text may have several.

        Returns:
            A scalar; with class weights the weighted mean, each sample weighing what its class does.
        """
        return self.task.loss(logits, labels, self._class_weights)

    def _step(self, batch: tuple[torch.Tensor, torch.Tensor], stage: Stage) -> torch.Tensor:
        ids, labels = batch
        logits = self(ids)[: len(labels)]  # see `Batch`
        loss = batch_loss(*self.task.total_loss(logits, labels, self._class_weights), len(labels))
        with torch.no_grad():
            self._epoch.update(stage, loss.total, self.task.predicted(logits), labels)
        return loss.objective

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        self._step(batch, "val")

    def test_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        self._step(batch, "test")

    def predict_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Compute the probabilities of the classes, (batch, classes)."""
        ids, labels = batch
        return self.probabilities(ids)[: len(labels)]

    def probabilities(self, ids: torch.Tensor) -> torch.Tensor:
        """The probabilities of the classes, (batch, classes); with several labels a text they do not sum to 1."""
        return self.task.probabilities(self(ids))

    def chosen(self, row: Sequence[float]) -> tuple[str, ...]:
        """The labels that a row of probabilities stands for: the most probable, or all of at least one half."""
        return tuple(self.label_names[number] for number in self.task.chosen(row))

    def figures(self, stage: Stage) -> dict[str, float]:
        """Mean loss and accuracy since the epoch began; on a GPU, reading them waits for it.

        Where several processes run, each has to call this.
        """
        return {name: float(value) for name, value in self._epoch.compute(stage).items()}

    def running_figures(self, stage: Stage) -> dict[str, float]:
        """The same of this process' texts alone, which no other process has to wait for."""
        return {name: float(value) for name, value in self._epoch.running(stage).items()}

    def on_train_start(self) -> None:
        if self.global_rank > 0:
            # All processes begin with one seed: their parts of a batch would get one and the same random masks.
            torch.manual_seed(torch.initial_seed() + self.global_rank)

    def on_train_epoch_start(self) -> None:
        self._epoch.reset("train")

    def on_validation_epoch_start(self) -> None:
        self._epoch.reset("val")

    def on_test_epoch_start(self) -> None:
        self._epoch.reset("test")

    # Logged once an epoch: reading a metric on a GPU waits for it. All processes have the same figures, and
    # `sync_dist`, which takes their mean, is what Lightning asks for.
    def on_train_epoch_end(self) -> None:
        self.log_dict(self._epoch.compute("train"), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        self.log_dict(self._epoch.compute("val"), sync_dist=True)

    def on_test_epoch_end(self) -> None:
        self.log_dict(self._epoch.compute("test"), sync_dist=True)

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)
        if self._lr_scheduler is None:
            return optimizer
        scheduler = self._lr_scheduler(optimizer)
        options = {
            "scheduler": scheduler,
            "interval": self.hparams["lr_scheduler_interval"],
            # Lightning's own `ReduceLROnPlateau` says itself what it looks at.
            "monitor": getattr(scheduler, "monitor", self.hparams["lr_scheduler_monitor"]),
        }
        return {"optimizer": optimizer, "lr_scheduler": options}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        put_texts(checkpoint, self.pipeline, self.label_names)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        pipeline, self.label_names = take_texts(checkpoint)
        self.pipeline = pipeline or self.pipeline

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls,
        checkpoint_path: str | Path,
        map_location: str | torch.device = "cpu",
        **overrides: Any,
    ) -> "SequenceClassifier":
        """Load a trained model: weights, sizes, text pipeline and label names come from this one file.

        The file is read as data: nothing in it is executed.

        Args:
            checkpoint_path: written by Lightning's `ModelCheckpoint` or `Trainer.save_checkpoint`.
            map_location: where the weights are put.
            **overrides: arguments of the class to be used in place of the saved ones, such as `kernel`.

        Raises:
            InputError: the file is missing, broken, or no checkpoint of this class.
        """
        checkpoint = read_checkpoint(checkpoint_path, map_location)
        try:
            classifier = cls(**{**checkpoint["hyper_parameters"], **overrides})
            classifier.on_load_checkpoint(checkpoint)
            classifier.load_state_dict(checkpoint["state_dict"])
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"{checkpoint_path} does not describe a SequenceClassifier: {error}") from error
        return classifier.to(map_location).eval()

    @torch.inference_mode()
    def classify(self, texts: Sequence[str], batch_size: int = 250) -> list[Classification]:
        """Classify raw texts, each read as in training.

        Texts without a word that the model knows, empty ones too, get the answer to padding and marks alone, with a
        warning.

        Args:
            texts: any number of them.
            batch_size: how many are computed at a time; memory grows with it, results do not depend on it.

        Raises:
            InputError: something among the texts is no str, or the model has no text pipeline.
        """
        if self.pipeline is None:
            raise InputError("this model was trained on bare ids and has no text pipeline: it cannot read texts")
        was_training = self.training
        self.eval()
        encoded = self.pipeline.encode_all(texts)
        without_words = self.pipeline.without_words(encoded)
        if without_words.any():
            warnings.warn(
                f"{without_words.sum()} of {len(texts)} texts hold no word that the model knows: what is said of "
                f"them says nothing; the first is {texts[int(without_words.argmax())]!r:.80}",
                stacklevel=3,  # past the decorator
            )
        ids = torch.from_numpy(self.pipeline.pad(encoded))
        rows = [row for part in ids.split(batch_size) for row in self.probabilities(part.to(self.device)).tolist()]
        self.train(was_training)
        results = []
        for row in rows:
            by_name = dict(zip(self.label_names, row, strict=True))
            results.append(Classification(", ".join(self.chosen(row)), max(row), by_name))
        return results
