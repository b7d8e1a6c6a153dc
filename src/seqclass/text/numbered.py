"""Texts as numbers of their distinct words: what depends on the word alone is then done once for each of them."""

from array import array
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from itertools import count
from typing import TypeVar

import numpy as np

from seqclass.text.ragged import RaggedIds

Item = TypeVar("Item", bound=Hashable)


@dataclass(frozen=True)
class NumberedTexts:
    """Texts, and their distinct words.

    Attributes:
        words: each once, in the order of first appearance.
        numbers: the words of each text, by their places in `words`.
    """

    words: list[str]
    numbers: RaggedIds

    def __len__(self) -> int:
        return len(self.numbers)


def numbering() -> "defaultdict[Item, int]":
    """Return a dict that numbers what it is asked for from 0 on, in the order of first appearance."""
    return defaultdict(count().__next__)


def number_words(texts: Iterable[Iterable[str]]) -> NumberedTexts:
    """Give the words of texts that have been split their numbers."""
    number_of: defaultdict[str, int] = numbering()
    values, offsets = array("I"), array("q", [0])
    for words in texts:
        values.extend(map(number_of.__getitem__, words))
        offsets.append(len(values))
    return NumberedTexts(list(number_of), RaggedIds(np.asarray(values), np.asarray(offsets)))
