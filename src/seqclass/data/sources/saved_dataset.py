"""Data sets that Hugging Face's `datasets` has saved to a local folder; they are read by pyarrow, without its code."""

import json
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from seqclass.compressed import readable
from seqclass.data.sources.arrow_rows import arrow_rows, check_columns, class_names_of, pyarrow_needed
from seqclass.data.sources.rows import Reading, Row
from seqclass.data.sources.text_input import TextInput, check_no_table_options, hash_of_files
from seqclass.errors import InputError
from seqclass.messages import listed

_STATE, _INFO, _SPLITS = "state.json", "dataset_info.json", "dataset_dict.json"
_SPLIT_OF_PART = {"train": "train", "val": "validation", "test": "test", "data": "test"}
_MAX_JSON_BYTES = 16 << 20


def is_saved_dataset(path: Path) -> bool:
    """Return whether `datasets` has written the folder: a single data set, or a dict of splits."""
    return (path / _SPLITS).is_file() or ((path / _STATE).is_file() and (path / _INFO).is_file())


class SavedDatasetInput(TextInput):
    """A folder as `Dataset.save_to_disk` writes it, or the split of a `DatasetDict` that belongs to a part.

    Rows are counted from 0, as `datasets` does. The numbers of a `ClassLabel` column become the names of the classes.

    Args:
        path: the folder.
        part: "train", "val" or "test", which of several splits is taken ("validation" for "val").

    Raises:
        InputError: the folder has no such split, or its description is not one that `datasets` writes.
    """

    def __init__(self, path: Path, part: str) -> None:
        with readable(path):
            if (path / _SPLITS).is_file():
                path = _split(path, part)
            self.path = path
            self.name = path.absolute().name
            self._files = _data_files(path)

    def rows(self, reading: Reading) -> Iterator[Row]:
        check_no_table_options(self.path, reading)
        with pyarrow_needed(self.path):
            from pyarrow import ArrowException
        with readable(self.path):
            features = _json(self.path / _INFO).get("features")
            try:
                names, fields = self._columns()
                check_columns(self.path, reading, names, fields)
                yield from arrow_rows(
                    self.path,
                    self._batches(),
                    reading,
                    names=names,
                    class_names=class_names_of(features, reading.label_column),
                    place=lambda number: f"[{number}]",
                )
            except InputError:
                raise
            except (ArrowException, ValueError, LookupError) as error:
                raise InputError(f"{self.path} holds no Arrow files of `datasets`, or is damaged: {error}") from error

    def fingerprint(self, reading: Reading) -> str:
        """Return a hash of the rows and of their description."""
        with readable(self.path):
            return hash_of_files([self.path / _INFO, *self._files])

    def given_paths(self) -> list[Path]:
        return [self.path]

    def _columns(self) -> tuple[list[str], list[str]]:
        """Return the names of the columns, and the dotted paths of the fields within them."""
        import pyarrow as pa

        with pa.memory_map(str(self._files[0])) as file, pa.ipc.open_stream(file) as stream:
            return list(stream.schema.names), [path for field in stream.schema for path in _fields(field)]

    def _batches(self) -> Iterator[Any]:
        import pyarrow as pa

        for path in self._files:
            with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
                for batch in stream:
                    batch.validate(full=True)  # offsets that lead out of the file would be followed
                    yield batch


def _split(path: Path, part: str) -> Path:
    """Return the folder of the split that belongs to a part."""
    splits = _json(path / _SPLITS).get("splits")
    wanted = _SPLIT_OF_PART.get(part, "")
    if not isinstance(splits, list) or wanted not in splits or not is_saved_dataset(path / wanted):
        known = listed(splits) if isinstance(splits, list) else "none"
        needed = f"{wanted!r} is not" if wanted else "none of them is"
        raise InputError(
            f"{path} is a data set of several splits ({known}), and {needed} the one for {part!r}; name the folder of "
            f"a split, such as {path / 'train'}"
        )
    return path / wanted


def _data_files(path: Path) -> list[Path]:
    state = _json(path / _STATE)
    try:
        names = [entry["filename"] for entry in state["_data_files"]]
        # A name that leads elsewhere would read files that were not given.
        usable = bool(names) and all(PurePosixPath(name).name == name != ".." for name in names)
    except (KeyError, TypeError):
        usable = False
    if not usable:
        raise InputError(f"{path / _STATE} does not name the data files as `datasets` does")
    if state.get("_indices_data_files"):
        raise InputError(
            f"{path} holds a selection of rows by their indices, which only old versions of `datasets` write; load it "
            "with `datasets` and save it again"
        )
    return [path / name for name in names]


def _json(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        content = file.read(_MAX_JSON_BYTES + 1)
    try:
        if len(content) > _MAX_JSON_BYTES:
            raise ValueError(f"it has more than {_MAX_JSON_BYTES:,} bytes")
        values = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"cannot read {path}: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} has to hold a JSON object, not {values!r:.80}")
    return values


def _fields(field: Any, prefix: str = "") -> Iterator[str]:
    """Return the dotted paths of a field and of all within it."""
    yield f"{prefix}{field.name}"
    if hasattr(field.type, "fields"):  # of a struct
        for inner in field.type.fields:
            yield from _fields(inner, f"{prefix}{field.name}.")
