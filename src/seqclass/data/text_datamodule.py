"""Your own labelled texts as a DataModule."""

from typing import Any, Literal, get_args

from seqclass.checks import check_choice
from seqclass.data.datamodule import EncodedDataModule
from seqclass.data.sources import EmptyTexts, OwnTexts, Reading, TextsAndLabels
from seqclass.data.split import check_fraction
from seqclass.errors import InputError
from seqclass.text import KERAS_FILTERS, OTHER_WHITE_SPACE, Lower, StripHtml, UnseenWords

OWN_FILTERS = KERAS_FILTERS + OTHER_WHITE_SPACE + "“”„«»‹›…–—¿¡"
"""Keras' filters, and what texts from elsewhere have besides: all other white space, quotes, dashes."""


class TextDataModule(EncodedDataModule):
    """Your own labelled texts, with any number of classes.

    Texts come in `.csv` and `.tsv` files with a header, in `.jsonl` (or `.json`, `.ndjson`) files with one object per
    line or a single array of them, in `.parquet` files, each plain or with `.gz` appended; in a folder with one
    sub-folder of `.txt` files per class, in a folder saved by Hugging Face's `datasets`, or as a pair of lists. Several
    files, such as `part-*.csv`, are read one after the other. The classes are the labels of the training texts, sorted
    by name.

    Training, validation and test never share a row: the test part is `test`, or is held out of `train` first, the same
    texts for every seed; then the validation part is `val`, or is held out of the rest. A text that occurs twice in a
    file may end up in both.

    Five defaults differ from `IMDBDataModule`'s: `validation`, and four that follow Keras there. A word that
    no training text has becomes `oov_char`, as rare words do, where Keras leaves it out; all alphabets are
    lower-cased; `<br />` is a space and not the word "br"; and `filters` knows white space and punctuation beyond
    ASCII.

    Args:
        train: path of the training texts; or the texts and their labels, two lists.
        test: likewise, the test texts; None holds out `test_fraction` of the training texts.
        val: likewise, the validation texts; None follows `validation`.
        test_fraction: of each class; without effect if there is `test`.
        text_column: name of the column, or of the object's entry, that holds the text; a list joins several.
        label_column: likewise, the label; None for unlabelled texts, which can be inspected but not trained on.
        columns: names of all columns, for `.csv` and `.tsv` files without a header.
        delimiter: the character between the fields of `.csv` and `.tsv` files, such as `;`, or `\\t` for a tab;
            None for a comma or a tab, by the suffix.
        quotes: whether `"` quotes the fields of `.csv` and `.tsv` files; False takes it as any other character.
        pattern: names of the files in a class's folder; `*` takes all of them.
        encoding: of the files, by one of Python's names.
        label_separator: separates the labels of a text that may have several or none, as in "politics;sport". The
            model then decides on each label independently. None if each text has exactly one.
        empty_texts: what to do with texts of white space alone: "error", or "keep" or "skip" them with a warning.
        validation: the fraction of each class that is held out of the training texts; or "test" to validate on the
            test texts, whose figures are then no estimate for a model that was chosen by them. Without effect if
            there is `val`.
        unseen_words: see `EncodedDataModule` for this and the next two.
        lower: which letters are lower-cased.
        strip_html: replace HTML by spaces.
        **options: the other options of `EncodedDataModule`.

    Raises:
        InputError: if an option has a wrong value.
    """

    word_filters = OWN_FILTERS

    def __init__(
        self,
        *,
        train: str | TextsAndLabels,
        test: str | TextsAndLabels | None = None,
        val: str | TextsAndLabels | None = None,
        test_fraction: float = 0.2,
        text_column: list[str] | str = "text",
        label_column: str | None = "label",
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quotes: bool = True,
        pattern: str = "*.txt",
        encoding: str = "utf-8",
        label_separator: str | None = None,
        empty_texts: EmptyTexts = "error",
        validation: Literal["test"] | float = 0.1,
        unseen_words: UnseenWords = "oov",
        lower: Lower = "unicode",
        strip_html: StripHtml = "breaks",
        **options: Any,
    ) -> None:
        super().__init__(
            validation=validation, unseen_words=unseen_words, lower=lower, strip_html=strip_html, **options
        )
        check_fraction("test_fraction", test_fraction)
        check_choice("empty_texts", empty_texts, get_args(EmptyTexts))
        if val is not None:
            if validation == "test":
                raise InputError(f"there are two parts to validate on: val={val!r:.80} and validation='test'")
            self._validation = "val"
        self._train = train
        self._reading = Reading.from_options(
            text_column=text_column,
            label_column=label_column,
            columns=columns,
            delimiter=delimiter,
            quotes=quotes,
            pattern=pattern,
            encoding=encoding,
            label_separator=label_separator,
        )
        self._source_options: dict[str, Any] = {
            "test": test,
            "val": val,
            "test_fraction": test_fraction,
            "reading": self._reading,
            "empty_texts": empty_texts,
        }

    def find_source(self, *, allow_download: bool) -> OwnTexts:
        """Return the texts; there is nothing to download.

        Raises:
            InputError: if a path does not lead to texts.
        """
        return OwnTexts(self._train, **self._source_options)
