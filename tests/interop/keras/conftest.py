"""The models that the real Keras wrote, unpacked once."""

import pytest
from support.keras_models import extract


@pytest.fixture(scope="session")
def keras_models(tmp_path_factory):
    """Models by archive and name."""
    return {archive: extract(archive, tmp_path_factory.mktemp(archive)) for archive in ("keras3", "tf_keras2")}
