"""What a checkpoint records about its training, as plain values."""

from typing import Any

from lightning.pytorch import Trainer


def training_record(trainer: Trainer) -> dict[str, Any]:
    """Describe a training as it is now.

    Returns:
        "data": the data set's name and the number of texts in each part, if the DataModule knows them; "training":
        epochs begun, steps, batch size, optimizer and its rate; "figures": the last of each metric, and their epoch,
        counted from 0.
    """
    record: dict[str, Any] = {}
    data: Any = getattr(trainer, "datamodule", None)
    if hasattr(data, "source_name"):
        parts = {"train": data.train_size, "validation": data.val_size, "test": data.test_size}
        record["data"] = {"name": data.source_name, **parts}
    record["training"] = {
        "epochs": trainer.current_epoch + 1,
        "steps": trainer.global_step,
        "batch_size": getattr(data, "batch_size", None),
    }
    if trainer.optimizers:
        optimizer = trainer.optimizers[0]
        settings = optimizer.param_groups[0]
        rate = float(settings.get("initial_lr", settings["lr"]))
        record["training"] |= {"optimizer": type(optimizer).__name__, "learning_rate": rate}
    if trainer.callback_metrics:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        record["figures"] = {"epoch": trainer.current_epoch, **figures}
    return record
