"""From texts to the matrix a model reads, and back."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from seqclass.errors import InputError
from seqclass.text.base_tokenizer import BaseTokenizer, checked_texts
from seqclass.text.keras_tokenizer import KerasTokenizer
from seqclass.text.padding import Side, check_padding, pad_sequences
from seqclass.text.piece_ids import PieceIds
from seqclass.text.pieces import in_chunks
from seqclass.text.ragged import RaggedIds
from seqclass.text.tokenizer import Tokenizer
from seqclass.text.torchtext_tokenizer import TorchtextTokenizer
from seqclass.text.vocabulary import PADDING_ID, Vocabulary

_STATE_VERSION = 2
_VERSION_1_TOKENIZER = {"kind": "words", "token_pattern": None}
"""What version 1 of a tokenizer's state, from before there were other kinds, lacks."""


@dataclass(frozen=True, kw_only=True)
class TextPipeline:
    """Tokenizer, vocabulary and padding together: everything between a raw text and a model's input.

    It is saved in the checkpoint of the model that was trained with it (`state`, `from_state`), so that texts are
    always read as in training.

    Args:
        tokenizer: splits a text into words.
        vocabulary: numbers the words.
        maxlen: length of the rows; None for that of the longest text in the batch.
        padding: the side that is padded, "pre" or "post".
        truncating: the side that is truncated, "pre" or "post".

    Raises:
        InputError: if an option has a wrong value.
    """

    tokenizer: BaseTokenizer
    vocabulary: Vocabulary
    maxlen: int | None = 500
    padding: Side = "pre"
    truncating: Side = "pre"

    def __post_init__(self) -> None:
        check_padding(
            maxlen=1 if self.maxlen is None else self.maxlen, padding=self.padding, truncating=self.truncating
        )

    @property
    def num_ids(self) -> int:
        """The number of rows that an embedding table needs."""
        return self.vocabulary.num_ids

    def encode(self, text: str) -> list[int]:
        """Return the ids of one text, neither truncated nor padded.

        Raises:
            InputError: if `text` is not a str.
        """
        return self.vocabulary.encode(self.tokenizer(text))

    def encode_all(self, texts: Iterable[str]) -> RaggedIds:
        """Return the ids of each text, neither truncated nor padded.

        Raises:
            InputError: if a text is not a str; the message has its position.
        """
        parts = [RaggedIds(np.zeros(0, dtype=np.int32), np.zeros(1, dtype=np.int64))]
        for some in in_chunks(checked_texts(texts), len):
            pieces = self.tokenizer.pieces(some)
            words = self.tokenizer.words_of_pieces(pieces.words)
            parts.append(PieceIds(self.vocabulary, words).encode(pieces.numbers))
        return RaggedIds.concatenated(parts).narrowed()

    def cut(self, ids: RaggedIds) -> RaggedIds:
        """Cut encoded texts to `maxlen` without padding them."""
        lengths = np.minimum(ids.lengths, longest(ids) if self.maxlen is None else self.maxlen)
        if (lengths == ids.lengths).all():
            return ids
        starts = ids.offsets[1:] - lengths if self.truncating == "pre" else ids.offsets[:-1]
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return RaggedIds(ids.values[places], offsets)

    def pad(self, ids: RaggedIds, *, dtype: npt.DTypeLike = "int32") -> npt.NDArray[Any]:
        """Cut and pad encoded texts; shape (number of texts, maxlen)."""
        return pad_sequences(
            ids,
            maxlen=self.maxlen or longest(ids),
            padding=self.padding,
            truncating=self.truncating,
            value=PADDING_ID,
            dtype=dtype,
        )

    def fixed_for(self, ids: RaggedIds) -> "TextPipeline":
        """Return a pipeline whose rows have one length: the same if it has a `maxlen`, else that of the longest."""
        return self if self.maxlen is not None else replace(self, maxlen=longest(ids))

    def without_words(self, ids: RaggedIds) -> npt.NDArray[np.bool_]:
        """Return which encoded texts contain no word of the vocabulary, only marks at most; shape (number of texts,).

        All that a model sees of them is their length.
        """
        marks = [mark for mark in (self.vocabulary.start_char, self.vocabulary.oov_char) if mark is not None]
        words_before = np.concatenate([[0], np.cumsum(~np.isin(ids.values, marks))])
        without: npt.NDArray[np.bool_] = np.diff(words_before[ids.offsets]) == 0
        return without

    def to_array(self, texts: Iterable[str]) -> npt.NDArray[np.int32]:
        """Encode, cut and pad; int32, shape (number of texts, maxlen).

        Raises:
            InputError: if a text is not a str; the message has its position.
        """
        return self.pad(self.encode_all(texts))

    def decode(self, ids: Iterable[int], *, marks: bool = True) -> str:
        """Return the words of one encoded text, joined by spaces.

        Args:
            ids: ids of this pipeline; padding is left out.
            marks: show the marks, as `<start>` and `<oov>`; otherwise leave them out.

        Raises:
            InputError: an id has no meaning in the vocabulary.
        """
        return " ".join(self.vocabulary.decode(ids, marks=marks))

    def state(self) -> dict[str, Any]:
        """Return all of the pipeline in plain values, for a checkpoint that loads under `weights_only=True`.

        The words are one string, joined by spaces: a list of 88,584 strings is slow to load that way.
        """
        return {
            "version": _STATE_VERSION,
            "tokenizer": asdict(self.tokenizer),
            "vocabulary": {"words": " ".join(self.vocabulary.words), **self.vocabulary.options()},
            "maxlen": self.maxlen,
            "padding": self.padding,
            "truncating": self.truncating,
        }

    @classmethod
    def from_state(cls, state: Any) -> "TextPipeline":
        """Make the pipeline whose `state` it is.

        Raises:
            InputError: if it is not the state of a pipeline; it comes from a file and is not trusted.
        """
        state = _known(state, "a text pipeline", cls.__dataclass_fields__, extra={"version"})
        version = state.pop("version")
        if version not in (1, _STATE_VERSION):
            raise InputError(
                f"the text pipeline's state has version {version!r}; this seqclass reads 1 to {_STATE_VERSION}"
            )
        if version == 1 and isinstance(state["tokenizer"], dict):
            state["tokenizer"] = {**_VERSION_1_TOKENIZER, **state["tokenizer"]}
        tokenizer = _tokenizer_from_state(state.pop("tokenizer"))
        vocabulary = _known(state.pop("vocabulary"), "a vocabulary", Vocabulary.__dataclass_fields__)
        words = vocabulary.pop("words")
        if not isinstance(words, str):
            raise InputError(f"the words of a vocabulary's state have to be one str, not {words!r:.80}")
        return cls(
            tokenizer=tokenizer,
            vocabulary=Vocabulary(tuple(words.split(" ")), **vocabulary),
            **state,
        )

    def fingerprint(self) -> str:
        """Return the SHA-256 of the state: equal for pipelines that do the same, in any process."""
        return hashlib.sha256(json.dumps(self.state(), sort_keys=True).encode()).hexdigest()


def longest(ids: RaggedIds) -> int:
    """Return the length of the longest text, at least 1."""
    return max(int(ids.lengths.max(initial=0)), 1)


def _tokenizer_from_state(state: Any) -> BaseTokenizer:
    kinds: dict[str, Any] = {"torchtext": TorchtextTokenizer, "standardize": KerasTokenizer}
    fields = state if isinstance(state, dict) else {}
    kind: Any = next((kind for field, kind in kinds.items() if field in fields), Tokenizer)
    tokenizer: BaseTokenizer = kind(**_known(state, "a tokenizer", kind.__dataclass_fields__))
    return tokenizer


def _known(state: Any, what: str, fields: Iterable[str], extra: Iterable[str] = ()) -> dict[str, Any]:
    """Return a copy of `state` if that is a dict with exactly the expected keys."""
    expected = {*fields, *extra}
    if not isinstance(state, dict):
        raise InputError(f"the state of {what} has to be a dict, not {state!r:.80}")
    if set(state) != expected:
        raise InputError(f"the state of {what} has the keys {sorted(map(str, state))}; expected are {sorted(expected)}")
    return dict(state)
