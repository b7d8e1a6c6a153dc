import os
from pathlib import Path

import pytest

from seqclass.data import ImdbSource


@pytest.fixture(scope="session")
def imdb_texts():
    """The real reviews by part."""
    path = os.environ.get("SEQCLASS_IMDB")
    if not path:
        pytest.skip("lacks the IMDB reviews: set SEQCLASS_IMDB to the archive or the folder")
    return ImdbSource(path).read()


@pytest.fixture(scope="session")
def keras_word_index():
    """Keras' own index file, which lies beside the archive."""
    path = Path(os.environ.get("SEQCLASS_IMDB") or "nowhere").with_name("imdb_word_index.json")
    if not path.exists():
        pytest.skip("lacks Keras' imdb_word_index.json beside what SEQCLASS_IMDB names")
    return path
