"""The beginnings and ends of words, as rows of a table."""

import zlib

import numpy as np
import numpy.typing as npt

from seqclass.text.vocabulary import Vocabulary

PREFIX_LENGTHS = (3, 4, 5, 6)
SUFFIX_LENGTHS = (2, 3, 4)
"""In letters. Chosen on held-out texts; see docs/accuracy.md."""


def affixes(word: str) -> list[str]:
    """List the prefixes and suffixes of a word that are not longer than it: "<fil", "<film", "lm>", "ilm>", "film>"."""
    ahead = [f"<{word[:length]}" for length in PREFIX_LENGTHS if length <= len(word)]
    behind = [f"{word[-length:]}>" for length in SUFFIX_LENGTHS if length <= len(word)]
    return ahead + behind


def affix_table(vocabulary: Vocabulary, *, num_embeddings: int, buckets: int) -> npt.NDArray[np.int32]:
    """Hash the affixes of each word of a vocabulary into rows 1 to `buckets` - 1.

    Args:
        vocabulary: the words and their ids.
        num_embeddings: rows of the result, one for each id.
        buckets: rows of the affixes' table.

    Returns:
        (num_embeddings, number of affixes); 0 where there is none.
    """
    table = np.zeros((num_embeddings, len(PREFIX_LENGTHS) + len(SUFFIX_LENGTHS)), dtype=np.int32)
    for word, row in vocabulary.word_ids().items():
        found = [zlib.crc32(affix.encode("utf-8", "surrogatepass")) % (buckets - 1) + 1 for affix in affixes(word)]
        table[row, : len(found)] = found
    return table
