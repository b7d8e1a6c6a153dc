"""Files of many rows, here of few."""

import csv
import json
import sys

import pytest

from benchmarks import __main__ as command_line
from benchmarks import results, scale


def read(path):
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [(row["text"], row["label"]) for row in csv.DictReader(file)]
    rows = map(json.loads, path.read_text().splitlines())
    return [(row["text"], row["label"]) for row in rows]


def test_rows_have_the_lengths_and_the_signal_that_they_should(tmp_path, monkeypatch):
    monkeypatch.setattr(scale, "PIECE", 700)
    for form in scale.FORMS:
        scale.write_rows(tmp_path / f"rows.{form}", 2_000, seed=7)
    rows = read(tmp_path / "rows.csv")
    assert rows == read(tmp_path / "rows.jsonl")
    assert len(rows) == 2_000
    counts = [len(text.split()) for text, _ in rows]
    assert (min(counts), max(counts)) == scale.LENGTHS
    right = 0
    for text, label in rows:
        (telling,) = (number for word in text.split() if (number := int(word[1:]) - scale.WORDS) >= 0)
        right += scale.LABELS[telling // scale.TELLING] == label
    assert right / len(rows) == pytest.approx(scale.TRUE_SHARE, abs=0.02)
    words = [word for text, _ in rows for word in text.split()]
    assert words.count("w0") > 5 * words.count("w9") > 0


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="lacks /proc")


def test_the_cost_of_a_command(tmp_path):
    cost = scale.run_command(["classify", "--help"], tmp_path, threads=1)
    assert 0 < cost.seconds < 60
    assert 0 < cost.cpu_seconds < 60
    assert 20 < cost.private_mib < cost.peak_mib
    held = b"x" * (300 << 20)  # by this process, not by that one
    assert scale.run_command(["--version"], tmp_path, threads=1).peak_mib < len(held) >> 20


def test_a_failure_says_what_was_printed(tmp_path):
    with pytest.raises(RuntimeError, match=r"inspect failed: .*there are no texts at lost\.csv"):
        scale.run_command(["inspect", "lost.csv"], tmp_path, threads=1)


@pytest.mark.slow
def test_the_question(tmp_path, capsys):
    file = tmp_path / "result.json"
    command_line.main(
        ["scale", "--rows", "3000", "--steps", "15", "--threads", "1", "--device", "cpu", "--json", str(file)]
    )
    (row,) = results.read(file).rows
    assert row["settings"] == {"rows": 3000, "form": "csv", "steps": 15, "batch_size": scale.BATCH_SIZE}
    assert row["encoded_mib"] > 0
    assert 0 < row["val_accuracy"] <= 1
    printed = capsys.readouterr().out
    assert "made-up texts" in printed
    for phase in ("inspect", "encode", "open", "train"):
        assert row[phase]["peak_mib"] > row[phase]["private_mib"] > 0
        assert f"3,000 rows, 0 MiB of CSV: {phase}" in printed
