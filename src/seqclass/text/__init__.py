"""From a text to ids and back: tokenizer, vocabulary, padding, the pipeline of the three; and word vectors for it."""

from seqclass.text.affixes import affix_table
from seqclass.text.base_tokenizer import BaseTokenizer
from seqclass.text.keras_tokenizer import KerasTokenizer
from seqclass.text.numbered import NumberedTexts
from seqclass.text.padding import Side, pad_sequences
from seqclass.text.piece_ids import PieceIds
from seqclass.text.pieces import in_chunks
from seqclass.text.pipeline import TextPipeline
from seqclass.text.ragged import RaggedIds
from seqclass.text.subwords import subword_table
from seqclass.text.tokenizer import (
    KERAS_FILTERS,
    OTHER_WHITE_SPACE,
    SPACE_MARK,
    Lower,
    StripHtml,
    Tokenizer,
    TokenizerKind,
)
from seqclass.text.torchtext_tokenizer import TorchtextTokenizer, TorchtextTokenizerName
from seqclass.text.vocabulary import OOV_MARK, START_MARK, UnseenWords, Vocabulary
from seqclass.text.word_vectors import WordVectors, read_word_vectors

__all__ = [
    "KERAS_FILTERS",
    "OOV_MARK",
    "OTHER_WHITE_SPACE",
    "SPACE_MARK",
    "START_MARK",
    "BaseTokenizer",
    "KerasTokenizer",
    "Lower",
    "NumberedTexts",
    "PieceIds",
    "RaggedIds",
    "Side",
    "StripHtml",
    "TextPipeline",
    "Tokenizer",
    "TokenizerKind",
    "TorchtextTokenizer",
    "TorchtextTokenizerName",
    "UnseenWords",
    "Vocabulary",
    "WordVectors",
    "affix_table",
    "in_chunks",
    "pad_sequences",
    "read_word_vectors",
    "subword_table",
]
