"""From a source of labelled texts to batches: sources, the cache of encoded texts, batches, DataModules."""

from seqclass.data.batches import Batch, Batches, EpochOrder
from seqclass.data.cache import EncodedPart, EncodedTexts, cached_encoding, earlier_encoding
from seqclass.data.datamodule import EncodedDataModule
from seqclass.data.imdb import IMDBDataModule
from seqclass.data.sources import (
    ImdbSource,
    LabelledTexts,
    MissingDataError,
    OwnTexts,
    SampleSource,
    Source,
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
    "LabelledTexts",
    "MissingDataError",
    "OwnTexts",
    "SampleSource",
    "Source",
    "TextDataModule",
    "cache_root",
    "cached_encoding",
    "earlier_encoding",
    "find_imdb",
    "stratified_holdout",
]
