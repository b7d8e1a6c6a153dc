"""Whether a training can go on from a checkpoint."""

from collections.abc import Mapping
from typing import Any

import torch

from seqclass.classifier import Checkpoint, TextClassifier
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.models import options_from

FREE_OPTIONS = frozenset({"word_dropout", "dropout", "recurrent_dropout", "initializer", "kernel"})
"""Options that may change when a training goes on: no weight's shape and no prediction depends on them."""


# What schedulers add to an optimizer's settings, and what newer releases of PyTorch have added to them.
_ADDED = frozenset(
    {"params", "initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum", "swa_lr", "decoupled_weight_decay"}
)


def changed_options(saved: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """List the options of a stack that contradict those of a checkpoint, each as "name=given (checkpoint: saved)"."""
    return [
        f"{name}={value!r} (checkpoint: {saved.get(name)!r})"
        for name, value in given.items()
        if name not in FREE_OPTIONS and value != saved.get(name)
    ]


def check_same_classifier(checkpoint: Checkpoint, classifier: TextClassifier) -> None:
    """Refuse a checkpoint that is not one of this classifier.

    Raises:
        InputError: other words, other classes, or other sizes.
    """
    found = checkpoint.description
    way_out = "build the model from the checkpoint: new_classifier(data, trained=TextClassifier.load(PATH))"
    saved = options_from(found["options"]).values()
    if changed := changed_options(saved, classifier.options.values()):
        raise InputError(f"the model differs from the checkpoint's: {', '.join(changed)}; {way_out}")
    names = tuple(found["label_names"])
    if classifier.label_names and names and names != classifier.label_names:
        raise InputError(
            f"the checkpoint was trained for the classes {names}, the model for {classifier.label_names}; {way_out}"
        )
    if classifier.pipeline is not None and found["pipeline"] != classifier.pipeline.state():
        raise InputError(f"the checkpoint reads texts in another way than the model, or knows other words; {way_out}")


def check_goes_on(content: Mapping[str, Any], source: str, *, max_epochs: int | None, max_steps: int) -> None:
    """Refuse to resume a training that has reached its end: nothing would be trained, and nothing useful saved.

    Args:
        content: of the checkpoint, as Lightning wrote it.
        source: its path, for messages.
        max_epochs: the Trainer's; None or -1 for no limit.
        max_steps: likewise; -1 for none.

    Raises:
        InputError: all epochs or steps have been trained; or the file holds no state of a training.
    """
    try:
        epochs = int(content["loops"]["fit_loop"]["epoch_progress"]["current"]["processed"])
        steps = int(content["global_step"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{source} holds a model without the state of a training, so none can go on from it; "
            "new_classifier(data, trained=TextClassifier.load(PATH)) begins one with its weights"
        ) from error
    for name, done, most in (("max_epochs", epochs, max_epochs), ("max_steps", steps, max_steps)):
        if most is not None and 0 <= most <= done:
            raise InputError(
                f"the training of {source} has ended: it has done {done} of trainer.{name}={most}; to go on, set "
                f"trainer.{name} to more than {done}"
            )


def complete_epoch(content: Mapping[str, Any]) -> None:
    """Let a checkpoint from the end of an epoch be resumed with the next one, however long training is to last.

    Lightning saves it before it counts the epoch as completed. With `max_steps` it then runs the end of that epoch a
    second time, without batches, and counts one epoch too many: the order of texts of the next one is never used.

    Args:
        content: of the checkpoint, as Lightning wrote it; changed in place.
    """
    loop = content["loops"]["fit_loop"]
    for count in loop["epoch_progress"].values():
        if not count["ready"] == count["started"] == count["processed"] == count["completed"] + 1:
            return
    for count in loop["epoch_progress"].values():
        count["completed"] = count["processed"]
    batches = loop["epoch_loop.batch_progress"]
    batches["current"] = dict.fromkeys(batches["current"], 0)
    batches["is_last_batch"] = False


def check_optimizer(checkpoint: Mapping[str, Any], optimizer: torch.optim.Optimizer) -> str | None:
    """Refuse to go on with another optimizer than the one whose state was saved.

    Args:
        checkpoint: Lightning's, as read.
        optimizer: of the kind that training would go on with.

    Returns:
        The setting that the checkpoint overrides, in words: its learning rate, if that is another one.

    Raises:
        InputError: its settings have other names than the saved ones.
    """
    states = checkpoint.get("optimizer_states")
    if not states:
        return None
    saved, given = states[0]["param_groups"][0], optimizer.param_groups[0]
    before, now = set(saved) - _ADDED, set(given) - _ADDED
    if before != now:
        raise InputError(
            f"training cannot go on with {type(optimizer).__name__}: the checkpoint holds the state of an optimizer "
            f"with the settings {listed(sorted(before)) or 'none'}, and this one has {listed(sorted(now)) or 'none'}; "
            "use the same optimizer, or start from the weights alone"
        )
    rate = saved.get("initial_lr", saved["lr"])
    return None if rate == given["lr"] else f"learning rate {rate}, not {given['lr']}"
