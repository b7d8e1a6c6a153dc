"""The table of a model's layers, as Keras prints it."""

from dataclasses import dataclass
from typing import cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from rich.console import Console
from rich.table import Table
from torch import nn

from seqclass.training.sequence_classifier import SequenceClassifier


@dataclass(frozen=True)
class LayerRow:
    """One layer: its name, its type, the shape it returns (None for the batch), its trainable parameters."""

    name: str
    kind: str
    output_shape: tuple[int | None, ...]
    parameters: int


def layer_rows(model: nn.Module, steps: int) -> list[LayerRow]:
    """Return the layers of a model in the order in which they run.

    Args:
        model: reads ids, (batch, steps).
        steps: length of the texts.
    """
    rows: list[LayerRow] = []

    def note(name: str) -> object:
        def hook(layer: nn.Module, _: object, output: torch.Tensor) -> None:
            parameters = sum(parameter.numel() for parameter in layer.parameters() if parameter.requires_grad)
            rows.append(LayerRow(name, type(layer).__name__, (None, *output.shape[1:]), parameters))

        return hook

    handles = [layer.register_forward_hook(note(name)) for name, layer in model.named_children()]  # type: ignore[arg-type]
    device = next(model.parameters()).device
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            model(torch.zeros(1, steps, dtype=torch.long, device=device))
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return rows


class LayerTable(Callback):
    """Prints the table before training begins."""

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        data = getattr(trainer, "datamodule", None)
        if data is None or not trainer.is_global_zero:
            return
        classifier = cast(SequenceClassifier, pl_module).classifier
        rows = layer_rows(classifier.stack, data.pipeline.maxlen or 100)
        table = Table(title=classifier.options.stack, title_justify="left")
        table.add_column("layer (type)")
        table.add_column("output shape")
        table.add_column("parameters", justify="right")
        for row in rows:
            table.add_row(f"{row.name} ({row.kind})", str(row.output_shape), f"{row.parameters:,}")
        table.add_section()
        table.add_row("all trainable", "", f"{sum(row.parameters for row in rows):,}")
        Console().print(table)
