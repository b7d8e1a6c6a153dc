"""Word vectors and a vocabulary from texts without labels, in one file for training to start from; no Lightning."""

from seqclass.data.sources.corpus import corpus_texts
from seqclass.pretraining.pretrained import Pretrained
from seqclass.pretraining.word_vectors import pretrain

__all__ = ["Pretrained", "corpus_texts", "pretrain"]
