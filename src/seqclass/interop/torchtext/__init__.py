"""Beside torchtext 0.18, the field's old companion: its IMDB reviews, and its vocabularies.

Nothing of torchtext is imported before it is asked for. It loads beside PyTorch 2.3 only; the extra `torchtext`
installs the pair. Its tokenizers are in `seqclass.text` (`TorchtextTokenizer`), since a checkpoint may need one.
"""

from seqclass.interop.torchtext.imdb import TorchtextIMDBDataModule, TorchtextImdbSource
from seqclass.interop.torchtext.vocabulary import from_torchtext, to_torchtext

__all__ = ["TorchtextIMDBDataModule", "TorchtextImdbSource", "from_torchtext", "to_torchtext"]
