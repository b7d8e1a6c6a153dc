"""Anyone's own labelled texts."""

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args

from seqclass.data.sources.inputs import TextInput, TextsAndLabels, open_input
from seqclass.data.sources.rows import Reading, Row
from seqclass.data.sources.source import LabelledTexts, Source
from seqclass.data.split import check_fraction, label_array, stratified_holdout
from seqclass.errors import InputError
from seqclass.text.checks import check_choice

EmptyTexts = Literal["error", "keep", "skip"]

_VERSION = 3
"""Part of the fingerprint: raise it when the same files come to be read in another way."""
_TEST_SEED = 0


class OwnTexts(Source):
    """Labelled texts in files, folders or lists; see `read_table`, `read_parquet` and `read_class_folder`.

    The classes are the labels of the training texts, sorted by name. Without test texts of their own, a part of
    the training texts becomes the test part, and nothing else ever sees it. Which texts that are depends on the
    training file alone, not on the seed of a run, so that no later run trains on what an earlier one is tested on.

    Args:
        train: the training texts: path of a file of one of the forms, plain or with `.gz` behind, or of a folder; or a
            pair of lists, the texts and their labels.
        test: the test texts; None takes `test_fraction` of the training texts.
        val: the validation texts; None for none, the source then has no part "val".
        test_fraction: between 0 and 1, both excluded; taken from every class. Without effect if `test` is given.
        reading: columns, encoding and so on.
        empty_texts: what to do with texts of white space alone: "error", or "keep" or "skip" them with a warning.

    Attributes:
        name: that of the training file or folder.
        label_names: the classes; empty before `read`.
        inputs: what the parts are read from, by name.
        reading: as given.

    Raises:
        InputError: if an option has a wrong value, or there is nothing at a path, or nothing of a known form, or the
            same at two of them.
    """

    def __init__(
        self,
        train: str | Path | TextsAndLabels,
        *,
        test: str | Path | TextsAndLabels | None = None,
        val: str | Path | TextsAndLabels | None = None,
        test_fraction: float = 0.2,
        reading: Reading | None = None,
        empty_texts: EmptyTexts = "error",
    ) -> None:
        check_fraction("test_fraction", test_fraction)
        check_choice("empty_texts", empty_texts, get_args(EmptyTexts))
        self.reading = replace(reading or Reading(), keep_empty=empty_texts != "error")
        self._empty_texts = empty_texts
        given = {"train": train, "val": val, "test": test}
        self.inputs = {part: open_input(texts, part) for part, texts in given.items() if texts is not None}
        for one, other in combinations(self.inputs, 2):
            if self.inputs[one].is_same(self.inputs[other]):
                raise InputError(
                    f"{one} and {other} are the same texts, {self.inputs[one].path}: results would mean nothing"
                )
        self.name = self.inputs["train"].name
        self.label_names = ()
        self._test_fraction = None if test is not None else test_fraction

    def fingerprint(self) -> str:
        """Returns a hash of the options and of the files' bytes, or of a folder's file names, sizes and times."""
        settings = {
            "version": _VERSION,
            "test_fraction": self._test_fraction,
            "reading": asdict(self.reading),
            "empty_texts": self._empty_texts,
            "parts": {part: [texts.name, texts.fingerprint(self.reading)] for part, texts in self.inputs.items()},
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def read(self) -> dict[str, LabelledTexts]:
        """Returns the parts "train", "test", and "val" if it was given; texts are named by file and line, or file.

        Raises:
            InputError: if something in the files cannot be used, or a label of the other parts is no label of
                the training texts; the message names file and line.
        """
        training_rows = list(self.rows("train"))
        self.label_names = tuple(sorted({name for row in training_rows for name in self.names_of(row)}))
        if len(self.label_names) < 2:
            found = f"all have the label {self.label_names[0]!r}" if self.label_names else "there are none"
            raise InputError(f"{self.inputs['train'].path} has to hold texts of at least two classes; {found}")
        parts = {"train": self._labelled("train", training_rows)}
        parts |= {part: self._labelled(part, self.rows(part)) for part in self.inputs if part != "train"}
        if self._test_fraction is not None:
            parts["train"], parts["test"] = self._split(parts["train"], self._test_fraction)
        return parts

    def rows(self, part: str) -> Iterator[Row]:
        """Reads the rows of a part that was given, one by one; tells of empty texts at the end.

        Raises:
            InputError: as `read`, but for what concerns labels.
        """
        texts = self.inputs[part]
        empty, first = 0, ""
        for row in texts.rows(self.reading):
            if not row.text.strip():
                empty, first = empty + 1, first or row.where
                if self._empty_texts == "skip":
                    continue
            yield row
        if empty:
            done = "were left out" if self._empty_texts == "skip" else "are kept: a model sees nothing but padding"
            print(f"Warning: {empty:,} empty texts of {texts.path} {done}; the first is {first}", file=sys.stderr)

    def names_of(self, row: Row) -> list[str]:
        """The names of a row's labels: one, or with `label_separator` any number."""
        return self.reading.label_names(row.label)

    def _labelled(self, part: str, rows: Iterator[Row] | list[Row]) -> LabelledTexts:
        given: TextInput = self.inputs[part]
        label_by_name = {name: label for label, name in enumerate(self.label_names)}
        texts = LabelledTexts([], [], [])
        for row in rows:
            names = self.names_of(row)
            for name in names:
                if name not in label_by_name:
                    known = ", ".join(map(repr, self.label_names[:20]))
                    raise InputError(
                        f"{given.path}{row.where}: no training text has the label {name!r:.80}; the labels in "
                        f"{self.inputs['train'].path} are {known}{', ...' if len(self.label_names) > 20 else ''}"
                    )
            found = tuple(label_by_name[name] for name in names)
            texts.texts.append(row.text)
            texts.labels.append(found[0] if self.reading.label_separator is None else found)
            # File names need not be UTF-8, but the files that these names are written to are.
            texts.names.append(f"{given.name}{row.where}".encode("utf-8", "backslashreplace").decode("utf-8"))
        if not texts.texts:
            raise InputError(f"{given.path} ({part}) holds no texts")
        return texts

    def _split(self, texts: LabelledTexts, fraction: float) -> tuple[LabelledTexts, LabelledTexts]:
        stay, held = stratified_holdout(
            label_array(texts.labels, len(self.label_names)),
            fraction=fraction,
            seed=_TEST_SEED,
            option="test_fraction",
            names=texts.names,
            label_names=self.label_names,
        )
        return _chosen(texts, stay.tolist()), _chosen(texts, held.tolist())


def _chosen(texts: LabelledTexts, rows: list[int]) -> LabelledTexts:
    return LabelledTexts(
        [texts.texts[row] for row in rows],
        [texts.labels[row] for row in rows],
        [texts.names[row] for row in rows],
    )
