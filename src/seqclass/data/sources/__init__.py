"""Where labelled texts come from."""

from seqclass.data.sources.imdb import ImdbSource, find_imdb
from seqclass.data.sources.inputs import TextsAndLabels
from seqclass.data.sources.own_texts import EmptyTexts, OwnTexts
from seqclass.data.sources.rows import Reading
from seqclass.data.sources.sample import SampleSource
from seqclass.data.sources.source import MissingDataError, Source, SourceText

__all__ = [
    "EmptyTexts",
    "ImdbSource",
    "MissingDataError",
    "OwnTexts",
    "Reading",
    "SampleSource",
    "Source",
    "SourceText",
    "TextsAndLabels",
    "find_imdb",
]
