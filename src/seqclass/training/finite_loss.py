"""A training that has left the numbers stops, instead of going on with NaN to the end."""

from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.tuner.lr_finder import _LRCallback

from seqclass.errors import InputError

STEPS_ON_A_GPU = 50
"""So many steps of a GPU pass between two looks at the loss: each look waits until the GPU has computed it."""


def check_training_loss(loss: torch.Tensor, trainer: Trainer) -> None:
    """Check the loss of a step, before anything is changed by its gradients.

    A loss that is NaN stays so, since the weights are NaN from then on. On a CPU the first one is found, on a GPU the
    one at the next look.

    Args:
        loss: a scalar.
        trainer: says which step, and what it is trained with.

    Raises:
        InputError: the loss is not finite; the message says what the likely causes are.
    """
    step = trainer.global_step + 1
    if loss.device.type != "cpu" and step % STEPS_ON_A_GPU:
        return
    # Lightning's learning-rate finder tries rates until they are too high.
    if loss.isfinite() or any(isinstance(callback, _LRCallback) for callback in trainer.callbacks):  # type: ignore[attr-defined]
        return
    batch = trainer.fit_loop.batch_idx + 1
    since = "" if loss.device.type == "cpu" else f", or at most {STEPS_ON_A_GPU - 1} steps before"
    place = f"in step {step} (epoch {trainer.current_epoch + 1}, batch {batch}){since}"
    raise InputError(f"the loss is {loss.item():g} {place}: {_likely_causes(trainer)}")


def check_validation_loss(loss: torch.Tensor, trainer: Trainer) -> None:
    """Check the loss of the validation, before a checkpoint of that epoch is saved.

    Raises:
        InputError: it is not finite, as after a last step of training that was too large.
    """
    if not loss.isfinite():
        place = f"in the validation of epoch {trainer.current_epoch + 1}"
        raise InputError(f"the loss is {loss.item():g} {place}: {_likely_causes(trainer)}")


def _likely_causes(trainer: Trainer) -> str:
    settings: dict[str, Any] = trainer.optimizers[0].param_groups[0] if trainer.optimizers else {}
    causes = [f"a learning rate that is too high (it is {settings.get('lr', 'not known')}): use a smaller one"]
    if trainer.gradient_clip_val is None:  # type: ignore[attr-defined]
        causes.append("a single step that is too large: --trainer.gradient_clip_val 1 bounds them")
    if trainer.precision == "16-true":
        causes.append("--trainer.precision 16-true, whose numbers are too coarse for an optimizer: use bf16-mixed")
    return f"training has diverged. Likely causes: {'; '.join(causes)}"
