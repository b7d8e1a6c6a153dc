"""The file that pretraining writes and training starts from."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from seqclass.errors import InputError
from seqclass.files import written_whole
from seqclass.text import TextPipeline

_KEY = "seqclass_pretrained"


@dataclass(frozen=True)
class Pretrained:
    """A text pipeline, and a vector for each of its ids.

    Attributes:
        pipeline: from texts to ids.
        vectors: (num_ids, embedding_dim) float32; zeros for ids that are not words of the texts.
    """

    pipeline: TextPipeline
    vectors: torch.Tensor

    def save(self, path: str | Path) -> None:
        """Write a `.safetensors` file with the pipeline in its metadata.

        Raises:
            InputError: another suffix, or the file cannot be written.
        """
        from safetensors.torch import save

        if Path(path).suffix != ".safetensors":
            raise InputError(f"cannot write {path}: its name has to end in .safetensors")
        metadata = {"format": "pt", _KEY: json.dumps(self.pipeline.state())}
        with written_whole(path) as part:
            part.write_bytes(save({"vectors": self.vectors.contiguous()}, metadata))

    @classmethod
    def load(cls, path: str | Path) -> "Pretrained":
        """Read what `save` has written; nothing in the file is executed.

        Raises:
            InputError: the file is missing, damaged, or another kind of file.
        """
        from safetensors import SafetensorError, safe_open

        if not Path(path).exists():
            raise InputError(f"there is no pretrained file at {path}")
        try:
            with safe_open(path, framework="pt") as file:
                pipeline = TextPipeline.from_state(json.loads((file.metadata() or {})[_KEY]))
                vectors = file.get_tensor("vectors")
        except (SafetensorError, OSError) as error:
            raise InputError(f"{path} is not a safetensors file, or is damaged ({error})") from error
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"{path} was not written by seqclass pretrain ({error})") from error
        if vectors.dim() != 2 or len(vectors) != pipeline.num_ids or vectors.dtype != torch.float32:
            raise InputError(
                f"{path} holds vectors of shape {tuple(vectors.shape)} and dtype {vectors.dtype}; its vocabulary needs "
                f"({pipeline.num_ids}, embedding_dim) torch.float32"
            )
        return cls(pipeline, vectors)
