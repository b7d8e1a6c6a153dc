"""One labelled text of a file or folder, and how all forms of them are read."""

import codecs
import io
import json
import math
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from seqclass.errors import InputError
from seqclass.messages import listed

BYTE_ORDER_MARK = "\ufeff"
"""What some programs put at the start of UTF-8 files."""

MAX_TEXT_BYTES = 16 << 20
"""The longest text, and line: some two million words. Anything longer is not a text, or has an unclosed quote."""


class Row(NamedTuple):
    """One labelled text.

    Args:
        where: its place, to be appended to the path of the whole: ":17" for a line, "/pos/1.txt" for a file.
        text: unchanged.
        label: the name of its class; with several labels per text, their names, sorted, joined by the separator.
    """

    where: str
    text: str
    label: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How labelled texts are read.

    Args:
        text_columns: names of the columns, or of the entries of an object, that hold the text; several are joined
            by line feeds. `review.body` is the entry `body` of the entry `review`, unless an entry has that name.
        label_column: likewise, the label; None for texts without labels, whose rows have empty ones.
        columns: names of all columns of `.csv` and `.tsv` files without a header.
        delimiter: the character between the fields of `.csv` and `.tsv` files; None for that of the suffix.
        quotes: whether `"` quotes the fields of `.csv` and `.tsv` files.
        pattern: names of the files in the folders of the classes, such as `*.txt`; case is ignored.
        encoding: of the files, by one of Python's names. Parquet has its own.
        label_separator: separates the labels of a text that may have several, or none; None if each text has exactly
            one. With it, lists of strings are labels too, in formats that have lists.
        keep_empty: whether texts that are only white space are kept; otherwise they are errors.

    Raises:
        InputError: there is no text column, one is named twice or is not among `columns`, the pattern is empty or
            leads to other folders, or Python does not know the encoding.
    """

    text_columns: tuple[str, ...] = ("text",)
    label_column: str | None = "label"
    columns: tuple[str, ...] | None = None
    delimiter: str | None = None
    quotes: bool = True
    pattern: str = "*.txt"
    encoding: str = "utf-8"
    label_separator: str | None = None
    keep_empty: bool = False

    def __post_init__(self) -> None:
        if not self.text_columns:
            raise InputError("text_column is empty; name a column, or a list of columns to join")
        if self.label_separator is not None and not self.label_separator.strip(" "):
            raise InputError(f"label_separator is {self.label_separator!r}; it has to be more than spaces, or None")
        for name in self.wanted:
            if self.wanted.count(name) > 1:
                raise InputError(f"text_column and label_column name {name!r} twice; they have to be different columns")
            if self.columns is not None and self.columns.count(name) != 1:
                raise InputError(
                    f"columns has to name {name!r} once, where the text or the label is; it is {listed(self.columns)}"
                )
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InputError(
                f"delimiter is {self.delimiter!r}; it has to be a single character such as ';', no quote or line break"
            )
        if not self.pattern or "/" in self.pattern:
            raise InputError(f"pattern is {self.pattern!r}; it has to be one for the names of files, such as '*.txt'")
        try:
            known = codecs.lookup(self.encoding)
            # Refuses codecs such as "hex", which do not encode text.
            io.TextIOWrapper(io.BytesIO(), encoding=self.encoding)
        except (LookupError, ValueError) as error:
            raise InputError(
                f"encoding is {self.encoding!r}; allowed are the encodings of Python, such as utf-8, utf-16, cp1252"
            ) from error
        object.__setattr__(self, "encoding", known.name)

    @classmethod
    def from_options(
        cls,
        *,
        text_column: list[str] | str = "text",
        label_column: str | None = "label",
        columns: list[str] | None = None,
        delimiter: str | None = None,
        quotes: bool = True,
        pattern: str = "*.txt",
        encoding: str = "utf-8",
        label_separator: str | None = None,
    ) -> "Reading":
        """Make a reading of options as people give them; `seqclass.data.TextDataModule` describes each.

        Raises:
            InputError: as the class does.
        """
        return cls(
            text_columns=(text_column,) if isinstance(text_column, str) else tuple(text_column),
            label_column=label_column,
            columns=None if columns is None else tuple(columns),
            delimiter="\t" if delimiter == "\\t" else delimiter,
            quotes=quotes,
            pattern=pattern,
            encoding=encoding,
            label_separator=label_separator,
        )

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read."""
        return self.text_columns if self.label_column is None else (*self.text_columns, self.label_column)

    def row(self, path: Path, where: str, texts: list[str], label: str) -> Row:
        """Make a row; white space around the label is cut off.

        Raises:
            InputError: the text or the label is empty, or the label cannot be printed.
        """
        text, label = "\n".join(texts), label.strip()
        if not self.keep_empty and not text.strip():
            raise InputError(f"{path}{where}: the text is empty; set `empty_texts` to 'keep' or 'skip' to go on")
        if self.label_column is None:
            return Row(where, text, "")
        names = self.label_names(label)
        if not names and self.label_separator is None:
            raise InputError(f"{path}{where}: the label is empty")
        # They are going to be printed to terminals and written to CSV files.
        for name in names:
            if any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
                raise InputError(f"{path}{where}: the label {name!r:.80} holds control characters")
        return Row(where, text, (self.label_separator or "").join(names))

    def label_names(self, label: str) -> list[str]:
        """Return the names in a row's label: one, or with a separator any number, sorted, each once."""
        if self.label_separator is None:
            return [label] if label else []
        return sorted({name.strip() for name in label.split(self.label_separator)} - {""})

    def typed_row(self, path: Path, where: str, values: dict[str, Any]) -> Row:
        """Make a row of values that have types, by the names of their columns.

        Raises:
            InputError: a column is missing, a text is not a string, or the label is not a string, a whole number or a
                truth value; or as `row`.
        """
        found = {column: _entry(values, column, f"{path}{where}") for column in self.wanted}
        for column in self.text_columns:
            if _is_missing(found[column]):
                found[column] = ""
            if not isinstance(found[column], str):
                raise InputError(f"{path}{where}: {column!r} is {found[column]!r:.80}; a text has to be a string")
        given = "" if self.label_column is None else found[self.label_column]
        label = self._label(given, f"{path}{where}")
        return self.row(path, where, [found[column] for column in self.text_columns], label)

    def _label(self, given: Any, place: str) -> str:
        """Return a label with a type, or a list of them where there may be several, as a CSV file would hold it."""
        if self.label_separator is None or not isinstance(given, list):
            if (name := _label_name(given)) is not None:
                return name
        else:
            names = [name for label in given if (name := _label_name(label)) is not None]
            if any(self.label_separator in name for name in names):
                raise InputError(
                    f"{place}: a label of {given!r:.80} holds the label_separator {self.label_separator!r}; "
                    "choose another"
                )
            if len(names) == len(given):
                return self.label_separator.join(names)
        raise InputError(
            f"{place}: {self.label_column!r} is {given!r:.80}; a label has to be a string, a whole number, "
            "true or false"
        )


def _entry(values: dict[str, Any], name: str, place: str) -> Any:
    """Return the entry `name`; or, if there is none, the nested entry that the dots in the name lead to."""
    if name in values:
        return values[name]
    found: Any = values
    for step in name.split("."):
        if not isinstance(found, dict) or step not in found:
            raise InputError(f"{place}: there is no {name!r}; the entries are {listed(list(values))}")
        found = found[step]
    return found


def _label_name(label: Any) -> str | None:
    """Return the name that a label with a type has; None if it has none."""
    if isinstance(label, float) and label.is_integer():
        label = int(label)  # stars are often 5.0 in JSON, and columns with gaps in Parquet
    if isinstance(label, int):
        return json.dumps(label)  # true stays "true"
    return label if isinstance(label, str) else None


def _is_missing(value: Any) -> bool:
    """Return whether a value is missing: null, or pandas' NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))


class NotDecodableError(InputError):
    """The bytes of a file are not in the encoding that was named.

    Args:
        message: explains it.
        path: the file, or the folder that it is in.
    """

    def __init__(self, message: str, path: Path) -> None:
        super().__init__(message)
        self.path = path


def not_decodable(path: Path, where: str, encoding: str, why: UnicodeError | int) -> NotDecodableError:
    """Make the error for bytes in another encoding; `why` is Python's error, or the first invalid byte."""
    if isinstance(why, UnicodeDecodeError) and why.start < len(why.object):
        why = why.object[why.start]
    reason = f"byte 0x{why:02x}" if isinstance(why, int) else str(why)
    return NotDecodableError(
        f"{path}{where}: this is not {encoding.upper()} ({reason}); name the encoding with `encoding`, "
        "such as cp1252 or utf-16; `seqclass inspect` says which ones fit",
        path,
    )
