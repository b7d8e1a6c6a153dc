"""A final validation for runs that are limited by steps."""

from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class LastValidation(Callback):
    """Validates after the last step too, where `max_steps` ends a run in the middle of an epoch.

    Lightning would not, and there would be no figures for choosing a checkpoint or for early stopping.
    """

    def on_train_batch_end(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True  # Lightning validates when it is told to stop
