"""The user's own labelled texts."""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from seqclass.checks import check_choice
from seqclass.data.sources.inputs import TextsAndLabels, open_input
from seqclass.data.sources.rows import Reading, Row
from seqclass.data.sources.source import Source, SourceText
from seqclass.data.split import check_fraction, stratified_holdout
from seqclass.errors import InputError
from seqclass.messages import listed

EmptyTexts = Literal["error", "keep", "skip"]

_VERSION = 4
"""Part of the fingerprint: raise it when the same files are read differently."""
_TEST_SEED = 0


class OwnTexts(Source):
    """Labelled texts in files, folders or lists; see `seqclass.data.sources.inputs`.

    The classes are the labels of the training texts, sorted by name. Without separate test texts, some of the training
    texts are held out as the test part, and used for nothing else. Which texts these are depends on the training file
    alone, not on the seed of a run, so that no later run trains on what an earlier one was tested on.

    Args:
        train: the training texts: path of a file of one of the forms, plain or with `.gz` appended, of several such
            files (`big/part-*.csv`), or of a folder; or a pair of lists, the texts and their labels.
        test: the test texts; None holds out `test_fraction` of the training texts.
        val: the validation texts; without them the source has no part "val".
        test_fraction: between 0 and 1, exclusive; of every class. Ignored if `test` is given.
        reading: columns, encoding and so on.
        empty_texts: what to do with texts that are empty, null or only white space: "error", or "keep" or "skip" them
            with a warning.

    Attributes:
        name: that of the training file or folder.
        label_names: the classes; empty before the training texts are read.
        inputs: what the parts are read from, by name.
        reading: as given.

    Raises:
        InputError: an option has a wrong value, nothing is at a path or its form is unknown, or two paths lead to the
            same texts.
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
            if self.inputs[one].shares_texts(self.inputs[other]):
                raise InputError(
                    f"{one} and {other} are the same texts, {self.inputs[one].path}: the results would be meaningless"
                )
        self.name = self.inputs["train"].name
        self.label_names = ()
        self.multi_label = self.reading.label_separator is not None
        self._test_fraction = None if test is not None else test_fraction

    def fingerprint(self) -> str:
        """Return a hash of the options and of the files' bytes, or of a folder's file names, sizes and times."""
        settings = {
            "version": _VERSION,
            "test_fraction": self._test_fraction,
            "reading": asdict(self.reading),
            "empty_texts": self._empty_texts,
            "parts": {part: [texts.name, texts.fingerprint(self.reading)] for part, texts in self.inputs.items()},
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def texts(self) -> Iterator[SourceText]:
        """Yield the texts of "train", "val" if it was given, and "test"; they are named by file and line, or file.

        Raises:
            InputError: something in the files cannot be used, or a label of another part does not occur in the training
                texts; the message names file and line.
        """
        known: set[str] = set()
        for part in self.inputs:
            given, count = self.inputs[part], 0
            for row in self.rows(part):
                labels = tuple(self.names_of(row))
                if part == "train":
                    known.update(labels)
                elif not known.issuperset(labels):
                    raise self._unknown_label(part, row, labels)
                count += 1
                # File names need not be UTF-8, but the files they are written to are.
                name = f"{given.name}{row.where}".encode("utf-8", "backslashreplace").decode("utf-8")
                yield SourceText(part, name, row.text, labels)
            if part == "train":
                self.label_names = self._classes(known)
            if not count:
                raise InputError(f"{given.path} ({part}) holds no texts")

    def test_rows(self, labels: npt.NDArray[np.integer[Any]], names: Sequence[str]) -> npt.NDArray[np.int64]:
        """The same fraction of each class; none if there are test texts."""
        if self._test_fraction is None:
            return np.arange(0)
        _, held = stratified_holdout(
            labels,
            fraction=self._test_fraction,
            seed=_TEST_SEED,
            option="test_fraction",
            names=names,
            label_names=self.label_names,
        )
        return held

    def rows(self, part: str) -> Iterator[Row]:
        """Read the rows of a part that was given, one by one; warn about empty texts at the end.

        Raises:
            InputError: as `texts`, except for unknown labels.
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
            done = "were left out" if self._empty_texts == "skip" else "are kept: for a model they are all padding"
            print(f"Warning: {empty:,} empty texts of {texts.path} {done}; the first is {first}", file=sys.stderr)

    def names_of(self, row: Row) -> list[str]:
        """Return the names of a row's labels: one, or with `label_separator` any number."""
        return self.reading.label_names(row.label)

    def _classes(self, names: set[str]) -> tuple[str, ...]:
        if self.reading.label_column is None:
            raise InputError(
                f"{self.inputs['train'].path} is to be read without labels (label_column is null), and so cannot be "
                "trained or measured on; `seqclass classify CKPT --input FILE` labels such texts"
            )
        if len(names) < 2:
            found = f"all have the label {min(names)!r}" if names else "there are none"
            raise InputError(f"{self.inputs['train'].path} has to hold texts of at least two classes; {found}")
        return tuple(sorted(names))

    def _unknown_label(self, part: str, row: Row, labels: tuple[str, ...]) -> InputError:
        unknown = next(name for name in labels if name not in self.label_names)
        return InputError(
            f"{self.inputs[part].path}{row.where}: no training text has the label {unknown!r:.80}; the labels in "
            f"{self.inputs['train'].path} are {listed(self.label_names)}"
        )
