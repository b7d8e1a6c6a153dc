"""The benchmarks are run from the repository root and are no part of the package: put the root on the path."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.protocol import Session  # noqa: E402  (needs the path above)


@pytest.fixture
def tiny_worker():
    """A session with the tiny worker of `tiny_worker.py`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Session([sys.executable, str(Path(__file__).with_name("tiny_worker.py"))], environment) as session:
        yield session
