"""The Large Movie Review Dataset (Maas et al. 2011): 50,000 labelled film reviews."""

import gzip
import hashlib
import os
import re
import sys
import tarfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from seqclass.data.sources.download import download
from seqclass.data.sources.source import MissingDataError, Source, SourceText
from seqclass.errors import InputError
from seqclass.locations import cache_root

ARCHIVE = "aclImdb_v1.tar.gz"
URL = f"https://ai.stanford.edu/~amaas/data/sentiment/{ARCHIVE}"
MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
VARIABLE = "SEQCLASS_IMDB"

PARTS = ("train", "test")
LABEL_NAMES = ("neg", "pos")
REVIEWS_OF_A_CLASS = 12_500
"""In each part of the whole data set."""

# macOS adds names that begin with a dot to archives; they are not reviews.
_REVIEW = re.compile(r"(?:^|/)(train|test)/(neg|pos)/([^/.][^/]*\.txt)$")
_MAX_BYTES = 1 << 20
"""No review comes near it (the longest has 14 KB)."""

_Place = tuple[str, str, str]
"""Part, class and file name: the order of the reviews."""


def find_imdb(
    path: str | Path | None = None, *, cache_dir: str | Path | None = None, allow_download: bool = True
) -> "ImdbSource":
    """Find the reviews in the first of four places, or download them.

    1. `path`; 2. what the environment variable SEQCLASS_IMDB names; 3. the archive in the cache; 4. the
    download of the official archive (84 MB) into the cache. A path from one of the first two has to exist; there
    is no falling back to the next place.

    Args:
        path: the archive or the folder.
        cache_dir: see `cache_root`.
        allow_download: whether the fourth place may be used.

    Raises:
        MissingDataError: the reviews are in none of the places.
        InputError: `path` or SEQCLASS_IMDB names something that does not exist.
    """
    if path is not None:
        return ImdbSource(path, origin="path")
    if os.environ.get(VARIABLE):
        return ImdbSource(os.environ[VARIABLE], origin=VARIABLE)
    archive = cache_root(cache_dir) / ARCHIVE
    if not archive.exists():
        if not allow_download:
            raise MissingDataError(_ways_out(archive, "download is off"))
        try:
            download(URL, archive, md5=MD5)
        except InputError as error:
            raise MissingDataError(_ways_out(archive, str(error))) from error
    return ImdbSource(archive, origin="the cache")


class ImdbSource(Source):
    """The labelled reviews in an archive or a folder.

    The archive is read as a stream and never extracted: whatever its members are called, nothing is written.
    Members other than regular files with names such as `aclImdb/train/pos/0_9.txt` are skipped, among
    them the unlabelled reviews in `train/unsup`.

    Args:
        path: a `.tar.gz` in the layout of the official archive; or the folder `aclImdb`, or the one it is in.
        origin: where the path was set, for messages.

    Raises:
        InputError: there is nothing at `path`.
    """

    name = "imdb"
    label_names = LABEL_NAMES

    def __init__(self, path: str | Path, *, origin: str = "path") -> None:
        self.path = Path(path).expanduser()
        self.origin = origin
        self._told = False
        if not self.path.exists():
            raise InputError(
                f"the IMDB reviews are not at {self.path} (from {origin}): there has to be {ARCHIVE} or the "
                "folder aclImdb"
            )

    def fingerprint(self) -> str:
        """Return a hash of the archive's bytes, or of the folder's file names, sizes and times of change."""
        digest = hashlib.sha256()
        with self._readable():
            if self.path.is_dir():
                files = [(place, file.stat()) for place, file in self._files()]
                # Here too: encoded once, the folder is not read again, but it is still not the whole data set.
                self._tell_what_is_missing(place for place, _ in files)
                for place, status in sorted(files):
                    digest.update(repr((place, status.st_size, status.st_mtime_ns)).encode())
            else:
                with self.path.open("rb") as archive:
                    while chunk := archive.read(1 << 20):
                        digest.update(chunk)
        return digest.hexdigest()

    def texts(self) -> Iterator[SourceText]:
        """Yield the reviews of "train", then of "test", in the order of class and file name.

        All are in memory then: an archive has them in any order. If they are fewer than the data set has, as in a
        folder that was extracted halfway, a warning on standard error says where they are missing.

        Raises:
            InputError: the archive is damaged or not one, a review is not UTF-8 or too large, or a class has
                no reviews.
        """
        with self._readable():
            reviews = dict(self._folder_reviews() if self.path.is_dir() else self._archive_reviews())
        self._check_classes(reviews)
        self._tell_what_is_missing(reviews)
        for part in PARTS:
            for place in sorted(place for place in reviews if place[0] == part):
                yield SourceText(part, "/".join(place), reviews[place], (place[1],))

    def _archive_reviews(self) -> Iterator[tuple[_Place, str]]:
        with gzip.open(self.path) as content, tarfile.open(fileobj=content, mode="r:") as archive:
            for member in archive:
                match = _REVIEW.search(member.name)
                if not match or not member.isreg() or ".." in member.name.split("/"):
                    continue
                self._check_size(member.name, member.size)
                file = archive.extractfile(member)
                assert file is not None  # only links and special files have none
                yield (match[1], match[2], match[3]), self._decoded(member.name, file.read())
            while content.read(1 << 20):  # up to the checksum, which comes last
                pass

    def _folder_reviews(self) -> Iterator[tuple[_Place, str]]:
        for place, file in self._files():
            self._check_size(file.path, file.stat().st_size)
            yield place, self._decoded(file.path, Path(file.path).read_bytes())

    def _files(self) -> Iterator[tuple[_Place, "os.DirEntry[str]"]]:
        """Return the files of the reviews in a folder, in no order."""
        root = self.path / "aclImdb" if (self.path / "aclImdb").is_dir() else self.path
        for part in PARTS:
            for label in LABEL_NAMES:
                folder = root / part / label
                if not folder.is_dir():
                    raise InputError(
                        f"{self.path} (from {self.origin}) does not hold the IMDB reviews: there is no folder {folder}"
                    )
                with os.scandir(folder) as files:  # 50,000 Path objects would take half a second
                    for file in files:
                        if _REVIEW.search(f"{part}/{label}/{file.name}"):
                            yield (part, label, file.name), file

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Turn the errors of reading into an InputError."""
        try:
            yield
        except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
            raise InputError(
                f"cannot read {self.path} (from {self.origin}): {error}; it has to be a complete {ARCHIVE}, as from "
                f"{URL}, or the folder aclImdb"
            ) from error

    def _check_size(self, name: str, size: int) -> None:
        if size > _MAX_BYTES:
            raise InputError(
                f"{name} in {self.path} (from {self.origin}) has {size:,} bytes; a review has at most {_MAX_BYTES:,}"
            )

    def _decoded(self, name: str, review: bytes) -> str:
        try:
            return review.decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError(f"{name} in {self.path} (from {self.origin}) is not UTF-8: {error}") from error

    def _tell_what_is_missing(self, reviews: Iterable[_Place]) -> None:
        """Compare the counts with those of the whole data set; say once what differs."""
        differ = {place: count for place, count in _counts(reviews).items() if count != REVIEWS_OF_A_CLASS}
        if differ and not self._told:
            self._told = True
            found = ", ".join(f"{place} has {count:,} reviews" for place, count in differ.items())
            print(
                f"Warning: {self.path} (from {self.origin}) is not the whole IMDB data set, which has "
                f"{REVIEWS_OF_A_CLASS:,} reviews of each class in each part: {found}. Was it extracted completely?",
                file=sys.stderr,
            )

    def _check_classes(self, reviews: Iterable[_Place]) -> None:
        counts = _counts(reviews)
        if not all(counts.values()):
            found = ", ".join(f"{count:,} in {place}" for place, count in counts.items())
            raise InputError(
                f"{self.path} (from {self.origin}) has to hold reviews of both classes in both parts; it holds {found}"
            )


def _counts(reviews: Iterable[_Place]) -> dict[str, int]:
    """How many reviews there are of each class in each part."""
    found = Counter(f"{part}/{label}" for part, label, _ in reviews)
    return {place: found[place] for place in (f"{part}/{label}" for part in PARTS for label in LABEL_NAMES)}


def _ways_out(archive: Path, reason: str) -> str:
    return (
        f"the IMDB reviews are not on this machine, and could not be downloaded: {reason}\n"
        "Do one of these:\n"
        f"  1. name {ARCHIVE}, or the folder aclImdb, with `path` or the environment variable "
        f"{VARIABLE};\n"
        f"  2. put the archive at {archive}, downloaded from {URL};\n"
        "  3. use the small built-in sample: `on_missing: sample`."
    )
