import csv
import json
from pathlib import Path

import numpy as np
import pytest

from seqclass.evaluation.predictions_file import prediction_columns, predictions_file

NAMES = ("bad", "good")
CHOSEN = [("good",), (), ("bad", "good")]
ROWS = [[0.25, 0.75], [0.1234567, 0.4], [0.5, 1.0]]


def test_columns_of_predictions():
    assert prediction_columns(NAMES, CHOSEN, ROWS) == {
        "predicted": ["good", "", "bad, good"],
        "probability": [0.75, 0.4, 1.0],
        "p(bad)": [0.25, 0.123457, 0.5],
        "p(good)": [0.75, 0.4, 1.0],
    }
    assert prediction_columns(NAMES, CHOSEN, np.array(ROWS)) == prediction_columns(NAMES, CHOSEN, ROWS)


def read(path):
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        return rows[0], rows[1:]
    if path.suffix == ".jsonl":
        objects = list(map(json.loads, path.read_text(encoding="utf-8").splitlines()))
        return list(objects[0]) if objects else None, [list(map(str, entry.values())) for entry in objects]
    table = pytest.importorskip("pyarrow.parquet").read_table(path)
    return table.column_names, [list(map(str, row.values())) for row in table.to_pylist()]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_files(tmp_path, ending):
    path = tmp_path / f"out.{ending}"
    with predictions_file(path) as write:
        for part in (slice(2), slice(2, 3)):
            write({"text": ["a\nb", '"', "c"][part], **prediction_columns(NAMES, CHOSEN[part], ROWS[part])})
    names, rows = read(path)
    assert names == ["text", "predicted", "probability", "p(bad)", "p(good)"]
    assert [row[:3] for row in rows] == [["a\nb", "good", "0.75"], ['"', "", "0.4"], ["c", "bad, good", "1.0"]]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_without_rows_the_columns_are_there(tmp_path, ending):
    path = Path(tmp_path / f"out.{ending}")
    with predictions_file(path) as write:
        write({"text": [], **prediction_columns(NAMES, [], [])})
    names, rows = read(path)
    assert rows == []
    assert names in (["text", "predicted", "probability", "p(bad)", "p(good)"], None)
