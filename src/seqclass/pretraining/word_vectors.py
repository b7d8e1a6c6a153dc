"""From texts to a vocabulary and word vectors."""

from collections import Counter
from collections.abc import Callable, Iterable

import torch

from seqclass.nn.pmi_vectors import pmi_vectors
from seqclass.pretraining.pretrained import Pretrained
from seqclass.text import BaseTokenizer, RaggedIds, TextPipeline, Vocabulary

DIMENSION = 112
WINDOW = 5


def pretrain(
    texts: Callable[[], Iterable[str]],
    *,
    tokenizer: BaseTokenizer,
    num_words: int | None = 30_000,
    min_count: int = 1,
    maxlen: int = 1_000,
    embedding_dim: int = DIMENSION,
    window: int = WINDOW,
    seed: int = 0,
) -> Pretrained:
    """Count the words of texts, and factorize which of them occur together (`seqclass.nn.pmi_vectors`).

    Args:
        texts: returns the texts; called twice.
        tokenizer: splits them into words.
        num_words: number of ids; None for no limit.
        min_count: words with fewer occurrences count as unknown.
        maxlen: of the pipeline; every word of a longer text is used here all the same.
        embedding_dim: numbers in a vector.
        window: how many words apart two words still occur together.
        seed: of the factorization's random start.

    Raises:
        InputError: a value outside its range, or texts without words.
    """
    counts: Counter[str] = Counter()
    for words in tokenizer.map(texts()):
        counts.update(words)
    vocabulary = Vocabulary.from_counts(counts, min_count=min_count, num_words=num_words, unseen_words="oov")
    pipeline = TextPipeline(tokenizer=tokenizer, vocabulary=vocabulary, maxlen=maxlen)
    ids = RaggedIds.from_lists(map(vocabulary.encode, tokenizer.map(texts())))
    return Pretrained(pipeline, vectors_of(ids, pipeline, embedding_dim=embedding_dim, window=window, seed=seed))


def vectors_of(
    ids: RaggedIds, pipeline: TextPipeline, *, embedding_dim: int = DIMENSION, window: int = WINDOW, seed: int = 0
) -> torch.Tensor:
    """Compute the vectors of encoded texts, (num_ids, embedding_dim); marks, such as the unknown word, get zeros.

    Args:
        ids: the texts.
        pipeline: encoded them.
        embedding_dim: numbers in a vector.
        window: how many words apart two words still occur together.
        seed: of the factorization's random start.
    """
    return pmi_vectors(
        ids.values,
        ids.offsets,
        num_embeddings=pipeline.num_ids,
        embedding_dim=embedding_dim,
        first_word=pipeline.vocabulary.index_from + 1,
        window=window,
        seed=seed,
    )
