"""From words to ids and back, numbered as in Keras' `imdb.load_data`."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import Any, Literal, get_args

from seqclass.checks import check_choice, check_whole
from seqclass.errors import InputError
from seqclass.text.base_tokenizer import BaseTokenizer

UnseenWords = Literal["skip", "oov"]

PADDING_ID = 0
"""Never the id of a word, since ranks start at 1: it fills a row up to its length."""

START_MARK = "<start>"
OOV_MARK = "<oov>"
"""What `decode` shows for the two marks. The brackets are filters by default, so no word looks like them."""


@dataclass(frozen=True)
class Vocabulary:
    """Ranked words with the numbering of Keras' `imdb.load_data`.

    The word of rank r (1 is the most frequent) has the id r + `index_from`, and every text starts with
    `start_char`. Then each id below `skip_top`, and each id at or above `num_words`, is replaced by
    `oov_char`, or left out if that is None. As in Keras, both limits hold for the shifted ids, and for the
    start mark too: `num_words=5000` leaves 4,996 words an id of their own, `skip_top=2` replaces the mark.

    Two bugs of Keras are not reproduced. Without `num_words`, Keras 1.2 to 3.15 take the largest id of the
    data as the limit and so lose the rarest word to `oov_char`, off by one; here every word keeps its id. With
    `oov_char=None`, Keras 1.2 kept what it meant to drop; Keras 3.15 drops it, and so does this.

    If `index_from` is below `start_char` or `oov_char`, an id can mean both a word and a mark. Keras allows
    that, so it is allowed here; `decode` then reads the mark.

    Args:
        words: the words, most frequent first. They are distinct, not empty and hold no space.
        num_words: number of ids, that is rows of an embedding table; None for no limit.
        skip_top: smallest id that is kept.
        start_char: id put before every text; None for none.
        oov_char: id that replaces words outside the limits; None drops them.
        index_from: what is added to a word's rank.
        unseen_words: a word that is not in `words` at all is left out ("skip", as in Keras' test data) or
            replaced by `oov_char` ("oov").

    Raises:
        InputError: if a word or an option has a wrong value.
    """

    words: tuple[str, ...] = field(repr=False)
    _: KW_ONLY
    num_words: int | None = None
    skip_top: int = 0
    start_char: int | None = 1
    oov_char: int | None = 2
    index_from: int = 3
    unseen_words: UnseenWords = "skip"

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", tuple(self.words))
        self._check_options()
        self._check_words()

    @classmethod
    def from_texts(
        cls, texts: Iterable[str], tokenizer: BaseTokenizer, *, min_count: int = 1, **options: Any
    ) -> "Vocabulary":
        """Ranks the words of `texts` by count, ties in the order of first appearance.

        Args:
            texts: the training texts.
            tokenizer: splits them into words.
            min_count: words that occur less often are dropped.
            **options: the options of the class.

        Raises:
            InputError: the texts have no words, or none that frequent, or as the class does.
        """
        counts: Counter[str] = Counter()
        for words in tokenizer.map(texts):
            counts.update(words)
        return cls.from_counts(counts, min_count=min_count, **options)

    @classmethod
    def from_counts(cls, counts: Mapping[str, int], *, min_count: int = 1, **options: Any) -> "Vocabulary":
        """Ranks words by count, ties in the order of `counts`.

        Args:
            counts: how often each word occurs in the training texts.
            min_count: words that occur less often are dropped.
            **options: the options of the class.

        Raises:
            InputError: there are no words, none is that frequent, or as the class does.
        """
        check_whole("min_count", min_count, least=1)
        if not counts:
            raise InputError("cannot build a vocabulary: the training texts have no words")
        ranked = sorted(counts.items(), key=itemgetter(1), reverse=True)
        frequent = tuple(word for word, count in ranked if count >= min_count)
        if not frequent:
            raise InputError(
                f"cannot build a vocabulary: min_count is {min_count}, but the most frequent word, "
                f"{ranked[0][0]!r:.80}, occurs only {ranked[0][1]} times in the training texts"
            )
        return cls(frequent, **options)

    @classmethod
    def from_keras_word_index(cls, path: str | Path, **options: Any) -> "Vocabulary":
        """Read the ranks from a word index such as Keras' `imdb_word_index.json`.

        Args:
            path: a JSON file with one object that maps each word to its rank, 1 to the number of words.
            **options: the options of the class.

        Raises:
            InputError: the file cannot be read or is not such an index, or as the class does.
        """
        try:
            index = json.loads(Path(path).read_bytes())
        except OSError as error:
            raise InputError(f"cannot read the word index {path}: {error.strerror or error}") from error
        except (ValueError, RecursionError) as error:  # ValueError: bad JSON or bad UTF-8
            raise InputError(f"the word index {path} is not JSON: {error}") from error
        try:
            return cls.from_ranks(index, **options)
        except InputError as error:
            raise InputError(f"word index {path}: {error}") from error

    @classmethod
    def from_ranks(cls, index: Any, **options: Any) -> "Vocabulary":
        """Take the ranks from a dict that maps each word to its rank, 1 to the number of words.

        Args:
            index: the dict.
            **options: the options of the class.

        Raises:
            InputError: if it is not such a dict, or as the class does.
        """
        return cls(_words_by_rank(index), **options)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the ids of `words`, the start mark first."""
        ids = self.ids_or_none(words)
        if self.start_char is not None:
            ids.insert(0, self._limited(self.start_char))
        # Most texts have nothing to drop, and `in` is faster than rebuilding the list.
        return [i for i in ids if i is not None] if None in ids else ids  # type: ignore[return-value]

    def ids_or_none(self, words: Iterable[str]) -> list[int | None]:
        """Return the id of each word; None if it is left out."""
        fallback = self.oov_char if self.unseen_words == "oov" else None
        return list(map(self._id_by_word.get, words, repeat(fallback)))

    def decode(self, ids: Iterable[int], *, marks: bool = True) -> list[str]:
        """Return the words of `ids`: the inverse of `encode`, except for what it dropped or replaced.

        Args:
            ids: ids as `encode` gives them; padding (0) is left out.
            marks: show the marks, as `<start>` and `<oov>`; otherwise leave them out.

        Raises:
            InputError: an id has no meaning in this vocabulary.
        """
        shown = {self.start_char: START_MARK, self.oov_char: OOV_MARK}
        words = []
        for i in map(int, ids):
            if i == PADDING_ID:
                continue
            if i in shown:
                if marks:
                    words.append(shown[i])
            elif self.index_from < i <= self.index_from + len(self.words) and i < self.num_ids:
                words.append(self.words[i - self.index_from - 1])
            else:
                raise InputError(
                    f"id {i} is not a word: this vocabulary's {len(self.words)} words have ids from "
                    f"{self.index_from + 1} on, below {self.num_ids}"
                )
        return words

    @property
    def num_ids(self) -> int:
        """Rows that an embedding table needs: `num_words`, or without it the largest id + 1."""
        if self.num_words is not None:
            return self.num_words
        return 1 + max(self.index_from + len(self.words), self.start_char or 0, self.oov_char or 0)

    def word_ids(self) -> dict[str, int]:
        """Return the ids of the words that have one of their own, the most frequent first."""
        kept = enumerate(self.words, self.index_from + 1)
        marks = (self.start_char, self.oov_char)
        return {word: i for i, word in kept if self._limited(i) == i and i not in marks}

    def options(self) -> dict[str, Any]:
        """Return the options by name, as plain values: with `words`, they make the same vocabulary again."""
        return {
            "num_words": self.num_words,
            "skip_top": self.skip_top,
            "start_char": self.start_char,
            "oov_char": self.oov_char,
            "index_from": self.index_from,
            "unseen_words": self.unseen_words,
        }

    def _limited(self, i: int) -> int | None:
        """Keras' limits on a shifted id: the id itself, or what replaces it (None: it is left out)."""
        kept = self.skip_top <= i and (self.num_words is None or i < self.num_words)
        return i if kept else self.oov_char

    @cached_property
    def _id_by_word(self) -> dict[str, int | None]:
        return {word: self._limited(i) for i, word in enumerate(self.words, self.index_from + 1)}

    def _check_options(self) -> None:
        check_whole("num_words", self.num_words, least=1, or_none=True)
        check_whole("skip_top", self.skip_top, least=0)
        check_whole("start_char", self.start_char, least=0, or_none=True)
        check_whole("oov_char", self.oov_char, least=0, or_none=True)
        check_whole("index_from", self.index_from, least=0)
        check_choice("unseen_words", self.unseen_words, get_args(UnseenWords))
        if self.num_words is not None and self.oov_char is not None and self.oov_char >= self.num_words:
            raise InputError(
                f"oov_char is {self.oov_char}; num_words={self.num_words} allows ids from 0 to {self.num_words - 1}"
            )

    def _check_words(self) -> None:
        if not self.words:
            raise InputError("a vocabulary needs at least one word")
        for rank, word in enumerate(self.words, 1):
            if not isinstance(word, str) or not word or " " in word:
                raise InputError(f"word {rank} of the vocabulary is {word!r:.80}; it has to be a str without spaces")
        if len(set(self.words)) < len(self.words):
            word, count = Counter(self.words).most_common(1)[0]
            raise InputError(f"the vocabulary contains the word {word!r} {count} times")


def _words_by_rank(index: Any) -> tuple[str, ...]:
    """Return the keys of a word index in the order of its values, which have to be 1 to n, each once."""
    if not isinstance(index, dict) or not index:
        raise InputError(f"it has to be a JSON object that maps words to ranks, not {index!r:.80}")
    words: list[str | None] = [None] * len(index)
    for word, rank in index.items():
        if not isinstance(rank, int) or isinstance(rank, bool) or not 1 <= rank <= len(index):
            raise InputError(
                f"the rank of {word!r} is {rank!r:.80}; {len(index)} words have the ranks 1 to {len(index)}"
            )
        if words[rank - 1] is not None:
            raise InputError(f"the words {words[rank - 1]!r} and {word!r} have the same rank {rank}")
        words[rank - 1] = word
    return tuple(words)  # type: ignore[arg-type]  # n distinct ranks between 1 and n fill every place
