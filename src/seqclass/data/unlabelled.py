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

    def __len__(self) -> int:
        return len(self.ids)

    def encoded_by(self, pipeline: TextPipeline) -> RaggedIds:
        """Return the same texts as another pipeline encodes them, neither cut nor padded."""
        if (pipeline.tokenizer, pipeline.vocabulary) == (self._pipeline.tokenizer, self._pipeline.vocabulary):
            return self.ids
        return pipeline.encode_all(corpus_texts(self._paths, self._reading))[self._kept]


def with_soft_labels(part: EncodedPart, unlabelled: RaggedIds, shares: Shares) -> EncodedPart:
    """Put texts without labels behind those of a part; the labels of both become shares of the classes.

    Args:
        part: the labelled texts.
        unlabelled: the others.
        shares: (texts, classes), how probable each class is for the others.

    Returns:
        A part whose labels are float32, (texts, classes): of the labelled texts ones and zeros.
    """
    hard = part.labels if part.labels.ndim == 2 else np.arange(shares.shape[1]) == part.labels[:, np.newaxis]
    names = [*part.names, *(f"unlabelled:{number}" for number in range(1, len(unlabelled) + 1))]
    labels: npt.NDArray[Any] = np.concatenate([hard.astype(np.float32), shares])
    return EncodedPart(joined(part.ids, unlabelled), labels, Names.of(names))


def joined(first: RaggedIds, second: RaggedIds) -> RaggedIds:
    """Put the texts of one behind those of the other."""
    offsets = np.concatenate([first.offsets, second.offsets[1:] + first.offsets[-1]])
    return RaggedIds(np.concatenate([first.values, second.values]), offsets)


def _each(texts: RaggedIds) -> Iterable[npt.NDArray[np.integer[Any]]]:
    return (texts[number] for number in range(len(texts)))


def _digest(ids: npt.NDArray[np.integer[Any]]) -> bytes:
    return blake2b(ids.astype(np.int32).tobytes(), digest_size=16).digest()
