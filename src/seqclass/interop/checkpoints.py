"""A checkpoint of a classifier that no Trainer holds."""

import io
from pathlib import Path
from typing import Any

import lightning
import torch

from seqclass.classifier import SequenceClassifier
from seqclass.files import written_whole


def save_classifier(classifier: SequenceClassifier, path: str | Path) -> None:
    """Write a checkpoint that `SequenceClassifier.load_from_checkpoint` reads; it has no optimizer state.

    Raises:
        InputError: the file cannot be written.
    """
    checkpoint: dict[str, Any] = {
        "pytorch-lightning_version": lightning.__version__,
        "state_dict": classifier.state_dict(),
        "hyper_parameters": dict(classifier.hparams),
        "epoch": 0,
        "global_step": 0,
    }
    classifier.on_save_checkpoint(checkpoint)
    # torch.save reports a full disk as a RuntimeError of its own; plain bytes fail as files do.
    content = io.BytesIO()
    torch.save(checkpoint, content)
    with written_whole(path) as part:
        part.write_bytes(content.getvalue())
