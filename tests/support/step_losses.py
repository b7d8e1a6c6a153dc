"""Notes the loss of every training step, for runs in processes of their own."""

import json
from pathlib import Path

from lightning.pytorch import Callback


class StepLosses(Callback):
    """Writes the mean loss of each batch, over all processes that share it, as a JSON list."""

    def __init__(self, path: str) -> None:
        self.path, self.losses = Path(path), []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        # The parts of the processes count by what they hold, so that their mean is that of the batch.
        self.losses.append(trainer.strategy.reduce(outputs["loss"].clone(), reduce_op="mean").item())

    def on_train_end(self, trainer, pl_module):
        if trainer.is_global_zero:
            self.path.write_text(json.dumps(self.losses))
