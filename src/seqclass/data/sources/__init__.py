"""Where labelled texts come from."""

from seqclass.data.sources.imdb import ImdbSource, find_imdb
from seqclass.data.sources.own_texts import OwnTexts
from seqclass.data.sources.sample import SampleSource
from seqclass.data.sources.source import LabelledTexts, MissingDataError, Source

__all__ = ["ImdbSource", "LabelledTexts", "MissingDataError", "OwnTexts", "SampleSource", "Source", "find_imdb"]
