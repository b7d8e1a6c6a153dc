"""From a source of labelled texts to batches: sources, the cache of encoded texts, batches, DataModules."""

from seqclass.data.batches import Batch, Batches, EpochOrder, PaddedOnDemand
from seqclass.data.cache import cached_encoding, earlier_encoding
from seqclass.data.datamodule import EncodedDataModule
from seqclass.data.encoded import EncodedPart, EncodedTexts, Names
from seqclass.data.encoding import encode_source
from seqclass.data.imdb import IMDBDataModule
from seqclass.data.sources import (
    ImdbSource,
    MissingDataError,
    OwnTexts,
    SampleSource,
    Source,
    SourceText,
    find_imdb,
)
from seqclass.data.split import stratified_holdout
from seqclass.data.text_datamodule import OWN_FILTERS, TextDataModule
from seqclass.locations import cache_root

__all__ = [
    "OWN_FILTERS",
    "Batch",
    "Batches",
    "EncodedDataModule",
    "EncodedPart",
    "EncodedTexts",
    "EpochOrder",
    "IMDBDataModule",
    "ImdbSource",
    "MissingDataError",
    "Names",
    "OwnTexts",
    "PaddedOnDemand",
    "SampleSource",
    "Source",
    "SourceText",
    "TextDataModule",
    "cache_root",
    "cached_encoding",
    "earlier_encoding",
    "encode_source",
    "find_imdb",
    "stratified_holdout",
]
