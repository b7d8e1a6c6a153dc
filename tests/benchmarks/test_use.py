"""What a user waits for, here with few texts, and with waits that are made up."""

import csv
import json

import pytest

from benchmarks import __main__ as command_line
from benchmarks import results, use
from benchmarks.protocol import WorkerError
from benchmarks.report import tables
from benchmarks.results import Result
from benchmarks.workers.tfidf import TfidfWorker
from seqclass.classifier import TextClassifier

ROWS = [(f"some words of review {number}, and more", ("neg", "pos")[number % 2]) for number in range(60)]
MACHINE = {"device": "cpu", "name": "a machine", "threads": 1}


def read(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_each_task_has_its_texts(tmp_path):
    files = use.Files(tmp_path, ROWS, divisor=1000)
    assert [files.count(task) for task in use.TASKS] == [1, 25, 5, 100]
    assert [len(read(path)) - 1 for path in (files.one, files.file, files.short, files.many)] == [1, 25, 5, 100]
    assert read(files.file)[:2] == [["text", "label"], list(ROWS[0])]
    assert read(files.many)[61] == list(ROWS[0])  # they come again


def test_short_texts_are_the_beginnings(tmp_path):
    files = use.Files(tmp_path, [(" ".join(map(str, range(50))), "neg")], divisor=5000)
    assert read(files.short)[1][0] == " ".join(map(str, range(20)))


def test_made_up_reviews_are_the_same_for_a_seed_and_mixed(monkeypatch):
    monkeypatch.setattr(use.data, "REVIEWS", 50)
    rows = use.reviews("synthetic", 3)
    assert rows == use.reviews("synthetic", 3)
    assert {label for _, label in rows} == {"neg", "pos"}
    assert all(len(text.split()) >= 10 for text, _ in rows)


def result_of(waits, launches=3):
    result = Result(question="use", machine=MACHINE, data={"source": "imdb"})
    use._measure(result, "file", waits, launches, 25)
    return result


def test_a_row_has_the_median_of_its_launches_and_what_the_last_said(monkeypatch):
    monkeypatch.setattr("benchmarks.timer.SETTLE_SECONDS", 0)
    seconds = iter([3.0, 1.0, 2.0])
    wait = use.Wait("seqclass", "lstm", lambda: (next(seconds), {"shares": {"read": 0.25, "network": 1.0}}))
    result = result_of([wait])
    (row,) = result.rows
    assert (row["seconds"], row["quartiles"], row["samples"]) == (2.0, [1.5, 2.5], {"seconds": [3.0, 1.0, 2.0]})
    shown = tables([result], "use")
    assert "| seqclass, `lstm` | 2.00 (1.50–2.50) |" in shown
    assert "| seqclass, `lstm` | 0.25 | 1.00 |" in shown


def test_what_cannot_be_measured_is_a_failed_row(monkeypatch):
    monkeypatch.setattr("benchmarks.timer.SETTLE_SECONDS", 0)

    def fail():
        raise WorkerError("the peers' environment is missing")

    result = result_of([use.Wait("fasttext", "any", fail), use.Wait("tfidf", "any", lambda: (4.0, {}))])
    assert [row["status"] for row in result.rows] == ["failed", "ok"]
    assert "| fasttext | failed |" in tables([result], "use")
    assert "- failed: fasttext (any): the peers' environment is missing" in tables([result], "use")


def test_the_untrained_model_knows_the_words(tmp_path):
    classifier = TextClassifier.load(use.untrained("lstm", [text for text, _ in ROWS], tmp_path / "model.ckpt"))
    encoded = classifier.pipeline.encode_all([ROWS[0][0]])
    assert not classifier.pipeline.without_words(encoded).any()


def test_a_peer_saves_what_it_has_learnt(tmp_path):
    pytest.importorskip("sklearn", reason="lacks scikit-learn: pip install 'seqclass[evaluate]'")
    path = tmp_path / "texts.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *[("good film", "pos"), ("bad film", "neg")] * 3])
    TfidfWorker().learn(texts=str(path), model=str(tmp_path / "model"))
    TfidfWorker().classify(model=str(tmp_path / "model"), texts=str(path), out=str(tmp_path / "out"))
    assert (tmp_path / "out").read_text().split() == ["1", "0"] * 3


@pytest.mark.slow
def test_the_question(tmp_path, capsys):
    file = tmp_path / "result.json"
    options = ["--divisor", "500", "--quick", "--synthetic", "--threads", "1", "--device", "cpu"]
    tasks = ["--task", "one text", "--task", "file"]
    command_line.main(["use", *options, *tasks, "--implementation", "seqclass", "--json", str(file)])
    rows = results.read(file).rows
    assert [(row["settings"]["task"], row["settings"]["texts"], row["status"]) for row in rows] == [
        ("one text", 1, "ok"),
        ("file", 50, "ok"),
    ]
    assert list(rows[1]["shares"]) == ["load", "read", "tokenize", "encode", "network"]
    assert sum(rows[1]["shares"].values()) < rows[1]["seconds"]
    assert "| seqclass, `lstm` |" in capsys.readouterr().out
    assert json.loads(file.read_text())["question"] == "use"
