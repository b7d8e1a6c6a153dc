"""Short trainings, and without a word."""

from typing import Any

import torch
from lightning.pytorch import Trainer

from seqclass.optim import KerasAdam


def quiet_trainer(**options: Any) -> Trainer:
    """A trainer on the CPU that prints, logs and keeps nothing, unless the options say so."""
    silence = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return Trainer(accelerator="cpu", **{**silence, **options})


def fast_adam(parameters: Any) -> torch.optim.Optimizer:
    """Learns a few made-up texts in a few epochs."""
    return KerasAdam(parameters, lr=0.02)
