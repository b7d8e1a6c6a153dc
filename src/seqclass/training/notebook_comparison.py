"""A run's first epoch, compared with what the notebook printed."""

import math
import time
from dataclasses import astuple
from typing import Literal, cast

from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.table import Table

from seqclass.models import StackName
from seqclass.training.notebook_results import NOTEBOOK_RESULTS, EpochResult
from seqclass.training.sequence_classifier import SequenceClassifier

# As Keras names the fields of an `EpochResult`.
_COLUMNS = ("seconds", "loss", "acc", "val_loss", "val_acc")


class NotebookComparison(Callback):
    """After the first epoch, prints the run's figures beside the notebook's."""

    def __init__(self) -> None:
        self._started = math.nan

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        if trainer.current_epoch > 0:
            return
        seconds = time.perf_counter() - self._started
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        # The module logs these two in its own hook, which comes after this one.
        train = cast(SequenceClassifier, pl_module).figures("train")
        if "val_loss" not in metrics or not trainer.is_global_zero:
            return
        result = EpochResult(seconds, train["train_loss"], train["train_acc"], metrics["val_loss"], metrics["val_acc"])
        source = getattr(getattr(trainer, "datamodule", None), "source_name", "")
        Console().print(comparison_table(cast(SequenceClassifier, pl_module).classifier.options.stack, result, source))


def comparison_table(stack: StackName | Literal["chain"], result: EpochResult, source: str) -> Table:
    """Set a run's first epoch beside the notebook's.

    Args:
        stack: which of the four, or `chain`.
        result: of the run.
        source: name of the data; where it is not `imdb`, the table says that the figures are not to be compared.
    """
    table = Table(title=f"{stack}, first epoch", title_justify="left")
    table.add_column("")
    for column in _COLUMNS:
        table.add_column(column, justify="right")
    if source != "imdb":
        table.caption = f"This run's texts are the {source}'s, not the IMDB reviews: its figures cannot be compared."
    table.add_row("this run" if source == "imdb" else f"this run ({source})", *_cells(result))
    notebook = NOTEBOOK_RESULTS.get(stack)
    table.add_row("the notebook", *(_cells(notebook) if notebook else ["not run", "", "", "", ""]))
    return table


def _cells(result: EpochResult) -> list[str]:
    seconds, *figures = astuple(result)
    # An epoch that was resumed in its middle has no time of its own.
    return ["" if math.isnan(seconds) else f"{seconds:.0f}", *(f"{figure:.4f}" for figure in figures)]
