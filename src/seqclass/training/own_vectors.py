"""Word vectors for the embedding to begin with, made of the very texts that are trained on."""

from seqclass.data import EncodedDataModule
from seqclass.pretraining import Pretrained
from seqclass.pretraining.word_vectors import DIMENSION, vectors_of
from seqclass.text import RaggedIds
from seqclass.training.branches import MANY_IDS

SELF = "self"
"""The value of `pretrained` that makes vectors of the training texts."""
AUTO = "auto"
"""The same where it helps: see `own_vectors`."""
IDS_OF_A_TEXT = 10
"""With fewer in the mean, too few words occur together."""
MOST_IDS = 2**24
"""Of more ids a sample of the texts is taken, since memory and time grow with them."""


def own_vectors(pretrained: str | None, data: EncodedDataModule, *, embedding_dim: int | None) -> Pretrained | None:
    """Make the vectors, if they are asked for.

    Args:
        pretrained: "self" for vectors of all texts, those without labels too; "auto" for vectors of at most `MOST_IDS`
            ids, if there are more than `MANY_IDS` of them, `IDS_OF_A_TEXT` or more in a text, and more different ones
            than a vector has numbers; with fewer, vectors gain nothing (docs/accuracy.md). None and paths are not for
            this function.
        data: the DataModule, set up.
        embedding_dim: numbers in a vector; None for `DIMENSION`.

    Returns:
        None if no vectors are asked for, or "auto" finds that they would not help.

    Raises:
        InputError: "self", and more numbers in a vector than there are ids, or no two words side by side.
    """
    if pretrained not in (SELF, AUTO):
        return None
    ids, dimension = all_ids(data), DIMENSION if embedding_dim is None else embedding_dim
    if pretrained == AUTO:
        words = len(ids.values)
        if words <= max(MANY_IDS, IDS_OF_A_TEXT * len(ids)) or data.pipeline.num_ids <= dimension:
            return None
        ids = ids[:: -(-words // MOST_IDS)]
    return Pretrained(data.pipeline, vectors_of(ids, data.pipeline, embedding_dim=dimension))


def all_ids(data: EncodedDataModule) -> RaggedIds:
    """Return the texts that are trained on, and those without labels, each cut to `maxlen`."""
    ids, _ = data.training_ids()
    return ids if data.unlabelled is None else RaggedIds.concatenated([ids, data.pipeline.cut(data.unlabelled.ids)])
