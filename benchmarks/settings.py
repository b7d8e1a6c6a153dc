"""The settings that a measurement depends on: sizes of the model and of a batch."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks import notebook


@dataclass(frozen=True)
class Settings:
    """What a row's ``settings`` are; by default the notebook's."""

    batch_size: int = notebook.BATCH_SIZE
    length: int = notebook.LENGTH
    num_embeddings: int = notebook.NUM_WORDS
    embedding_dim: int = notebook.EMBEDDING_DIM
    hidden_size: int = notebook.HIDDEN_SIZE

    @property
    def sizes(self) -> dict[str, int]:
        """The model's sizes."""
        return {
            "num_embeddings": self.num_embeddings,
            "embedding_dim": self.embedding_dim,
            "hidden_size": self.hidden_size,
        }
