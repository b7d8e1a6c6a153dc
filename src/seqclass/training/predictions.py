"""The file that `seqclass predict` writes."""

import csv
import tempfile
from pathlib import Path
from typing import cast

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from seqclass.classifier import SequenceClassifier


class PredictionFile(Callback):
    """Writes one row for each text: its name, the label, the label's probability, and the probability of each class.

    The file appears whole or not at all.

    Args:
        path: of the CSV file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        classifier = cast(SequenceClassifier, pl_module)
        names = getattr(trainer.predict_dataloaders, "names", None)
        rows = torch.cat(trainer.predict_loop.predictions).tolist()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", newline="", encoding="utf-8", dir=self.path.parent, suffix=".part", delete=False
        ) as file:
            writer = csv.writer(file)
            writer.writerow(["name", "label", "probability", *(f"p({name})" for name in classifier.label_names)])
            for number, row in enumerate(rows):
                name = number if names is None else names[number]
                writer.writerow(
                    [name, ", ".join(classifier.chosen(row)), f"{max(row):.6f}", *(f"{value:.6f}" for value in row)]
                )
        Path(file.name).replace(self.path)
