"""What a run skips because of the Trainer's options, and the line that says so."""

from jsonargparse import Namespace
from lightning.pytorch import Trainer


def leave_out_validation(config: Namespace) -> str | None:
    """Where nothing is validated, let nothing wait for the figures of a validation.

    Lightning would stop with an error after the first epoch: no figure to stop early by, none to choose the best by.

    Args:
        config: of `fit`; changed in place.

    Returns:
        What is different, for the user; None if nothing is.
    """
    trainer, checkpoint = config["trainer"], config["checkpoint"]
    if trainer["limit_val_batches"] != 0 or trainer["fast_dev_run"]:
        return None
    different = []
    if (checkpoint["monitor"] or "").startswith("val_"):
        checkpoint["monitor"], checkpoint["filename"] = None, "epoch={epoch}"
        different.append("the last epoch counts as the best")
    kept = [callback for callback in trainer["callbacks"] or [] if not _waits_for_validation(callback)]
    if len(kept) < len(trainer["callbacks"] or []):
        trainer["callbacks"] = kept
        different.append("nothing stops early")
    return f"trainer.limit_val_batches is 0, so nothing is validated: {' and '.join(different)}" if different else None


def _waits_for_validation(callback: Namespace) -> bool:
    monitor = (callback.get("init_args") or {}).get("monitor")
    return isinstance(monitor, str) and monitor.startswith("val_")


def leave_out_checkpoints(config: Namespace) -> None:
    """Let `trainer.enable_checkpointing false` and `trainer.fast_dev_run` mean what they say.

    Lightning refuses the first beside a `ModelCheckpoint`, and in a trial still writes `last.ckpt`.
    """
    trainer = config["trainer"]
    if trainer["enable_checkpointing"] is False or trainer["fast_dev_run"]:
        trainer["enable_checkpointing"] = None
        config["checkpoint"]["save_top_k"], config["checkpoint"]["save_last"] = 0, False


def why_nothing_was_saved(trainer: Trainer) -> str:
    """Say why a training that has ended has no checkpoint."""
    if trainer.fast_dev_run:  # type: ignore[attr-defined]
        return "trainer.fast_dev_run is a trial: nothing is saved, and nothing is tested"
    if trainer.global_step == 0:
        limits = ("max_epochs", "max_steps", "limit_train_batches")
        zero = " and ".join(f"trainer.{name} is 0" for name in limits if getattr(trainer, name) == 0)
        return f"Nothing was trained{', since ' if zero else ''}{zero}; no checkpoint was saved"
    return "No checkpoint was saved, so none is tested"
