"""The LightningModule: trains a text classifier."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from seqclass.classifier import Checkpoint, TextClassifier, read_checkpoint
from seqclass.classifier.checkpoint import KEY, LIGHTNING_PREFIX, checkpoint_of
from seqclass.errors import InputError
from seqclass.nn import Kernel
from seqclass.optim import KerasAdam
from seqclass.schedules import WarmupCosine
from seqclass.training.batch_checks import check_batch, check_ids
from seqclass.training.branches import BranchEvaluation, fit_ngram_branch, has_branches
from seqclass.training.class_weights import ClassWeights, weights_in_order
from seqclass.training.cuda_graphs import GraphedStep, check_recordable
from seqclass.training.data_facts import DataFacts, check_fits
from seqclass.training.epoch_metrics import EpochMetrics, Stage
from seqclass.training.finite_loss import check_training_loss, check_validation_loss
from seqclass.training.record import training_record
from seqclass.training.resuming import check_goes_on, check_optimizer, check_same_classifier, complete_epoch
from seqclass.training.shared_batch import batch_loss

# As a person calls what Lightning's stages read.
_DATA_OF = {"train": "training data", "validate": "validation data", "test": "test data", "predict": "test data"}


class SequenceClassifier(LightningModule):
    """Trains, validates and tests a `TextClassifier` under Lightning's Trainer.

    `new_classifier` makes one whose sizes follow from a DataModule.

    Args:
        classifier: the model that is trained.
        class_weights: one factor of the loss for each class, by name or in the order of the label names; None weighs
            all texts the same.
        freeze_embedding: leave the embedding as it is, padding and all.
        cuda_graph: run the forward and backward pass of a training step as one CUDA graph (`GraphedStep`); for one GPU.
        learning_rate: in place of the optimizer's own; None leaves it alone. Lightning's learning-rate finder sets it.
        optimizer: from parameters to an optimizer; None for `KerasAdam` with its defaults.
        lr_scheduler: from an optimizer to a scheduler; None for a constant rate.
        lr_scheduler_interval: whether the scheduler steps each epoch or each batch.
        lr_scheduler_monitor: the metric that a scheduler such as `ReduceLROnPlateau` looks at.

    Raises:
        InputError: class weights that do not fit the classes.
    """

    _class_weights: torch.Tensor | None

    def __init__(
        self,
        classifier: TextClassifier,
        *,
        class_weights: ClassWeights = None,
        freeze_embedding: bool = False,
        cuda_graph: bool = False,
        learning_rate: float | None = None,
        optimizer: OptimizerCallable | None = None,
        lr_scheduler: LRSchedulerCallable | None = None,
        lr_scheduler_interval: Literal["epoch", "step"] = "epoch",
        lr_scheduler_monitor: str = "val_loss",
    ) -> None:
        super().__init__()
        self.classifier = classifier
        self.freeze_embedding = freeze_embedding
        self.cuda_graph = cuda_graph
        self._graphed: GraphedStep | None = None
        self.learning_rate = learning_rate
        self._optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer] = optimizer or KerasAdam
        self._lr_scheduler = lr_scheduler
        self._lr_scheduler_interval = lr_scheduler_interval
        self._lr_scheduler_monitor = lr_scheduler_monitor
        options = classifier.options
        if options.multi_label and class_weights is not None:
            raise InputError("class_weights do not go with several labels a text, where each is decided by itself")
        self.class_weights = weights_in_order(
            class_weights, num_classes=options.num_classes, label_names=classifier.label_names, class_counts=None
        )
        weights = None if self.class_weights is None else torch.tensor(self.class_weights)
        self.register_buffer("_class_weights", weights, persistent=False)
        if freeze_embedding:
            classifier.stack.embedding.requires_grad_(False)
        self._epoch = EpochMetrics(classifier.task)
        self._has_branches = has_branches(classifier.stack)
        self._branches = BranchEvaluation()

    def setup(self, stage: str) -> None:
        """Check that the data fit the classifier, and that a training step can be a CUDA graph if it is to be one.

        Raises:
            InputError: they have other ids or other classes, or padding behind the text that would be read; or as
                `check_recordable`.
        """
        if self.cuda_graph and stage == "fit":
            check_recordable(self.trainer)
        check_fits(DataFacts.of(getattr(self.trainer, "datamodule", None)), self.classifier)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Compute the logits; see `TextClassifier.forward`."""
        logits: torch.Tensor = self.classifier(ids)
        return logits

    def loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Compute the mean cross-entropy of a batch, in nats.

        Args:
            logits: (batch,) or (batch, classes).
            labels: (batch,) int64; (batch, classes), ones and zeros, if a text may have several.

        Returns:
            A scalar; with class weights the weighted mean, each sample weighing what its class does.
        """
        return self.classifier.task.loss(logits, labels, self._class_weights)

    def _losses(self, logits: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Compute where the backward pass begins, and the batch's sum of losses and predicted labels."""
        task = self.classifier.task
        loss = batch_loss(*task.total_loss(logits, labels, self._class_weights), len(labels))
        return loss.objective, loss.total, task.predicted(logits)

    def _training_losses(
        self, ids: torch.Tensor, labels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        logits = self.classifier.stack.recurrent_logits(ids) if self._has_branches else self(ids)
        return self._losses(logits[: len(labels)], labels)  # see `Batch`

    def on_before_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        """Check a batch of whatever loader, before it goes to a device.

        Raises:
            InputError: as `check_batch`.
        """
        options, stage = self.classifier.options, self.trainer.state.stage
        source = f"the {_DATA_OF.get(stage.value if stage else '', 'data')}"
        if stage == "predict" and isinstance(batch, torch.Tensor):
            check_ids(batch, num_embeddings=options.num_embeddings, source=source)
            return batch
        check_batch(
            batch,
            num_embeddings=options.num_embeddings,
            num_classes=options.num_classes,
            multi_label=options.multi_label,
            source=source,
            soft=stage == "train",
        )
        return batch

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        ids, labels = batch
        objective, total, predicted = (self._graphed or self._training_losses)(ids, labels)
        with torch.no_grad():
            self._epoch.update("train", total, predicted, self.classifier.task.hard(labels))
        return objective

    def backward(self, loss: torch.Tensor, *args: Any, **kwargs: Any) -> None:
        """Compute the gradients; a step that is a CUDA graph has them already, and Lightning has cleared them since."""
        if self._graphed is None:
            super().backward(loss, *args, **kwargs)
        else:
            self._graphed.attach_gradients()

    def _evaluation_step(self, batch: tuple[torch.Tensor, torch.Tensor], stage: Stage) -> None:
        ids, labels = batch
        if self._has_branches:
            self._branches.add(self.classifier.stack, ids, labels)
        else:
            _, total, predicted = self._losses(self(ids)[: len(labels)], labels)
            self._epoch.update(stage, total, predicted, labels)

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        self._evaluation_step(batch, "val")

    def test_step(self, batch: tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> None:
        self._evaluation_step(batch, "test")

    def predict_step(self, batch: torch.Tensor | tuple[torch.Tensor, torch.Tensor], batch_idx: int) -> torch.Tensor:
        """Compute the probabilities of the classes, (batch, classes), from ids and labels, or from ids alone."""
        if isinstance(batch, torch.Tensor):
            return self.classifier.probabilities(batch)
        ids, labels = batch
        return self.classifier.probabilities(ids)[: len(labels)]

    def figures(self, stage: Stage) -> dict[str, float]:
        """Read mean loss and accuracy since the epoch began; on a GPU this waits for it.

        Where several processes run, each has to call this.
        """
        return {name: float(value) for name, value in self._epoch.compute(stage).items()}

    def running_figures(self, stage: Stage) -> dict[str, float]:
        """Read the same of this process' texts alone, for which no other process has to wait."""
        return {name: float(value) for name, value in self._epoch.running(stage).items()}

    def on_fit_start(self) -> None:
        ngrams = self.classifier.stack.ngrams if self._has_branches else None
        if ngrams is not None and not ngrams.weight.any():  # where training goes on, they are fitted already
            fit_ngram_branch(self.classifier.stack, getattr(self.trainer, "datamodule", None), self._class_weights)

    def on_train_start(self) -> None:
        if self.global_rank > 0:
            # All processes begin with one seed: their parts of a batch would get one and the same random masks.
            torch.manual_seed(torch.initial_seed() + self.global_rank)
        self._graphed = GraphedStep(self._training_losses, self.parameters()) if self.cuda_graph else None

    def on_train_end(self) -> None:
        self._graphed = None  # its memory is the device's

    def on_before_backward(self, loss: torch.Tensor) -> None:
        """Stop at a loss that is not finite.

        Raises:
            InputError: as `check_training_loss`.
        """
        check_training_loss(loss, self.trainer)

    def on_train_epoch_start(self) -> None:
        self._epoch.reset("train")

    def on_validation_epoch_start(self) -> None:
        self._epoch.reset("val")
        self._branches = BranchEvaluation()

    def on_test_epoch_start(self) -> None:
        self._epoch.reset("test")
        self._branches = BranchEvaluation()

    # Logged once an epoch: reading a metric on a GPU waits for it. All processes have the same figures, and
    # `sync_dist`, which takes their mean, is what Lightning asks for.
    def on_train_epoch_end(self) -> None:
        self.log_dict(self._epoch.compute("train"), sync_dist=True)

    def on_validation_epoch_end(self) -> None:
        self._log_evaluation("val")

    def on_test_epoch_end(self) -> None:
        self._log_evaluation("test")

    def _log_evaluation(self, stage: Stage) -> None:
        fits = self.trainer.state.fn == "fit"
        if self._has_branches:
            classifier = self.classifier
            figures = self._branches.figures(
                classifier.stack, classifier.task, self._class_weights, choose_blend=fits and stage == "val"
            )
            figures = {f"{stage}_{name}": value for name, value in figures.items()}
        else:
            figures = self._epoch.compute(stage)
        if fits:
            check_validation_loss(figures[f"{stage}_loss"], self.trainer)
        self.log_dict(figures, sync_dist=True)

    def configure_optimizers(self) -> Any:
        optimizer = self._new_optimizer(parameter for parameter in self.parameters() if parameter.requires_grad)
        if self._lr_scheduler is None:
            return optimizer
        scheduler = self._lr_scheduler(optimizer)
        if isinstance(scheduler, WarmupCosine):
            scheduler.begin(int(self.trainer.estimated_stepping_batches))
        options = {
            "scheduler": scheduler,
            "interval": self._lr_scheduler_interval,
            # Lightning's own `ReduceLROnPlateau` names the metric it monitors.
            "monitor": getattr(scheduler, "monitor", self._lr_scheduler_monitor),
        }
        return {"optimizer": optimizer, "lr_scheduler": options}

    def _new_optimizer(self, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
        optimizer = self._optimizer(parameters)
        if self.learning_rate is not None:
            for group in optimizer.param_groups:
                group["lr"] = self.learning_rate
        return optimizer

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what makes the file a `TextClassifier`, and what `load_from_checkpoint` needs to go on training it."""
        self.classifier.record = {**self.classifier.record, **training_record(self.trainer)}
        training = {"class_weights": self.class_weights, "freeze_embedding": self.freeze_embedding}
        checkpoint[KEY] = {
            **self.classifier.description(),
            "training": training,
            "epoch_sums": self._epoch.training_sums(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Check that the checkpoint is one of this classifier, before Lightning takes its weights.

        Raises:
            InputError: it was trained with another pipeline, other labels or sizes, or, where training goes on, with
                another optimizer; or there is nothing left to train.
        """
        found = checkpoint_of(checkpoint, "the checkpoint")
        check_same_classifier(found, self.classifier)
        if self.trainer.state.fn == "fit":
            epochs, steps = self.trainer.max_epochs, self.trainer.max_steps
            check_goes_on(checkpoint, "the checkpoint", max_epochs=epochs, max_steps=steps)
            complete_epoch(checkpoint)
            rate = check_optimizer(checkpoint, self._new_optimizer([nn.Parameter(torch.zeros(1))]))
            if rate is not None:
                rank_zero_only(print)(f"Going on with the checkpoint's {rate}", file=sys.stderr)
            if self.global_rank == 0 and "epoch_sums" in found.description:
                self._epoch.go_on_from(found.description["epoch_sums"])
        checkpoint["state_dict"] = {f"{LIGHTNING_PREFIX}{name}": tensor for name, tensor in found.weights.items()}

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls,
        checkpoint_path: str | Path,
        map_location: str | torch.device = "cpu",
        *,
        kernel: Kernel | None = None,
        **overrides: Any,
    ) -> "SequenceClassifier":
        """Load a trained model to train it further, or to test it under a Trainer.

        To use it, `TextClassifier.load` is enough. The file is read as data: nothing in it is executed.

        Args:
            checkpoint_path: written by Lightning, or by `TextClassifier.save`.
            map_location: where the weights are put.
            kernel: the way to run the LSTM, in place of the saved one.
            **overrides: arguments of the class, in place of the saved ones.

        Raises:
            InputError: the file is missing, broken, or not a checkpoint of this project.
        """
        return cls.from_checkpoint(read_checkpoint(checkpoint_path, map_location), kernel=kernel, **overrides)

    @classmethod
    def from_checkpoint(
        cls, checkpoint: Checkpoint, *, kernel: Kernel | None = None, **overrides: Any
    ) -> "SequenceClassifier":
        """Make the module of a checkpoint that has been read; see `load_from_checkpoint`."""
        classifier = TextClassifier.from_checkpoint(checkpoint, kernel=kernel)
        try:
            module = cls(classifier, **{**checkpoint.description.get("training", {}), **overrides})
        except (AttributeError, TypeError, ValueError) as error:
            raise InputError(f"{checkpoint.source} does not describe a classifier: {error}") from error
        return module.to(next(classifier.parameters()).device).eval()
