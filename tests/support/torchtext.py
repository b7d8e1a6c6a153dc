"""Where torchtext is installed and loads."""

import pytest

from seqclass.errors import InputError
from seqclass.text.torchtext_library import import_torchtext


def torchtext_loads():
    try:
        import_torchtext("vocab")
    except InputError:
        return False
    return True


needs_torchtext = pytest.mark.skipif(
    not torchtext_loads(), reason="lacks torchtext 0.18 beside PyTorch 2.3: make test-oldest installs them"
)
