"""A checkpoint as data: it is read without executing anything, and carries text pipeline and label names."""

from pathlib import Path
from typing import Any

import torch

from seqclass.errors import InputError
from seqclass.text import TextPipeline

# Beside Lightning's own entries, what belongs to this project stands under this key.
_KEY = "seqclass"


def read_checkpoint(path: str | Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Read a checkpoint as data: nothing in it is executed.

    Raises:
        InputError: the file is missing, broken, or no checkpoint of `SequenceClassifier`.
    """
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except FileNotFoundError:
        raise InputError(f"there is no checkpoint at {path}") from None
    except Exception as error:  # torch.load raises many kinds for a file that is broken or no checkpoint at all
        raise InputError(
            f"{path} is no checkpoint, or holds more than the plain values that are read ({type(error).__name__})"
        ) from error
    if not isinstance(checkpoint, dict) or _KEY not in checkpoint:
        raise InputError(f"{path} is no checkpoint of a SequenceClassifier")
    return checkpoint


def put_texts(checkpoint: dict[str, Any], pipeline: TextPipeline | None, label_names: tuple[str, ...]) -> None:
    """Write to a checkpoint, as plain values, how texts become ids and what the classes are called."""
    state = None if pipeline is None else pipeline.state()
    checkpoint[_KEY] = {"pipeline": state, "label_names": list(label_names)}


def take_texts(checkpoint: dict[str, Any]) -> tuple[TextPipeline | None, tuple[str, ...]]:
    """Read what `put_texts` has written: the pipeline, and the names of the classes."""
    extra = checkpoint[_KEY]
    pipeline = None if extra["pipeline"] is None else TextPipeline.from_state(extra["pipeline"])
    return pipeline, tuple(str(name) for name in extra["label_names"])
