"""A real peer: Keras in the peers' environment is the model that it should be, and is timed."""

import json

import pytest

from benchmarks import implementations, step
from benchmarks.__main__ import main
from benchmarks.settings import Settings

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(
        not (implementations.PEERS_ENVIRONMENT / "bin" / "python").exists(),
        reason="the peers' environment is missing: python -m benchmarks peers makes it",
    ),
]


def test_keras_is_checked_and_timed(monkeypatch, tmp_path):
    small = Settings(batch_size=4, length=12, num_embeddings=50, embedding_dim=4, hidden_size=5)
    monkeypatch.setattr(step, "Settings", lambda **given: small)
    monkeypatch.setattr(step.data, "REVIEWS", 100)
    path = tmp_path / "step.json"
    chosen = ["--stack", "cnn_lstm", "--implementation", "keras-tensorflow", "--device", "cpu"]
    main(["step", "--synthetic", "--rounds", "1", "--steps", "2", *chosen, "--json", str(path)])
    (row,) = json.loads(path.read_text())["rows"]
    assert row["reason"] is None
    assert row["versions"]["keras"].startswith("3.")
    assert row["largest_difference"] < 1e-6
    assert row["train_ms"] > 0
    assert row["eval_ms"] > 0
