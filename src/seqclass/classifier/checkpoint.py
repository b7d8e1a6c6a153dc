"""Files of trained classifiers, read and written as data: nothing in them is executed.

| file | weights | everything else |
|---|---|---|
| `.safetensors` | the file's tensors | JSON in its metadata, under "seqclass" |
| PyTorch's, written by `TextClassifier.save` | "state_dict" | "seqclass" |
| PyTorch's, written by Lightning in training | "state_dict", each name behind "classifier." | "seqclass" |
| the same, of version 0.1 | "state_dict", each name behind "model." | "seqclass" and "hyper_parameters" |
"""

import io
import json
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqclass.errors import InputError
from seqclass.files import written_whole

KEY = "seqclass"
"""Where a file holds what belongs to this project, beside Lightning's own entries."""
LIGHTNING_PREFIX = "classifier."
"""In front of the weights' names where Lightning saves them."""

_FIRST_PREFIX = "model."
# Layers that version 0.1 called otherwise.
_FIRST_LAYERS = {"lstm.": "recurrent."}
_FIRST_TRAINING = ("class_weights", "freeze_embedding", "lr_scheduler_interval", "lr_scheduler_monitor")
SAFETENSORS = ".safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """What a file holds of a classifier.

    Attributes:
        source: the file, for messages.
        description: everything but the weights; see `TextClassifier.description`. One written in training also has
            "training", the options of `SequenceClassifier` that have to be plain values.
        weights: by their names in a `TextClassifier`.
    """

    source: str
    description: dict[str, Any]
    weights: dict[str, torch.Tensor]


def read_checkpoint(path: str | Path, map_location: str | torch.device = "cpu") -> Checkpoint:
    """Read a checkpoint.

    Raises:
        InputError: the file is missing, broken, or not a checkpoint of this project.
    """
    if not Path(path).exists():
        raise InputError(f"there is no checkpoint at {path}")
    if Path(path).suffix == SAFETENSORS:
        return _read_safetensors(path, map_location)
    try:
        content = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # torch.load raises many kinds for a file that is broken or not a checkpoint at all
        raise InputError(f"{path} {_why_unreadable(Path(path), error)}") from error
    return checkpoint_of(content, str(path))


def checkpoint_of(content: object, source: str) -> Checkpoint:
    """Find the classifier in the content of a PyTorch checkpoint, of whichever form.

    Raises:
        InputError: there is none.
    """
    if not isinstance(content, Mapping) or not isinstance(content.get(KEY), Mapping):
        raise InputError(f"{source} is not a checkpoint of a seqclass model")
    weights = content.get("state_dict")
    if not isinstance(weights, Mapping) or not all(isinstance(tensor, torch.Tensor) for tensor in weights.values()):
        raise InputError(f"{source} holds no weights")
    description = dict(content[KEY])
    if "options" not in description:
        description, weights = _of_first_version(content, source)
    named = {str(name).removeprefix(LIGHTNING_PREFIX): tensor for name, tensor in weights.items()}
    _check_finite(named, source)
    return Checkpoint(source, {"record": {}, **description}, named)


def write_checkpoint(path: str | Path, description: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> None:
    """Write a file that `read_checkpoint` reads.

    Raises:
        InputError: the file cannot be written.
    """
    with written_whole(path) as part:
        part.write_bytes(_to_bytes(Path(path), description, weights))


def _why_unreadable(path: Path, error: Exception) -> str:
    if path.is_dir():
        return "is a folder; name a checkpoint, such as checkpoints/last.ckpt in the folder of a run"
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    if not zipfile.is_zipfile(path):  # looks for the list of contents, which stands at the end
        return "is not a checkpoint, or only a part of one"
    if isinstance(error, pickle.UnpicklingError):
        return "is damaged, or holds more than the plain values that are read from a checkpoint"
    return f"is a damaged checkpoint ({type(error).__name__})"


def _to_bytes(path: Path, description: Mapping[str, Any], weights: Mapping[str, torch.Tensor]) -> bytes:
    if path.suffix == SAFETENSORS:
        from safetensors.torch import save

        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        return save(tensors, {"format": "pt", KEY: json.dumps(description)})
    # torch.save reports a full disk as a RuntimeError of its own; plain bytes fail as files do.
    content = io.BytesIO()
    torch.save({"state_dict": dict(weights), KEY: dict(description)}, content)
    return content.getvalue()


def _read_safetensors(path: str | Path, map_location: str | torch.device) -> Checkpoint:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device=str(map_location)) as file:
            description = json.loads((file.metadata() or {})[KEY])
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # it is not a dict
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is not a safetensors file, or is damaged ({error})") from error
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is not a checkpoint of a seqclass model") from error
    if not isinstance(description, dict):
        raise InputError(f"{path} is not a checkpoint of a seqclass model")
    _check_finite(weights, str(path))
    return Checkpoint(str(path), {"record": {}, **description}, weights)


def _check_finite(weights: Mapping[str, torch.Tensor], source: str) -> None:
    """Refuse weights of a training that has diverged: whatever they read, the answer would be NaN."""
    for name, tensor in weights.items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            wrong = int((~tensor.isfinite()).sum())
            raise InputError(
                f"{source} comes from a training that has diverged: {wrong:,} of the {tensor.numel():,} numbers of "
                f"{name} are not finite; use an earlier checkpoint"
            )


def _of_first_version(content: Mapping[str, Any], source: str) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Bring a checkpoint of version 0.1 into today's form."""
    options = content.get("hyper_parameters")
    if not isinstance(options, Mapping):
        raise InputError(f"{source} does not describe a classifier: it has no options")
    training = {name: options[name] for name in _FIRST_TRAINING if name in options}
    description = {
        **content[KEY],
        "options": {name: value for name, value in options.items() if name not in training and value is not None},
        "training": training,
    }
    return description, {f"stack.{_renamed(name)}": tensor for name, tensor in content["state_dict"].items()}


def _renamed(name: str) -> str:
    name = name.removeprefix(_FIRST_PREFIX)
    for old, new in _FIRST_LAYERS.items():
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name
