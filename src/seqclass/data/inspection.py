"""Summarise labelled texts before anything is trained on them."""

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from seqclass.checks import check_whole
from seqclass.data.sources import OwnTexts
from seqclass.errors import InputError
from seqclass.text import BaseTokenizer

COVERED_WORDS = 0.98
COVERED_TEXTS = 0.95
"""The shares of the words and of the texts that the recommended `num_words` and `maxlen` leave unchanged."""

# Ids that are not words, by the defaults of `Vocabulary`: padding, start, unknown, and one that Keras leaves unused.
_MARKS = 4


@dataclass(frozen=True)
class PartInspection:
    """A summary of one part.

    Attributes:
        texts: how many there are.
        class_counts: texts of each class, the largest first; with several labels per text, each counts.
        combinations: with several labels per text, texts of each combination of them, the largest first; else empty.
        lengths: words per text: minimum, median, 95th percentile, maximum.
        empty: texts that are only white space.
        wordless: texts that are not empty but have no words, such as "?!".
        duplicates: repeats of earlier texts.
        contradictions: texts that occur with more than one label in the part.
        unknown_share: share of the words that have no id of their own among `num_words`.
        from_training: texts that are training texts too; 0 for the training part itself.
    """

    texts: int
    class_counts: dict[str, int]
    combinations: dict[str, int]
    lengths: tuple[int, int, int, int]
    empty: int
    wordless: int
    duplicates: int
    contradictions: int
    unknown_share: float
    from_training: int


@dataclass(frozen=True)
class Inspection:
    """A summary of a data set.

    Attributes:
        parts: by name, "train" first.
        distinct_words: of the training texts.
        num_words: as given, or recommended: it covers `COVERED_WORDS` of all words of the training texts.
        maxlen: recommended: `COVERED_TEXTS` of the training texts are not truncated.
    """

    parts: dict[str, PartInspection]
    distinct_words: int
    num_words: int
    maxlen: int


def inspect_texts(source: OwnTexts, tokenizer: BaseTokenizer, *, num_words: int | None = None) -> Inspection:
    """Read all texts once, row by row: memory grows by 16 bytes a text, and with the number of distinct words.

    Texts are compared by a 64-bit hash: among ten million, the probability that two different ones collide is 3 in a
    million.

    Args:
        source: the texts; it should keep empty ones.
        tokenizer: splits them into words.
        num_words: size of the vocabulary for which unknown words are counted; None for the recommended size.

    Raises:
        InputError: a row cannot be used, or there are no training texts or no words in them.
    """
    check_whole("num_words", num_words, least=_MARKS + 1, or_none=True)
    train = _Reader(source, "train", tokenizer)
    if not len(train.lengths) or not train.counts:
        raise InputError(f"{source.inputs['train'].path} holds no {'words' if len(train.lengths) else 'texts'}")
    ranked = train.counts.most_common()
    if num_words is None:
        num_words = _recommended_num_words([count for _, count in ranked])
    known = {word for word, _ in ranked[: num_words - _MARKS]}
    typical = int(np.quantile(np.asarray(train.lengths), COVERED_TEXTS, method="higher"))
    # Plus the start mark.
    maxlen = -(-(typical + 1) // 10) * 10
    others = {part: _Reader(source, part, tokenizer) for part in source.inputs if part != "train"}
    parts = {"train": train.result(known, None)}
    parts |= {part: reader.result(known, train) for part, reader in others.items()}
    return Inspection(parts, len(ranked), num_words, maxlen)


def _recommended_num_words(counts: list[int]) -> int:
    """Return the smallest sufficient multiple of 100, at most the number of words; `counts` are descending."""
    enough = COVERED_WORDS * sum(counts)
    kept = 1 + next(rank for rank, total in enumerate(accumulate(counts)) if total >= enough)
    return min(-(-(kept + _MARKS) // 100) * 100, len(counts) + _MARKS)


class _Reader:
    """The counts of one part."""

    def __init__(self, source: OwnTexts, part: str, tokenizer: BaseTokenizer) -> None:
        self.counts: Counter[str] = Counter()
        self.classes: Counter[str] = Counter()
        self.combinations: Counter[str] = Counter()
        self.lengths = array("I")
        self.hashes = array("Q")
        self.labels = array("I")
        self.empty = self.wordless = 0
        numbers: dict[str, int] = {}
        for row in tqdm(source.rows(part), desc=f"Reading {part}", unit=" texts", leave=False, disable=None):
            words = tokenizer(row.text)
            self.counts.update(words)
            self.classes.update(source.names_of(row))
            if source.reading.label_separator is not None:
                self.combinations[row.label] += 1
            self.lengths.append(len(words))
            content = hashlib.blake2b(row.text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            self.hashes.append(int.from_bytes(content, "little"))
            self.labels.append(numbers.setdefault(row.label, len(numbers)))
            if not words:
                if row.text.strip():
                    self.wordless += 1
                else:
                    self.empty += 1

    def result(self, known: Iterable[str], train: "_Reader | None") -> PartInspection:
        hashes, labels = np.asarray(self.hashes), np.asarray(self.labels)
        words = sum(self.counts.values())
        return PartInspection(
            texts=len(self.lengths),
            class_counts=dict(self.classes.most_common()),
            combinations=dict(self.combinations.most_common()),
            lengths=_quantiles(np.asarray(self.lengths)),
            empty=self.empty,
            wordless=self.wordless,
            duplicates=len(hashes) - len(np.unique(hashes)),
            contradictions=_contradictions(hashes, labels),
            unknown_share=1 - sum(self.counts[word] for word in known) / words if words else 0.0,
            from_training=0 if train is None else int(np.isin(hashes, np.asarray(train.hashes)).sum()),
        )


def _quantiles(lengths: npt.NDArray[np.uint32]) -> tuple[int, int, int, int]:
    if not len(lengths):
        return 0, 0, 0, 0
    least, median, long, most = np.quantile(lengths, [0, 0.5, 0.95, 1], method="higher").tolist()
    return least, median, long, most


def _contradictions(hashes: npt.NDArray[np.uint64], labels: npt.NDArray[np.uint32]) -> int:
    order = np.lexsort((labels, hashes))
    same = hashes[order][1:] == hashes[order][:-1]
    differ = labels[order][1:] != labels[order][:-1]
    return len(np.unique(hashes[order][1:][same & differ]))
