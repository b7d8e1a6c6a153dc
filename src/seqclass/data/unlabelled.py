"""Texts without labels that a training uses beside the labelled ones."""

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.data.encoded import EncodedPart, Names
from seqclass.data.sources import Reading
from seqclass.data.sources.corpus import corpus_texts
from seqclass.errors import InputError
from seqclass.messages import listed
from seqclass.text import RaggedIds, TextPipeline

Shares = npt.NDArray[np.float32]


class Unlabelled:
    """Texts without labels as ids, in memory: 4 bytes a word at most.

    A text that is also among the labelled ones, whichever part it is in, is left out, and so are repetitions and texts
    without a known word. An archive that holds labelled texts too can therefore be given as it is, and no test text is
    trained on.

    Args:
        paths: see `corpus_texts`.
        reading: how tables are read.
        pipeline: encodes the texts.
        num_classes: of the labels that they may get.
        labelled: the labelled texts as the pipeline encodes them, neither cut nor padded.

    Attributes:
        ids: the texts, neither cut nor padded.

    Raises:
        InputError: something cannot be read, or no text is left.
    """

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        reading: Reading,
        pipeline: TextPipeline,
        num_classes: int,
        labelled: Iterable[RaggedIds],
    ) -> None:
        self._paths, self._reading, self._pipeline = paths, reading, pipeline
        every = pipeline.encode_all(corpus_texts(paths, reading))
        seen = {_digest(text) for texts in labelled for text in _each(texts)}
        kept = ~pipeline.without_words(every)
        for number, text in enumerate(_each(every)):
            digest = _digest(text)
            kept[number] &= digest not in seen
            seen.add(digest)
        if not kept.any():
            raise InputError(
                f"none of the {len(every):,} texts without labels in {listed(list(map(str, paths)))} can be used: all "
                "are among the labelled texts, or without a known word"
            )
        self._kept = kept
        self.ids = every[kept]
        self._shape = (len(self.ids), num_classes)
        self._shares: Shares | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def encoded_by(self, pipeline: TextPipeline) -> RaggedIds:
        """Return the same texts as another pipeline encodes them, neither cut nor padded."""
        if (pipeline.tokenizer, pipeline.vocabulary) == (self._pipeline.tokenizer, self._pipeline.vocabulary):
            return self.ids
        return pipeline.encode_all(corpus_texts(self._paths, self._reading))[self._kept]

    def label(self, shares: Shares) -> None:
        """Give the texts soft labels, with which they are trained on.

        Args:
            shares: (texts, classes) float32, how probable each class is.

        Raises:
            InputError: another shape, or numbers outside 0 to 1.
        """
        if shares.shape != self._shape:
            raise InputError(f"the soft labels have the shape {shares.shape}; {self._shape} are texts and classes")
        if not ((shares >= 0) & (shares <= 1)).all():
            raise InputError("the soft labels have numbers outside 0 to 1")
        self._shares = shares

    @property
    def is_labelled(self) -> bool:
        return self._shares is not None

    @property
    def shares(self) -> Shares:
        """The soft labels, (texts, classes)."""
        if self._shares is None:
            raise RuntimeError("the texts have no labels yet")
        return self._shares

    def behind(self, part: EncodedPart) -> EncodedPart:
        """Put the texts and their soft labels behind those of a part, whose labels become ones and zeros, float32."""
        hard = part.labels if part.labels.ndim == 2 else np.arange(self._shape[1]) == part.labels[:, np.newaxis]
        names = [*part.names, *(f"unlabelled:{number}" for number in range(1, len(self) + 1))]
        labels: npt.NDArray[Any] = np.concatenate([hard.astype(np.float32), self.shares])
        return EncodedPart(RaggedIds.concatenated([part.ids, self.ids]), labels, Names.of(names))


def _each(texts: RaggedIds) -> Iterable[npt.NDArray[np.integer[Any]]]:
    return (texts[number] for number in range(len(texts)))


def _digest(ids: npt.NDArray[np.integer[Any]]) -> bytes:
    return blake2b(ids.astype(np.int32).tobytes(), digest_size=16).digest()
