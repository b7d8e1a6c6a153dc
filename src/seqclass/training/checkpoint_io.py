"""How Lightning's checkpoints are written."""

import io
from collections.abc import Mapping
from typing import Any

import torch
from lightning.fabric.plugins import TorchCheckpointIO

from seqclass.files import written_whole


class WholeCheckpointIO(TorchCheckpointIO):
    """Saves checkpoints that appear whole or not at all.

    Lightning's own writes to a temporary file in another folder and moves it: on a full disk that leaves a truncated
    checkpoint beside the good ones, or in place of the last one, and an error that names the temporary file.

    Give it to the Trainer: `Trainer(plugins=[WholeCheckpointIO()])`.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Mapping[str, Any] | None = None
    ) -> None:
        """Write a checkpoint; an older one at `path` is replaced only by a whole one.

        Args:
            checkpoint: what `torch.save` takes.
            path: of the file; with a protocol such as `s3://` Lightning's own way is taken.
            storage_options: have to be None, as in Lightning.

        Raises:
            InputError: the file cannot be written; the message names `path`.
        """
        if "://" in str(path) or storage_options is not None:
            super().save_checkpoint(checkpoint, path, storage_options)
            return
        # torch.save reports a full disk as a RuntimeError of its own; plain bytes fail as files do.
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with written_whole(path) as part:
            part.write_bytes(content.getbuffer())
