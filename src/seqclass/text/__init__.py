"""From a text to ids and back: tokenizer, vocabulary, padding, and the pipeline of the three."""

from seqclass.text.base_tokenizer import BaseTokenizer
from seqclass.text.padding import Side, pad_sequences
from seqclass.text.pipeline import TextPipeline
from seqclass.text.ragged import RaggedIds
from seqclass.text.tokenizer import KERAS_FILTERS, Lower, Tokenizer
from seqclass.text.torchtext_tokenizer import TorchtextTokenizer, TorchtextTokenizerName
from seqclass.text.vocabulary import OOV_MARK, START_MARK, UnseenWords, Vocabulary

__all__ = [
    "KERAS_FILTERS",
    "OOV_MARK",
    "START_MARK",
    "BaseTokenizer",
    "Lower",
    "RaggedIds",
    "Side",
    "TextPipeline",
    "Tokenizer",
    "TorchtextTokenizer",
    "TorchtextTokenizerName",
    "UnseenWords",
    "Vocabulary",
    "pad_sequences",
]
