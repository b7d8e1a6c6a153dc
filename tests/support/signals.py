"""Sends a signal to its own process at one place of a run."""

import os
import signal

from lightning.pytorch import Callback


class SignalAt(Callback):
    """Sends it when so many batches of an epoch, counted from 0, are done: of `train`, `validation` or `predict`."""

    def __init__(self, name: str, part: str, batches: int, epoch: int = 0) -> None:
        self.signal, self.place = signal.Signals[name], (part, epoch, batches)

    def send(self, trainer, part, batch_idx):
        if (part, trainer.current_epoch, batch_idx + 1) == self.place:
            os.kill(os.getpid(), self.signal)

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        self.send(trainer, "train", batch_idx)

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        self.send(trainer, "validation", batch_idx)

    def on_predict_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0):
        self.send(trainer, "predict", batch_idx)
