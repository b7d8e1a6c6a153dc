"""A table of word vectors that words with the same beginning or end share a part of."""

import torch
from torch import nn
from torch.nn import functional as F

from seqclass.checks import check_positive
from seqclass.nn.embedding import Embedding, check_ids, id_outside, look_up

AFFIXES = 7
"""How many prefixes and suffixes a word has at most."""


class AffixEmbedding(nn.Module):
    """Add to each word's own vector the mean of the vectors of its affixes, its prefixes and suffixes.

    A word that the training texts hold once has a vector of its own that is hardly trained; its affixes are those of
    other words too. With the row r of a word's own table and the rows of its n affixes,

        e(word) = r(word) + (a_1 + ... + a_n) / n

    This is the sum over character n-grams of Bojanowski et al., "Enriching Word Vectors with Subword Information"
    (2017), with n-grams at a word's edges alone, a tenth of the number.

    Args:
        num_embeddings: rows of the table; every id must be below it.
        embedding_dim: size of a row.
        buckets: rows of the affixes' table, into which they are hashed; the first belongs to none.
        dropout: as in `Embedding`, of the words' own vectors.
        deviation: standard deviation of the initial values, which are normal, in both tables.

    Attributes:
        words: the words' own table.
        affix_weight: (buckets, embedding_dim), zeros in row 0.
        affixes: (num_embeddings, AFFIXES) int32, the rows of each word's affixes; 0 for none. All are 0 until
            they are set for a vocabulary (`seqclass.text.affix_table`).

    Raises:
        ValueError: a size below 1, fewer than 2 buckets, or a rate outside 0 to 1.
    """

    affixes: torch.Tensor

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        *,
        buckets: int,
        dropout: float = 0.0,
        deviation: float = 0.1,
    ) -> None:
        super().__init__()
        self.words = Embedding(num_embeddings, embedding_dim, dropout=dropout)
        check_positive("buckets - 1", buckets - 1)
        self.affix_weight = nn.Parameter(torch.empty(buckets, embedding_dim))
        for table in (self.words.weight, self.affix_weight):
            nn.init.normal_(table, std=deviation)
        with torch.no_grad():
            self.affix_weight[0] = 0
        self.register_buffer("affixes", torch.zeros(num_embeddings, AFFIXES, dtype=torch.int32))

    @property
    def num_embeddings(self) -> int:
        """Rows of the words' table."""
        return self.words.num_embeddings

    @property
    def embedding_dim(self) -> int:
        """Size of a row."""
        return self.words.embedding_dim

    @property
    def weight(self) -> nn.Parameter:
        """The words' own table, (num_embeddings, embedding_dim)."""
        return self.words.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Look the ids up; see `Embedding.forward`."""
        check_ids(ids, self.weight)
        # A batch has far fewer words than places, so vectors are summed, and their gradients too, once for each word.
        distinct, places = ids.unique(return_inverse=True)
        try:
            own: torch.Tensor = self.words(distinct.unsqueeze(0)).squeeze(0)
        except IndexError as error:
            raise id_outside(ids, self.num_embeddings) from error
        shared = F.embedding_bag(self.affixes[distinct], self.affix_weight, mode="mean", padding_idx=0)
        return look_up(places, own + shared)
