"""Rows in are rows counted, rows split and predictions out, whatever the form and however short the text."""

import csv
import gzip
import itertools
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seqclass.cli import main
from seqclass.data import OwnTexts, TextDataModule
from seqclass.data.inspection import inspect_texts
from seqclass.data.sources import Reading
from seqclass.text import Tokenizer

# One word, no word, a word that is a number, twice the same, lines, quotes, separators, white space at the ends.
ODD = ["superb", "?!", "7", "dull", "dull", "a\nb\n\nc", 'say "so"', "a,b;c\td|e", " \u3000é ", "[1, 2]", "NaN", "null"]
# Sorted by class, as many files are.
ROWS = [(text, label) for label in ("neg", "pos") for text in [*ODD, *(f"word{n}" for n in range(8))]]


def write_csv(path, delimiter):
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("text", "label"), *ROWS])
    return path


def objects():
    return [{"text": text, "label": label} for text, label in ROWS]


def columns():
    texts, labels = zip(*ROWS, strict=True)
    return pa.table({"text": texts, "label": labels})


def compressed(folder):
    content = write_csv(folder / "plain.csv", ",").read_bytes()
    (folder / "a.csv.gz").write_bytes(gzip.compress(content))
    return folder / "a.csv.gz"


def lines(folder):
    (folder / "a.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in objects()))
    return folder / "a.jsonl"


def array(folder):
    (folder / "a.json").write_text(json.dumps(objects()))
    return folder / "a.json"


def parquet(folder):
    pq.write_table(columns(), folder / "a.parquet")
    return folder / "a.parquet"


def shards(folder):
    for number, rows in enumerate((ROWS[:15], ROWS[15:])):
        with (folder / f"part-{number}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    return folder / "part-*.csv"


def classes(folder):
    for number, (text, label) in enumerate(ROWS):
        path = folder / "classes" / label / f"{number:03}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "classes"


def saved_dataset(folder):
    path = folder / "dataset"
    path.mkdir()
    table = columns()
    with pa.OSFile(str(path / "data.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as stream:
        stream.write_table(table, max_chunksize=7)
    (path / "state.json").write_text('{"_data_files": [{"filename": "data.arrow"}]}')
    (path / "dataset_info.json").write_text('{"features": {"label": {"dtype": "string", "_type": "Value"}}}')
    return path


FORMS = {
    "csv": (lambda folder: write_csv(folder / "a.csv", ","), None),
    "semicolons": (lambda folder: write_csv(folder / "a.csv", ";"), ";"),
    "tsv": (lambda folder: write_csv(folder / "a.tsv", "\t"), None),
    "compressed": (compressed, None),
    "lines": (lines, None),
    "array": (array, None),
    "parquet": (parquet, None),
    "shards": (shards, None),
    "classes": (classes, None),
    "saved dataset": (saved_dataset, None),
}


@pytest.fixture(params=FORMS)
def given(request, tmp_path, monkeypatch):
    """A path, and the delimiter to read it with."""
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    write, delimiter = FORMS[request.param]
    folder = tmp_path / "texts"
    folder.mkdir()
    return str(write(folder)), delimiter


@pytest.mark.filterwarnings("ignore:.* no word that the model knows")
def test_none_is_lost(given, checkpoint, tmp_path):
    path, delimiter = given
    source = OwnTexts(path, reading=Reading(delimiter=delimiter))
    assert inspect_texts(source, Tokenizer()).parts["train"].texts == len(ROWS)
    assert [(row.text, row.label) for row in source.rows("train")] == ROWS

    data = TextDataModule(train=path, delimiter=delimiter, test_fraction=0.25, validation=0.2, seed=1, maxlen=5)
    data.setup()
    loaders = data.train_dataloader(), data.val_dataloader(), data.test_dataloader()
    names = [name for loader in loaders for name in loader.names]
    assert len(names) == len(set(names)) == data.train_size + data.val_size + data.test_size == len(ROWS)

    out = tmp_path / "out.csv"
    options = [] if delimiter is None else ["--delimiter", delimiter]
    assert main(["classify", str(checkpoint), "--input", path, "--out", str(out), *options]) == 0
    with out.open(newline="", encoding="utf-8") as file:
        assert [row["text"] for row in csv.DictReader(file)] == [text for text, _ in ROWS]


def test_rows_sorted_by_class_are_mixed_before_any_is_held_out():
    """A tail that is cut off would be of one class; and so would the batches be."""
    texts = [f"text {number}" for number in range(200)]
    data = TextDataModule(
        train=(texts, ["neg"] * 150 + ["pos"] * 50), test_fraction=0.2, validation=0.25, seed=3, batch_size=40
    )
    data.setup()
    train, val, test = data.train_dataloader(), data.val_dataloader(), data.test_dataloader()
    counts = [np.bincount(loader.labels, minlength=2).tolist() for loader in (train, val, test)]
    assert counts == [[90, 30], [30, 10], [30, 10]]
    for loader in (val, test):
        places = sorted(int(name.removeprefix("train[").removesuffix("]")) for name in loader.names)
        gaps = [after - before for before, after in itertools.pairwise(places)]
        assert gaps.count(1) < 20, "drawn from the whole file"
    assert all(set(batch[1].tolist()) == {0, 1} for batch in train), "each batch has both classes"
