import os
from pathlib import Path

import pytest
from support.sources import read

from seqclass.data import ImdbSource


@pytest.fixture(scope="session")
def imdb_texts(imdb_path):
    """The real reviews by part."""
    return read(ImdbSource(imdb_path))


@pytest.fixture(scope="session")
def keras_word_index():
    """Keras' own index file, which lies beside the archive."""
    path = Path(os.environ.get("SEQCLASS_IMDB") or "nowhere").with_name("imdb_word_index.json")
    if not path.exists():
        pytest.skip("lacks Keras' imdb_word_index.json beside what SEQCLASS_IMDB names")
    return path
