"""The character n-grams that words are made of."""

from seqclass.text.ragged import RaggedIds
from seqclass.text.vocabulary import Vocabulary

LENGTHS = (3, 4, 5)
"""In characters, the marks of a word's beginning and end included. Chosen on held-out texts; see docs/accuracy.md."""


def subwords(word: str) -> list[str]:
    """List the distinct character n-grams of a word, shortest first: of "film" "<fi", "fil", "ilm" and so on.

    A word too short for one is a single n-gram, whole.
    """
    marked = f"<{word}>"
    found = [marked[at : at + n] for n in LENGTHS for at in range(len(marked) - n + 1)]
    return list(dict.fromkeys(found or [marked]))


def subword_table(vocabulary: Vocabulary) -> RaggedIds:
    """List the character n-grams of each id's word, numbered from 0; ids that are not words have none."""
    numbers: dict[str, int] = {}
    rows: list[list[int]] = [[] for _ in range(vocabulary.num_ids)]
    for word, row in vocabulary.word_ids().items():
        rows[row] = [numbers.setdefault(subword, len(numbers)) for subword in subwords(word)]
    return RaggedIds.from_lists(rows)
