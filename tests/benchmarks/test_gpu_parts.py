"""Each part of `gpu` on the CPU, Triton in its interpreter: no line of it runs for the first time on a GPU."""

import importlib
import json

import pytest

pytest.importorskip("triton", reason="triton is not installed")

from benchmarks.gpu import clock, equality, machine, models, problems, rows, tests

SKIPPED = {"machine": ["driver"], "layers": ["kernel names"], "graphs": ["recording"]}
"""What only a GPU can show, by name."""


@pytest.fixture
def written(monkeypatch, tmp_path):
    """A function that runs a part as its process does, and returns what is in its file."""
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path))

    def run(part):
        file = tmp_path / f"{part}.json"
        arguments = ["part", "--device", "cpu", "--tiny", "--json", str(file)]
        monkeypatch.setattr("sys.argv", arguments)
        importlib.import_module(f"benchmarks.gpu.{part}").main()
        assert list(tmp_path.glob("*.part")) == []
        return json.loads(file.read_text())

    return run


@pytest.mark.filterwarnings("ignore::Warning:torch")  # of the profiler and of torch.compile
@pytest.mark.parametrize("part", ["machine", "equality", "choices", "layers", "graphs", "profile"])
def test_every_part_runs_through(written, part):
    document = written(part)
    rows = document["rows"]
    assert [row["name"] for row in rows if row["status"] == "skipped"] == SKIPPED.get(part, [])
    failed = [(row["name"], row.get("precision"), row["reason"]) for row in rows if row["status"] == "failed"]
    # oneDNN has no layer in float16; cuDNN has.
    assert [failure for failure in failed if failure[1] != "float16"] == []
    assert len(rows) > len(failed) + len(SKIPPED.get(part, []))
    timed = [row["ms"] for row in rows if "ms" in row]
    assert bool(timed) == (part in ("choices", "layers", "graphs"))
    assert all(time > 0 for time in timed)


def test_kernels_are_named_and_counted(written):
    rows = {row["name"]: row for row in written("profile")["rows"]}
    names = [kernel["name"] for kernel in rows["lstm, triton"]["kernels"]]
    assert "_TritonLSTMBackward" in names
    assert not any("#" in name for name in names)
    assert rows["lstm, triton"]["launches"] > len(names)


def test_a_wrong_kernel_is_a_failed_row_with_its_error(tmp_path):
    problem = problems.Problem(2, 3, 2, 4)
    expected = problem.solve("reference", "cpu")
    expected["bias"] += 0.1
    part = rows.Rows("equality", tmp_path / "equality.json")
    part.measure("plain", lambda: equality.equal(problem, "fused", "cpu", "float32", expected))
    (row,) = json.loads(part.file.read_text())["rows"]
    assert row["status"] == "failed"
    assert row["reason"].startswith("ArithmeticError: off by {'state': ")


def test_what_is_no_number_is_no_equality():
    results = problems.Problem(2, 3, 2, 4).solve("fused", "cpu")
    broken = {name: value * float("nan") for name, value in results.items()}
    with pytest.raises(ArithmeticError, match="state has numbers that are none"):
        problems.largest_error(broken, results)


def test_problems_are_what_they_say():
    problem = problems.Problem(3, 5, 2, 4, gate_dropout=True, masked=True)
    given = problem.tensors("cpu")
    assert given["inputs"].shape == (3, 5, 2)
    assert given["recurrent_masks"].shape == (4, 3, 4)
    assert set(given["input_masks"].unique().tolist()) <= {0.0, 1.25}
    assert (given["padding"].counts < 5).all(), "every row has a word"
    assert problem.solve("fused", "cpu")["state"].abs().min() > 0


def test_rows_are_on_disk_as_soon_as_they_are_measured(tmp_path):
    part = rows.Rows("layers", tmp_path / "layers.json")

    def seen():
        return [row["name"] for row in json.loads(part.file.read_text())["rows"]]

    part.measure("first", lambda: {"ms": 1.0})
    part.measure("second", lambda: {"before": seen()})
    part.measure("third", lambda: 1 / 0)
    assert part.rows[1]["before"] == ["first"]
    assert (part.rows[2]["status"], part.rows[2]["reason"]) == ("failed", "ZeroDivisionError: division by zero")
    assert seen() == ["first", "second", "third"]
    part.ended()


def test_a_part_without_a_result_ends_with_its_reason(tmp_path):
    part = rows.Rows("layers", tmp_path / "layers.json")
    part.measure("first", lambda: 1 / 0)
    with pytest.raises(SystemExit, match="ZeroDivisionError: division by zero"):
        part.ended()


def test_tf32_is_as_before_afterwards():
    import torch

    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with problems.tf32(True):
        assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (True, True)
        with problems.tf32(False):
            assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == (False, False)
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before


def test_a_slow_function_gets_fewer_samples(monkeypatch):
    calls = []
    monkeypatch.setattr(clock, "SECONDS", 0.0)
    figures = clock.milliseconds(lambda: calls.append(None), "cpu")
    assert len(calls) == clock.WARM_UP + 3
    assert figures["low_ms"] <= figures["ms"] <= figures["high_ms"]


def test_a_step_that_cannot_be_recorded_is_a_failure(monkeypatch):
    def refuse(run):
        raise RuntimeError("stream is capturing")

    monkeypatch.setattr(models, "repeated", refuse)
    ids, labels = models.batch("cpu", tiny=True)
    with pytest.raises(RuntimeError, match="no CUDA graph of this step: stream is capturing"):
        models.graphed_step(models.stack("lstm", "auto", "cpu", tiny=True), ids, labels)


def test_steps_train_alike_however_they_run():
    ids, labels = models.batch("cpu", tiny=True)
    losses = []
    for make in (models.training_step, models.graphed_step):
        step = make(models.stack("lstm", "auto", "cpu", tiny=True), ids, labels)
        taken = 5 if make is models.graphed_step else 0  # to record it
        losses.append([step().item() for _ in range(8 - taken)][-3:])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_what_the_driver_says_is_read_by_name(monkeypatch):
    class Completed:
        stdout = "NVIDIA H100 80GB HBM3, 580.1, 81559 MiB, 345 MHz, 1980 MHz, 700.00 W, 31\n"

    monkeypatch.setattr(machine.subprocess, "run", lambda *command, **options: Completed)
    found = machine.driver()
    assert (found["name"], found["clocks.max.sm"]) == ("NVIDIA H100 80GB HBM3", "1980 MHz")


def test_tests_that_fail_or_are_none_are_named(tmp_path):
    file = tmp_path / "test_two.py"
    file.write_text("def test_right(): pass\ndef test_wrong(): assert False\n")
    with pytest.raises(RuntimeError, match=r"1 of 2 tests failed: .*test_two::test_wrong"):
        tests.run_suite([str(file)])
    assert tests.run_suite([f"{file}::test_right"]) == {"passed": 1, "skipped": []}
    with pytest.raises(RuntimeError, match="0 of 0 tests failed"):
        tests.run_suite([str(file), "-k", "neither"])
