"""The options that decide how texts become ids, and the data set encoded with them."""

import hashlib
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from seqclass.checks import check_whole
from seqclass.data.cache import cached_encoding, earlier_encoding
from seqclass.data.encoded import EncodedTexts
from seqclass.data.encoding import encode_source
from seqclass.data.sources import Source
from seqclass.errors import InputError
from seqclass.locations import cache_root
from seqclass.text import BaseTokenizer, TextPipeline, Vocabulary

AUTO = "auto"
"""The value of an option that is derived from the training texts."""
MOST_WORDS = 30_000
"""The largest `num_words` that is derived from the texts."""
MOST_STEPS = 1_000
"""The largest `maxlen` that is derived from the texts."""


@dataclass(frozen=True, kw_only=True)
class EncodingOptions:
    """The options of a text pipeline, but for the words, which come from the texts or a file.

    Args:
        tokenizer: splits the texts.
        vocabulary: the options of `Vocabulary`.
        padding: those of `TextPipeline`.
        min_count: words that occur less often in the training texts count as unseen.
        word_index: a JSON file with the words' ranks; None takes the words of the training texts.
        cache_dir: see `cache_root`.

    Raises:
        InputError: if one has a wrong value.
    """

    tokenizer: BaseTokenizer
    vocabulary: Mapping[str, Any]
    padding: Mapping[str, Any]
    min_count: int = 1
    word_index: str | None = None
    cache_dir: str | None = None

    def __post_init__(self) -> None:
        # Built for its checks alone: a wrong option is to be reported now, not after the download.
        self._pipeline(Vocabulary(("word",), **self._vocabulary_options(())))
        check_whole("min_count", self.min_count, least=1)
        if self.word_index is not None and self.min_count > 1:
            raise InputError(f"min_count={self.min_count} does not go with word_index, which has ranks but no counts")

    def encode(self, source: Source, given: TextPipeline | None = None) -> EncodedTexts:
        """Return the texts of a source as ids, from the cache if they are there.

        Args:
            source: the texts.
            given: a pipeline to be used instead of one that is made from the options.

        Raises:
            InputError: as the source does, or if the cache cannot be written.
        """
        folder = cache_root(self.cache_dir) / "encoded"
        by_options = {
            "source": source.fingerprint(),
            "tokenizer": asdict(self.tokenizer),
            "vocabulary_options": dict(self.vocabulary),
            "min_count": self.min_count,
            "word_index": None if self.word_index is None else _content_hash(self.word_index),
        }
        if given is None:
            encoded = cached_encoding(folder, by_options, lambda path: self._encode_anew(source, path))
            # Padding is not part of the encoding, so one data set serves every length.
            return replace(encoded, pipeline=replace(encoded.pipeline, **self._padding(encoded)))
        # The pipeline of a checkpoint is most often the one that training with these options has made.
        encoded_before = earlier_encoding(folder, by_options)
        if encoded_before is not None and _encode_alike(encoded_before.pipeline, given):
            return replace(encoded_before, pipeline=given)
        by_pipeline = {
            "source": by_options["source"],
            "tokenizer": asdict(given.tokenizer),
            "vocabulary": asdict(given.vocabulary),
        }
        return replace(
            cached_encoding(folder, by_pipeline, lambda path: _encode_as_given(source, given, path)), pipeline=given
        )

    def overridden_by(self, pipeline: TextPipeline) -> list[str]:
        """Return the options that differ from a pipeline that is used instead, each as "name=value (given: value)"."""
        used = {**asdict(pipeline.tokenizer), **asdict(pipeline.vocabulary), **asdict(pipeline)}
        given = {**asdict(self.tokenizer), **self.vocabulary, **self.padding}
        return [
            f"{name}={used[name]!r} (given: {value!r})"
            for name, value in given.items()
            if name in used and value not in (used[name], AUTO)
        ]

    def _encode_anew(self, source: Source, folder: Path) -> None:
        if self.word_index is not None:
            vocabulary = Vocabulary.from_keras_word_index(self.word_index, **self._vocabulary_options(None))
            _encode_as_given(source, self._pipeline(vocabulary), folder)
            return
        _tell(source, folder)
        encode_source(
            source,
            self.tokenizer,
            lambda counts: self._pipeline(
                Vocabulary.from_counts(counts, min_count=self.min_count, **self._vocabulary_options(counts.values()))
            ),
            folder,
        )

    def _pipeline(self, vocabulary: Vocabulary) -> TextPipeline:
        return TextPipeline(tokenizer=self.tokenizer, vocabulary=vocabulary, **self._padding(None))

    def _vocabulary_options(self, counts: Collection[int] | None) -> dict[str, Any]:
        """Return the options of `Vocabulary`; an automatic number of ids follows from how often each word occurs.

        Args:
            counts: of the words; None where they are not known.
        """
        options = dict(self.vocabulary)
        if options.get("num_words") == AUTO:
            kept = MOST_WORDS if counts is None else sum(count >= self.min_count for count in counts)
            options["num_words"] = min(MOST_WORDS, kept + options["index_from"] + 1)
        return options

    def _padding(self, encoded: EncodedTexts | None) -> dict[str, Any]:
        """Return the options of `TextPipeline`; an automatic length is that of the longest training text."""
        options = dict(self.padding)
        if options.get("maxlen") == AUTO:
            longest = MOST_STEPS if encoded is None else int(encoded.parts["train"].ids.lengths.max(initial=1))
            options["maxlen"] = min(MOST_STEPS, max(1, longest))
        return options


def _encode_as_given(source: Source, pipeline: TextPipeline, folder: Path) -> None:
    _tell(source, folder)
    encode_source(source, pipeline.tokenizer, lambda _: pipeline, folder)


def _tell(source: Source, folder: Path) -> None:
    print(f"Encoding the texts of {source.name}; later runs find them in {folder.parent}", file=sys.stderr)


def _encode_alike(one: TextPipeline, other: TextPipeline) -> bool:
    """Whether two pipelines give the same ids; they may pad in different ways."""
    return one.tokenizer == other.tokenizer and one.vocabulary == other.vocabulary


def _content_hash(path: str) -> str:
    """Hash a file's content; nothing if it cannot be read, which is reported when it is used."""
    try:
        content = Path(path).read_bytes()
    except OSError:
        content = b""
    return hashlib.sha256(content).hexdigest()
