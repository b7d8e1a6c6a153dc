"""The ids of texts by way of their pieces: each distinct one is encoded once."""

import numpy as np

from seqclass.text.numbered import NumberedTexts
from seqclass.text.ragged import RaggedIds
from seqclass.text.vocabulary import Vocabulary


class PieceIds:
    """The ids that a vocabulary gives to texts whose pieces are known by their numbers.

    Args:
        vocabulary: numbers the words.
        words: of the pieces, as `BaseTokenizer.words_of_pieces` gives them.
    """

    def __init__(self, vocabulary: Vocabulary, words: NumberedTexts) -> None:
        self._marks = vocabulary.encode(())
        ids = vocabulary.ids_or_none(words.words)
        # A word that is left out has the id -1.
        table = np.array([-1 if i is None else i for i in ids], dtype=np.int32)
        found = table[words.numbers.values]
        kept = found >= 0
        self._ids = RaggedIds(found[kept], np.concatenate([[0], np.cumsum(kept)])[words.numbers.offsets])

    def encode(self, pieces: RaggedIds) -> RaggedIds:
        """Return the ids of texts, given as numbers of pieces, as `Vocabulary.encode` gives them; int32."""
        ids = self._ids.joined_rows(pieces)
        if not self._marks:
            return ids
        values = np.insert(ids.values, np.repeat(ids.offsets[:-1], len(self._marks)), self._marks * len(ids))
        return RaggedIds(values, ids.offsets + len(self._marks) * np.arange(len(ids.offsets)))
