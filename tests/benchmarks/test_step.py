"""`step` from end to end, with workers that are fakes or small, and its own arithmetic."""

import argparse
import json
from contextlib import nullcontext

import numpy as np
import pytest

from benchmarks import checks, options, results, step, timer
from benchmarks.options import Common
from benchmarks.protocol import WorkerError
from benchmarks.settings import Settings

SMALL = Settings(batch_size=4, length=12, num_embeddings=50, embedding_dim=4, hidden_size=5)


class FakeWorker:
    """Answers as a worker does: right parameters and predictions, and a constant time per step."""

    def __init__(self, milliseconds, *, fails_in=None, parameters=0):
        self.milliseconds, self.fails_in, self.extra = milliseconds, fails_in, parameters
        self.calls = []

    def call(self, method, **parameters):
        self.calls.append((method, parameters))
        if method == self.fails_in:
            raise WorkerError(f"RuntimeError: {method} broke")
        return getattr(self, method)(**parameters)

    def build(self, *, stack, sizes, **rest):
        return {"parameters": step.notebook.parameter_count(stack, **sizes) + self.extra, "versions": {"fake": "1"}}

    def check(self, *, weights, ids, probabilities):
        with np.load(weights) as arrays:
            np.save(probabilities, checks.predict(dict(arrays), np.load(ids)))

    def train_steps(self, *, ids, labels, start, count):
        return [100 * self.milliseconds] + [self.milliseconds] * (count - 1)  # the first finds cold caches

    def eval_steps(self, *, ids, labels, start, count):
        return [self.milliseconds / 4] * count

    def memory(self):
        return {"peak_mib": 100.0}


def measured(monkeypatch, workers, *, launches=1, rounds=2, steps=3, arguments=()):
    """The result of `step` with fake workers, by implementation."""
    monkeypatch.setattr(Common, "start", lambda self, name: nullcontext(workers[name]))
    monkeypatch.setattr(step, "Settings", lambda **given: SMALL)
    monkeypatch.setattr(step.data, "REVIEWS", 100)
    monkeypatch.setattr(timer.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(options.environment, "available_cpus", lambda: [0, 1])
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    step.add_arguments(parser)
    chosen = [option for name in workers for option in ("--implementation", name)]
    counts = ["--launches", str(launches), "--rounds", str(rounds), "--steps", str(steps)]
    parsed = parser.parse_args(["--synthetic", "--stack", "lstm", "--device", "cpu", *counts, *chosen, *arguments])
    result = step.run(parsed, options.parse(parsed))
    return result, {row["implementation"]: row for row in result.rows}


def test_rows_have_means_quartiles_samples_and_ratios(monkeypatch):
    workers = {"seqclass": FakeWorker(10.0), "keras-tensorflow": FakeWorker(25.0)}
    result, rows = measured(monkeypatch, workers)
    ours, theirs = rows["seqclass"], rows["keras-tensorflow"]
    assert result.data == {"source": "synthetic"}
    assert (ours["train_ms"], ours["eval_ms"]) == pytest.approx((10.0, 2.5))
    assert ours["samples"]["train_ms"] == [[10.0] * 3] * 2
    assert theirs["train_ratio"] == pytest.approx({"low": 2.5, "mean": 2.5, "high": 2.5})
    assert theirs["train_quartiles"] == [25.0, 25.0]
    assert theirs["memory"] == {"peak_mib": 100.0}
    assert theirs["largest_difference"] < 1e-12
    assert theirs["settings"]["hidden_size"] == 5


def test_everyone_gets_the_same_different_batches(monkeypatch):
    workers = {"seqclass": FakeWorker(10.0), "keras-tensorflow": FakeWorker(20.0)}
    measured(monkeypatch, workers)
    asked = [
        [(parameters["ids"], parameters["start"], parameters["count"]) for method, parameters in worker.calls
         if method == "train_steps"]
        for worker in workers.values()
    ]  # fmt: skip
    assert asked[0] == asked[1]
    # One batch more each time, before the turn's own, which is not timed.
    assert [call[1:] for call in asked[0]] == [(-1, 4), (-1, 4), (2, 4), (2, 4)]


def test_each_round_builds_the_model_anew_and_goes_on_with_the_batches(monkeypatch):
    worker = FakeWorker(10.0)
    _, rows = measured(monkeypatch, {"seqclass": worker}, launches=3, rounds=2, steps=1)
    calls = [method for method, _ in worker.calls]
    assert calls.count("build") == 6
    assert calls.count("check") == 3
    starts = [parameters["start"] for method, parameters in worker.calls if method == "train_steps"]
    # Each model warms up on its first batch.
    assert [start + 1 for start in starts] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert len(rows["seqclass"]["samples"]["train_ms"]) == 6
    assert rows["seqclass"]["launches"] == 3


def test_memory_is_that_of_a_process_with_one_model(monkeypatch):
    worker = FakeWorker(10.0)
    measured(monkeypatch, {"seqclass": worker}, rounds=3)
    calls = [method for method, _ in worker.calls]
    assert calls.count("memory") == 1
    assert calls[: calls.index("memory")].count("build") == 1


def test_who_cannot_build_again_drops_out_and_keeps_its_samples(monkeypatch):
    class BuildsOnce(FakeWorker):
        def build(self, **given):
            if [method for method, _ in self.calls].count("build") > 1:
                raise WorkerError("RuntimeError: only once")
            return super().build(**given)

    workers = {"seqclass": FakeWorker(10.0), "keras-jax": BuildsOnce(20.0)}
    _, rows = measured(monkeypatch, workers, launches=2)
    assert (rows["keras-jax"]["status"], rows["keras-jax"]["reason"]) == ("failed", "RuntimeError: only once")
    assert rows["keras-jax"]["samples"]["train_ms"] == [[20.0] * 3]
    assert len(rows["seqclass"]["samples"]["train_ms"]) == 4


def test_what_failed_once_is_not_launched_again(monkeypatch):
    broken = FakeWorker(20.0, fails_in="train_steps")
    measured(monkeypatch, {"seqclass": FakeWorker(10.0), "keras-jax": broken}, launches=2)
    assert [method for method, _ in broken.calls].count("build") == 1


@pytest.mark.parametrize("method", ["build", "check", "train_steps", "eval_steps"])
def test_a_failure_is_a_row_with_its_reason_and_the_others_go_on(monkeypatch, method):
    workers = {"seqclass": FakeWorker(10.0), "keras-jax": FakeWorker(20.0, fails_in=method)}
    _, rows = measured(monkeypatch, workers)
    failed = rows["keras-jax"]
    assert (failed["status"], failed["reason"]) == ("failed", f"RuntimeError: {method} broke")
    assert (failed["train_ms"], failed["eval_ms"]) == (None, None)
    assert "train_ratio" not in failed
    assert rows["seqclass"]["status"] == "ok"


def test_what_failed_late_keeps_its_samples(monkeypatch):
    _, rows = measured(monkeypatch, {"keras-jax": FakeWorker(20.0, fails_in="eval_steps")})
    assert rows["keras-jax"]["samples"] == {"train_ms": [[20.0] * 3], "eval_ms": []}


def test_a_wrong_model_is_not_timed(monkeypatch):
    workers = {"keras-jax": FakeWorker(20.0, parameters=1)}
    _, rows = measured(monkeypatch, workers)
    assert "should have" in rows["keras-jax"]["reason"]
    assert [method for method, _ in workers["keras-jax"].calls] == ["build"]


def test_a_sweep_varies_one_setting(monkeypatch):
    monkeypatch.setitem(step.SWEEPS, "batch", ("batch_size", (2, 3)))
    result, _ = measured(monkeypatch, {"seqclass": FakeWorker(10.0)}, arguments=["--sweep", "batch"])
    assert [row["settings"]["batch_size"] for row in result.rows] == [2, 3]
    assert {row["settings"]["sweep"] for row in result.rows} == {"batch"}


def test_the_slow_get_fewer_batches_a_turn_but_one():
    assert step.batches_per_turn(milliseconds=10.0, steps=8) == 8
    assert step.batches_per_turn(milliseconds=9_000.0, steps=8) == 2
    assert step.batches_per_turn(milliseconds=90_000.0, steps=8) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--threads", "0"], "must be between 1 and the"),
        (["--threads", "two"], "got 'two'"),
        (["--implementation", "keras"], "no implementation is named 'keras'"),
        (["--stack", "gru"], "invalid choice: 'gru'"),
    ],
)
def test_a_wrong_option_is_refused(arguments, message, capsys):
    parser = argparse.ArgumentParser()
    options.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(arguments)
    assert message in capsys.readouterr().err


def test_a_real_worker_and_a_stack_it_cannot_build(monkeypatch, tmp_path):
    from benchmarks.__main__ import main

    monkeypatch.setattr(step, "Settings", lambda **given: SMALL)
    monkeypatch.setattr(step.data, "REVIEWS", 100)
    path = tmp_path / "step.json"
    stacks = ["--stack", "lstm", "--stack", "lstm_gate_dropout"]
    chosen = [*stacks, "--implementation", "torch-naive", "--threads", "1", "--device", "cpu"]
    main(["step", "--quick", "--synthetic", "--rounds", "1", "--steps", "2", *chosen, "--json", str(path)])
    rows = json.loads(path.read_text())["rows"]
    assert [(row["stack"], row["status"]) for row in rows] == [("lstm", "ok"), ("lstm_gate_dropout", "failed")]
    assert rows[0]["train_ms"] > 0
    assert rows[0]["memory"]["peak_mib"] > 50
    assert rows[1]["reason"] == "NotImplementedError: nn.LSTM has no dropout at its gates"
    assert results.read(path).machine["threads"] == 1


def test_bf16_is_measured_beside_float32():
    parser = argparse.ArgumentParser()
    step.add_arguments(parser)
    assert parser.parse_args([]).precision == "float32"
    names = [each for name in ("seqclass", "torch-naive", "keras-jax") for each in (name, *step._in_bf16(name))]
    assert names == ["seqclass", "seqclass:bf16", "torch-naive", "torch-naive:bf16", "keras-jax"]


def test_the_sweep_over_segments_has_their_shape():
    (first, *_, last) = step._all_settings(Settings(), "segments")
    assert (first.batch_size, first.length, first.embedding_dim, first.hidden_size) == (256, 50, 300, 128)
    assert last.hidden_size == 512
