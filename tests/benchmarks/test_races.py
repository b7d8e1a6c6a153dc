"""`epoch`, `accuracy`, `target` and `frontier` with fake workers: their calls, and what becomes of the answers."""

import argparse
import math
from contextlib import nullcontext

import numpy as np
import pytest

from benchmarks import accuracy, data, epoch, frontier, options, results, target, text_sets, timer
from benchmarks.options import Common
from benchmarks.protocol import WorkerError

REVIEWS = 10


class FakeWorker:
    """Its accuracy on the test reviews is what the script says, one value per evaluation."""

    def __init__(self, accuracies, *, fails_after=math.inf):
        self.accuracies, self.fails_after = iter(accuracies), fails_after
        self.calls = []

    def call(self, method, *, timeout=0, **parameters):
        self.calls.append((method, parameters))
        if len(self.calls) > self.fails_after:
            raise WorkerError("MemoryError: no more")
        if method == "build":
            return {"parameters": 1, "versions": {"fake": "1"}}
        if method == "memory":
            return {"peak_mib": 1.0}
        if method == "evaluate":
            return {"loss": 0.5, "accuracy": next(self.accuracies)}
        return {"loss": 0.6, "accuracy": 0.7} if method == "epoch" else None


@pytest.fixture
def ask(monkeypatch):
    """A function that answers a question with fake workers and gives the rows."""

    def prepared(folder, **wanted):
        return data.Prepared(folder, "imdb")

    def ask(question, workers, *extra):
        monkeypatch.setattr(data, "prepare_real", prepared)
        monkeypatch.setattr(timer.time, "sleep", lambda seconds: None)
        monkeypatch.setattr(Common, "start", lambda self, name: nullcontext(workers[name]))
        parser = argparse.ArgumentParser()
        options.add_arguments(parser)
        question.add_arguments(parser)
        chosen = [option for name in workers for option in ("--implementation", name)]
        fixed = ["--quick", "--device", "cpu", "--stack", "cnn_lstm", "--reviews", str(REVIEWS)]
        arguments = parser.parse_args([*fixed, *chosen, *extra])
        return question.run(arguments, options.parse(arguments)).rows

    return ask


def test_an_epoch_is_load_train_and_evaluate(ask):
    worker = FakeWorker([0.8])
    (row,) = ask(epoch, {"seqclass": worker})
    assert [method for method, _ in worker.calls] == ["build", "load", "epoch", "evaluate", "memory"]
    parts = row["parts"][0]
    assert row["seconds"] == pytest.approx(parts["load"] + parts["train"] + parts["evaluate"])
    assert (row["loss"], row["accuracy"], row["val_loss"], row["val_accuracy"]) == (0.6, 0.7, 0.5, 0.8)
    assert row["memory"] == {"peak_mib": 1.0}


def test_a_failed_epoch_is_a_failed_row(ask):
    rows = ask(epoch, {"keras-jax": FakeWorker([], fails_after=2), "seqclass": FakeWorker([0.8])})
    assert [(row["status"], row["reason"]) for row in rows] == [("failed", "MemoryError: no more"), ("ok", None)]


def test_accuracy_keeps_every_seed_and_epoch(ask):
    worker = FakeWorker([0.7, 0.8, 0.6, 0.9])
    (row,) = ask(accuracy, {"seqclass": worker}, "--seeds", "2", "--epochs", "2")
    curves = {run["seed"]: [each["val_accuracy"] for each in run["epochs"]] for run in row["samples"]["runs"]}
    assert curves == {7: [0.7, 0.8], 8: [0.6, 0.9]}
    assert [p["seed"] for method, p in worker.calls if method == "build"] == [7, 8]
    assert len({p["order"] for method, p in worker.calls if method == "epoch"}) == 4


def test_seeds_before_a_failure_are_kept(ask):
    (row,) = ask(accuracy, {"seqclass": FakeWorker([0.7], fails_after=4)}, "--seeds", "2", "--epochs", "1")
    assert row["status"] == "failed"
    assert [run["seed"] for run in row["samples"]["runs"]] == [7]


def test_a_race_ends_at_the_target_and_counts_seeds(ask):
    # Seed 7 is there after its second epoch, seed 8 never, seed 9 at once.
    worker = FakeWorker([0.80, 0.87, 0.5, 0.6, 0.9])
    (row,) = ask(target, {"seqclass": worker}, "--seeds", "3", "--epochs", "2")
    assert (row["reached"], row["seeds"]) == (2, 3)
    assert [[value for _, value in curve] for curve in row["samples"]["curves"]] == [[0.80, 0.87], [0.5, 0.6], [0.9]]
    # The median of three, one of which is infinite, is the slower of the two that arrive: which one, the clock decides.
    seed_7, _, seed_9 = (curve[-1][0] for curve in row["samples"]["curves"])
    assert row["seconds"] == max(seed_7, seed_9)


def test_a_race_that_most_seeds_lose_has_no_median(ask):
    (row,) = ask(target, {"seqclass": FakeWorker([0.5, 0.9, 0.5])}, "--seeds", "3", "--epochs", "1")
    assert (row["seconds"], row["reached"]) == (None, 1)


def test_the_frontier_has_every_seeds_whole_curve(ask):
    (row,) = ask(frontier, {"seqclass": FakeWorker([0.9, 0.8, 0.7, 0.95])}, "--seeds", "2", "--epochs", "2")
    curves, runs = row["samples"]["curves"], row["samples"]["runs"]
    assert [[value for _, value in curve] for curve in curves] == [[0.9, 0.8], [0.7, 0.95]]
    assert [(run["seed"], run["seconds"], run["acc"]) for run in runs] == [
        (7, curves[0][-1][0], 0.8),
        (8, curves[1][-1][0], 0.95),
    ]
    assert row["settings"]["target"] is None
    assert "reached" not in row


def test_in_a_race_a_text_classifier_is_trained_once(ask):
    (row,) = ask(frontier, {"tfidf": FakeWorker([0.9, 0.8, 0.7, 0.95])}, "--seeds", "2", "--epochs", "2")
    assert [run["acc"] for run in row["samples"]["runs"]] == [0.9, 0.8]
    assert row["settings"]["epochs"] == 1


def test_the_frontier_is_drawn_beside_its_result(ask, monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(frontier.plots, "draw", lambda found, folder: drawn.append((found, folder)) or {})
    ask(frontier, {"seqclass": FakeWorker([0.9])}, "--json", str(tmp_path / "result.json"), "--epochs", "1")
    (((result,), folder),) = drawn
    assert (result.question, folder) == ("frontier", tmp_path)
    assert results.read(tmp_path / "result.json").rows[0]["samples"]["runs"][0]["acc"] == 0.9


@pytest.fixture
def sets(tmp_path):
    """The options that name two data sets, of two and of three texts."""
    for name, texts in (("toys", 2), ("pets", 3)):
        for part in ("train", "test"):
            (tmp_path / f"{name}-{part}.csv").write_text("text,label\n" + "a,b\n" * texts)
    return [f"--data={tmp_path / name}-train.csv" for name in ("toys", "pets")]


def test_text_classifiers_are_measured_on_each_data_set(ask, sets):
    worker = FakeWorker([0.5, 0.6, 0.7, 0.8])
    rows = ask(accuracy, {"nbsvm": worker}, "--seeds", "2", *sets)
    assert [row["settings"] for row in rows] == [{"data": "toys", "texts": 2}, {"data": "pets", "texts": 3}]
    assert [[run["acc"] for run in row["samples"]["runs"]] for row in rows] == [[0.5, 0.6], [0.7, 0.8]]
    assert [sorted(run) for row in rows for run in row["samples"]["runs"]] == 4 * [["acc", "seconds", "seed"]]
    assert [p["stop"] for method, p in worker.calls if method == "epoch"] == [2, 2, 3, 3]


def test_on_data_sets_seeds_before_a_failure_are_kept(ask, sets):
    (row,) = ask(accuracy, {"nbsvm": FakeWorker([0.5], fails_after=5)}, "--seeds", "2", sets[0])
    assert (row["status"], row["reason"]) == ("failed", "MemoryError: no more")
    assert [run["acc"] for run in row["samples"]["runs"]] == [0.5]


def test_recipes_and_text_classifiers_alone_take_the_reviews(ask, monkeypatch):
    asked = []
    monkeypatch.setattr(
        text_sets, "run", lambda arguments, common: asked.append(arguments.data) or common.result("", {})
    )
    ask(accuracy, {"recipe:text": None, "tfidf": None})
    assert asked == [None]


def test_stacks_have_a_command_of_their_own(ask, sets):
    with pytest.raises(SystemExit, match="seqclass: stacks learn from IMDB's ids alone"):
        ask(accuracy, {"seqclass": FakeWorker([]), "tfidf": FakeWorker([])}, *sets)


def test_evaluations_can_come_within_an_epoch(ask):
    worker = FakeWorker([0.5, 0.6, 0.7])
    ask(target, {"seqclass": worker}, "--every", "4", "--epochs", "1")
    assert [(p["start"], p["stop"]) for method, p in worker.calls if method == "epoch"] == [(0, 4), (4, 8), (8, 10)]


def test_the_target_is_raced_with_the_notebooks_best_stack_by_default():
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    target.add_arguments(parser)
    assert options.parse(parser.parse_args(["--device", "cpu"])).stacks == ("cnn_lstm",)
    assert options.parse(parser.parse_args(["--device", "cpu", "--stack", "lstm"])).stacks == ("lstm",)


def test_orders_are_permutations_that_all_share(tmp_path):
    path = data.write_order(REVIEWS, seed=7, epoch=0, into=tmp_path)
    assert sorted(np.load(path)) == list(range(REVIEWS))
