"""Parts of words that words of one family share: their beginnings and endings, as numbers."""

from zlib import crc32

import numpy as np
import numpy.typing as npt

from seqclass.checks import check_whole
from seqclass.text.vocabulary import Vocabulary

PREFIXES = (3, 4, 5, 6)
SUFFIXES = (2, 3, 4)
"""Letters of the parts. "charmingly" has cha-, char-, charm-, charmi-, -ly, -gly and -ngly."""


def subword_table(vocabulary: Vocabulary, *, buckets: int) -> npt.NDArray[np.int32]:
    """Hash the beginnings and endings of each word to numbers.

    A word that the training texts have once or twice then still shares parts with words that they have often. All parts
    of 3 to 5 letters (Bojanowski et al., "Enriching Word Vectors with Subword Information", 2017) are about twenty a
    word, and did no better here than these seven.

    Args:
        vocabulary: whose words get a row.
        buckets: numbers to hash to, from 1 to `buckets` - 1; 0 stands for no part.

    Returns:
        Shape (`vocabulary.num_ids`, 7). A word shorter than a part does not have it; marks and padding have none.

    Raises:
        InputError: fewer than 2 buckets.
    """
    check_whole("buckets", buckets, least=2)
    table = np.zeros((vocabulary.num_ids, len(PREFIXES) + len(SUFFIXES)), dtype=np.int32)
    for word, row in vocabulary.word_ids().items():
        parts = [f"{word[:size]}-" if len(word) >= size else "" for size in PREFIXES]
        parts += [f"-{word[-size:]}" if len(word) >= size else "" for size in SUFFIXES]
        # "surrogatepass" since a word may hold half a surrogate pair, as its text did.
        table[row] = [crc32(part.encode("utf-8", "surrogatepass")) % (buckets - 1) + 1 if part else 0 for part in parts]
    return table
