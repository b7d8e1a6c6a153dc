"""Anyone's own labelled texts."""

import hashlib
import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from seqclass.data.sources.class_folder import class_files, read_class_folder
from seqclass.data.sources.rows import Row, readable
from seqclass.data.sources.source import LabelledTexts, Source
from seqclass.data.sources.tables import DELIMITERS, JSON_LINES, read_table
from seqclass.data.split import check_fraction, stratified_holdout
from seqclass.errors import InputError

_VERSION = 1
"""Part of the fingerprint: raise it when the same files come to be read in another way."""
_TEST_SEED = 0


class OwnTexts(Source):
    """Labelled texts in files or folders; see `read_table` and `read_class_folder` for the forms.

    The classes are the labels of the training texts, sorted by name. Without test texts of their own, a part of
    the training texts becomes the test part, and nothing else ever sees it. Which texts that are depends on the
    training file alone, not on the seed of a run, so that no later run trains on what an earlier one is tested on.

    Args:
        train: path of the training texts: a `.csv`, `.tsv` or `.jsonl` file, or a folder.
        test: path of the test texts; None takes `test_fraction` of the training texts.
        val: path of the validation texts; None for none, the source then has no part "val".
        test_fraction: between 0 and 1, both excluded; taken from every class. Without effect if `test` is given.
        text_column: name of the column with the texts.
        label_column: name of the column with the labels.
        quotes: whether `"` quotes the fields of `.csv` and `.tsv` files.

    Attributes:
        name: that of the training file or folder.
        label_names: the classes; empty before `read`.

    Raises:
        InputError: if there is nothing at a path, or nothing of a known form, or the same at two of them.
    """

    def __init__(
        self,
        train: str | Path,
        *,
        test: str | Path | None = None,
        val: str | Path | None = None,
        test_fraction: float = 0.2,
        text_column: str = "text",
        label_column: str = "label",
        quotes: bool = True,
    ) -> None:
        check_fraction("test_fraction", test_fraction)
        given = {"train": train, "val": val, "test": test}
        self.paths = {part: Path(path).expanduser() for part, path in given.items() if path is not None}
        for part, path in self.paths.items():
            _check_path(part, path)
        for one, other in combinations(self.paths, 2):
            if self.paths[one].samefile(self.paths[other]):
                raise InputError(f"{one} and {other} are the same texts, {self.paths[one]}: results would mean nothing")
        self.name = _name(self.paths["train"])
        self.label_names = ()
        self._test_fraction = None if test is not None else test_fraction
        self._columns: dict[str, Any] = {"text_column": text_column, "label_column": label_column, "quotes": quotes}

    def fingerprint(self) -> str:
        """Returns a hash of the options and of the files' bytes, or of a folder's file names, sizes and times."""
        settings = {
            "version": _VERSION,
            "test_fraction": self._test_fraction,
            "columns": self._columns,
            "parts": {part: [_name(path), _fingerprint(path)] for part, path in self.paths.items()},
        }
        return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()

    def read(self) -> dict[str, LabelledTexts]:
        """Returns the parts "train", "test", and "val" if it was given; texts are named by file and line, or file.

        Raises:
            InputError: if something in the files cannot be used, or a label of the other parts is no label of
                the training texts; the message names file and line.
        """
        training_rows = list(self._rows("train"))
        self.label_names = tuple(sorted({row.label for row in training_rows}))
        if len(self.label_names) < 2:
            found = f"all have the label {self.label_names[0]!r}" if training_rows else "there are none"
            raise InputError(f"{self.paths['train']} has to hold texts of at least two classes; {found}")
        parts = {"train": self._labelled("train", training_rows)}
        parts |= {part: self._labelled(part, self._rows(part)) for part in self.paths if part != "train"}
        if self._test_fraction is not None:
            parts["train"], parts["test"] = self._split(parts["train"], self._test_fraction)
        return parts

    def _rows(self, part: str) -> Iterator[Row]:
        path = self.paths[part]
        return read_class_folder(path) if path.is_dir() else read_table(path, **self._columns)

    def _labelled(self, part: str, rows: Iterator[Row] | list[Row]) -> LabelledTexts:
        path = self.paths[part]
        label_by_name = {name: label for label, name in enumerate(self.label_names)}
        texts = LabelledTexts([], [], [])
        for row in rows:
            label = label_by_name.get(row.label)
            if label is None:
                known = ", ".join(map(repr, self.label_names[:20]))
                raise InputError(
                    f"{path}{row.where}: no training text has the label {row.label!r:.80}; the labels in "
                    f"{self.paths['train']} are {known}{', ...' if len(self.label_names) > 20 else ''}"
                )
            texts.texts.append(row.text)
            texts.labels.append(label)
            # File names need not be UTF-8, but the files that these names are written to are.
            texts.names.append(f"{_name(path)}{row.where}".encode("utf-8", "backslashreplace").decode("utf-8"))
        if not texts.texts:
            raise InputError(f"{path} ({part}) holds no texts")
        return texts

    def _split(self, texts: LabelledTexts, fraction: float) -> tuple[LabelledTexts, LabelledTexts]:
        stay, held = stratified_holdout(
            np.array(texts.labels),
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


def _name(path: Path) -> str:
    return path.absolute().name  # "." has none of its own


def _check_path(part: str, path: Path) -> None:
    known = f"{', '.join(DELIMITERS)} and {JSON_LINES} files, and folders with one sub-folder of .txt files per class"
    with readable(path):
        if not path.exists():
            raise InputError(f"there are no texts at {path} ({part}); allowed are {known}")
        if path.is_dir():
            return
        if not path.is_file() or path.suffix.lower() not in (*DELIMITERS, JSON_LINES):
            raise InputError(f"cannot tell what {path} ({part}) is; allowed are {known}")


def _fingerprint(path: Path) -> Any:
    digest = hashlib.sha256()
    with readable(path):
        if path.is_dir():
            for label, name, file in class_files(path):
                status = file.stat()
                digest.update(repr((label, name, status.st_size, status.st_mtime_ns)).encode())
        else:
            with path.open("rb") as content:
                while chunk := content.read(1 << 20):
                    digest.update(chunk)
    return digest.hexdigest()
