"""The IMDB reviews as `torchtext.datasets.IMDB` yields them."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seqclass.data import EncodedDataModule, MissingDataError, Source
from seqclass.data.sources.imdb import ARCHIVE, LABEL_NAMES, PARTS
from seqclass.data.sources.source import SourceText
from seqclass.errors import InputError
from seqclass.text.torchtext_library import import_torchtext, torchtext_calls


class TorchtextImdbSource(Source):
    """The labelled reviews of `torchtext.datasets.IMDB`, in its order: all of one class, then all of the other.

    Its labels are 1 and 2, in earlier releases "neg" and "pos": both are mapped by name. The reviews of each part are
    counted: where the classes alternate in an archive, torchtext unpacks them over each other and loses some.

    Args:
        root: the folder torchtext keeps its data in; None for its own choice, `~/.cache/torch/text`. The archive
            lies in `datasets/IMDB` below it.
        allow_download: whether torchtext may download the archive into it.

    Raises:
        MissingDataError: if the archive is not there and cannot be downloaded.
        InputError: if torchtext is not installed or does not load.
    """

    name = "imdb"
    label_names = LABEL_NAMES

    def __init__(self, root: str | Path | None = None, *, allow_download: bool = True) -> None:
        self._torchtext = import_torchtext("datasets.imdb")
        self._root = str(root or import_torchtext("utils")._CACHE_DIR)
        self._archive = Path(self._root) / "datasets" / "IMDB" / ARCHIVE
        if not self._archive.exists():
            if not allow_download:
                raise self._missing("download is off")
            try:
                self._yielded(PARTS[0])
            except InputError as error:
                raise self._missing(str(error)) from error

    def fingerprint(self) -> str:
        """Return a hash of the archive's bytes, from which all else is unpacked."""
        digest = hashlib.sha256(b"torchtext")
        with self._archive.open("rb") as archive:
            while chunk := archive.read(1 << 20):
                digest.update(chunk)
        return digest.hexdigest()

    def texts(self) -> Iterator[SourceText]:
        """Yield the reviews of "train", then of "test".

        Raises:
            InputError: if torchtext cannot read them, or yields an unknown label, or other numbers of reviews than it
                says.
        """
        name_by_label: dict[str | int, str] = {name: name for name in LABEL_NAMES}
        name_by_label |= {number: name for name, number in self._torchtext.MAP_LABELS.items()}
        for part in PARTS:
            reviews = self._yielded(part)
            unknown = [label for label, _ in reviews if label not in name_by_label]
            if unknown:
                raise InputError(
                    f"torchtext yields the label {unknown[0]!r} for a review of {part}; known are "
                    f"{', '.join(map(repr, name_by_label))}"
                )
            self._check_counts(part, [name_by_label[label] for label, _ in reviews])
            for number, (label, text) in enumerate(reviews):
                yield SourceText(part, f"{part}/{number}", text, (name_by_label[label],))

    def _yielded(self, part: str) -> list[tuple[str | int, str]]:
        try:
            with torchtext_calls():
                return list(self._torchtext.IMDB(root=self._root, split=part))
        except InputError:
            raise
        except Exception as error:  # whatever tarfile, torchdata and the file system raise, all of it means the same
            raise InputError(
                f"torchtext cannot read the reviews of {part} from {self._archive} ({type(error).__name__}: "
                f"{error!s:.200}); {self._anew}"
            ) from error

    def _check_counts(self, part: str, labels: list[str]) -> None:
        expected = self._torchtext.NUM_LINES[part]
        counts = {name: labels.count(name) for name in LABEL_NAMES}
        if sum(counts.values()) != expected or not all(counts.values()):
            found = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            raise InputError(
                f"torchtext yields {found} for {part} from {self._archive}; expected are {expected:,} reviews of both "
                f"classes; {self._anew}"
            )

    @property
    def _anew(self) -> str:
        return f"remove what is beside the archive in {self._archive.parent}, and torchtext unpacks it anew"

    def _missing(self, reason: str) -> MissingDataError:
        return MissingDataError(
            f"torchtext has no IMDB reviews, and could not download them: {reason:.500}\nPut the official {ARCHIVE} to "
            f"{self._archive}; or use IMDBDataModule, which needs no torchtext"
        )


class TorchtextIMDBDataModule(EncodedDataModule):
    """The IMDB reviews through torchtext. Encoded as by `IMDBDataModule`; only the order of the reviews differs.

    Args:
        root: see `TorchtextImdbSource`.
        download: whether torchtext may download the archive.
        **options: those of `EncodedDataModule`.

    Raises:
        InputError: if an option has a wrong value.
    """

    def __init__(self, *, root: str | None = None, download: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._root = root
        self._download = download

    def find_source(self, *, allow_download: bool) -> Source:
        """Return the reviews.

        Raises:
            MissingDataError: if they are not there and cannot be downloaded.
            InputError: if torchtext is not installed or does not load.
        """
        return TorchtextImdbSource(self._root, allow_download=allow_download and self._download)
