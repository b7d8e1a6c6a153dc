"""The IMDB reviews as a DataModule."""

import sys
from typing import Any, Literal, get_args

from lightning.pytorch.utilities import rank_zero_only

from seqclass.checks import check_choice
from seqclass.data.datamodule import EncodedDataModule
from seqclass.data.sources import MissingDataError, SampleSource, Source, find_imdb

OnMissing = Literal["error", "sample"]


class IMDBDataModule(EncodedDataModule):
    """The 50,000 labelled film reviews of Maas et al. (2011), encoded as Keras' `imdb.load_data` does.

    With the default options and Keras' own file as `word_index`, the ids are Keras' to the last one; without
    it they differ in the order of words that are equally frequent.

    Args:
        path: the archive `aclImdb_v1.tar.gz` or the folder `aclImdb`; None looks into SEQCLASS_IMDB, then
            into the cache, then downloads (see `find_imdb`).
        download: whether the archive may be downloaded.
        on_missing: what to do if the reviews are nowhere: "error", or "sample" to go on with the small
            built-in sample. Then a line on stderr says so, and `source_name` is "sample" instead of "imdb".
        **options: those of `EncodedDataModule`.

    Raises:
        InputError: if an option has a wrong value.
    """

    def __init__(
        self,
        *,
        path: str | None = None,
        download: bool = True,
        on_missing: OnMissing = "error",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        check_choice("on_missing", on_missing, get_args(OnMissing))
        self._path = path
        self._download = download
        self._on_missing = on_missing
        self._told = False

    def find_source(self, *, allow_download: bool) -> Source:
        """Return the reviews, or the sample if they are missing and that is allowed.

        Raises:
            MissingDataError: if the reviews are nowhere and `on_missing` is "error".
            InputError: if `path` or SEQCLASS_IMDB names something that is not there.
        """
        try:
            return find_imdb(self._path, cache_dir=self._cache_dir, allow_download=allow_download and self._download)
        except MissingDataError as error:
            if self._on_missing == "error":
                raise
            if not self._told:
                _tell(str(error))
                self._told = True
            return SampleSource()


@rank_zero_only
def _tell(reason: str) -> None:
    print(
        f"Going on with the small built-in sample: all results are the sample's, because {reason.splitlines()[0]}",
        file=sys.stderr,
    )
