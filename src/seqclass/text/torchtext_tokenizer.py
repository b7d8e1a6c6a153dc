"""torchtext's tokenizers by name."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from seqclass.checks import check_choice
from seqclass.text.base_tokenizer import BaseTokenizer, check_text
from seqclass.text.torchtext_library import import_torchtext, torchtext_calls

TorchtextTokenizerName = Literal["basic_english", "moses", "toktok"]


@dataclass(frozen=True, kw_only=True)
class TorchtextTokenizer(BaseTokenizer):
    """Splits a text into words as `torchtext.data.get_tokenizer(NAME)` does.

    Of torchtext's names, "spacy" is left out, since it loads code by a name that may come from another's checkpoint,
    and "revtok" and "subword", whose words hold spaces.

    Args:
        torchtext: "basic_english"; or "moses", which needs the package sacremoses; or "toktok", which needs nltk.

    Raises:
        InputError: if the name is none of these, or torchtext or what the tokenizer needs is not installed.
    """

    torchtext: TorchtextTokenizerName

    def __post_init__(self) -> None:
        check_choice("torchtext_tokenizer", self.torchtext, get_args(TorchtextTokenizerName))
        _ = self._split  # what is not installed is to be reported now

    def __call__(self, text: str) -> list[str]:
        """Return the words of `text` in order.

        Raises:
            InputError: if `text` is not a str.
        """
        check_text(text)
        return list(self._split(text))

    @cached_property
    def _split(self) -> Callable[[str], Iterable[str]]:
        data = import_torchtext("data")
        with torchtext_calls():
            split: Callable[[str], Iterable[str]] = data.get_tokenizer(self.torchtext)
        return split
