"""From a source of labelled texts to batches: sources, the cache of encoded texts, batches, DataModules.

The DataModules, which need Lightning, are imported when they are asked for: a trained model is used without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from seqclass.data.batches import Batch, Batches, EpochOrder, PaddedOnDemand
from seqclass.data.cache import cached_encoding, earlier_encoding
from seqclass.data.encoded import EncodedPart, EncodedTexts, Names
from seqclass.data.encoding import encode_source
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
from seqclass.locations import cache_root

if TYPE_CHECKING:
    from seqclass.data.datamodule import EncodedDataModule
    from seqclass.data.imdb import IMDBDataModule
    from seqclass.data.text_datamodule import OWN_FILTERS, TextDataModule

_NEED_LIGHTNING = {
    "EncodedDataModule": "datamodule",
    "IMDBDataModule": "imdb",
    "OWN_FILTERS": "text_datamodule",
    "TextDataModule": "text_datamodule",
}

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


def __getattr__(name: str) -> Any:
    if name not in _NEED_LIGHTNING:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"seqclass.data.{_NEED_LIGHTNING[name]}"), name)
