"""Result files: written whole, read with checks, merged so that the newest row holds."""

import json

import pytest

from benchmarks import report, results
from benchmarks.results import Result, ResultError


def a_result(date="2026-01-02T03:04:05Z", *, device="cpu", threads=2, question="step"):
    machine = {"device": device, "name": "a processor", "threads": threads}
    return Result(question=question, machine=machine, data={"source": "imdb"}, date=date, commit="abc", command="run")


def a_row(implementation="seqclass", **measured):
    return {"stack": "lstm", "implementation": implementation, "settings": {"batch_size": 64}, **measured}


def test_a_result_comes_back_as_it_was_written(tmp_path):
    result = a_result()
    result.add(**a_row(train_ms=1.5, samples={"train_ms": [[1.0, 2.0]]}))
    result.add_failed(**a_row("keras-jax", samples={"train_ms": [[9.0]]}), reason="out of memory")
    path = results.write(result, tmp_path / "deep" / "result.json")
    assert results.read(path) == result
    assert result.rows[0]["status"] == "ok"
    assert result.rows[1]["status"] == "failed"
    assert result.rows[1]["samples"] == {"train_ms": [[9.0]]}


def test_a_reason_names_files_and_not_their_folders():
    result = a_result()
    reason = 'File "/home/someone/.venv/lib/model.py", line 3: no /tmp/x-1/ids.npy, 2/3 of ./data/a.npy'
    result.add_failed(**a_row(), reason=reason)
    assert result.rows[0]["reason"] == 'File "model.py", line 3: no ids.npy, 2/3 of ./data/a.npy'


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "result.json"
    results.write(a_result(), path)
    before = path.read_bytes()
    broken = a_result()
    broken.add(**a_row(train_ms=float("inf")))
    with pytest.raises(ValueError, match="JSON"):
        results.write(broken, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_default_name_sorts_by_question_device_and_date():
    assert a_result().file_name == "step-cpu-20260102T030405Z.json"


def valid():
    return {
        "schema": results.SCHEMA,
        "question": "step",
        "date": "2026-01-02T03:04:05Z",
        "commit": "abc",
        "command": "run",
        "machine": {"device": "cpu", "name": "a processor", "threads": 2},
        "data": {},
        "rows": [{**a_row(), "status": "ok"}],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(schema=0), "schema must be 1, got 0"),
        (lambda d: d.pop("machine"), "'machine' is missing"),
        (lambda d: d.update(date=3), "'date' must be str, got 3"),
        (lambda d: d.update(question="why"), "question must be one of .*, got 'why'"),
        (lambda d: d["machine"].update(threads="two"), "machine: 'threads' must be int, got 'two'"),
        (lambda d: d["rows"].append(3), r"rows\[1\]: must be an object, got 3"),
        (lambda d: d["rows"][0].pop("stack"), r"rows\[0\]: 'stack' is missing"),
        (lambda d: d["rows"][0].update(status="fine"), r"rows\[0\]: status must be 'ok' or 'failed', got 'fine'"),
        (lambda d: d["rows"][0].update(status="failed"), r"rows\[0\]: a failed row must have a reason"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, change, message):
    document = valid()
    change(document)
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(document))
    with pytest.raises(ResultError, match=message) as error:
        results.read(path)
    assert str(path) in str(error.value)


@pytest.mark.parametrize(("text", "message"), [("{", "not JSON"), ("[]", "schema must be 1, got 'list'")])
def test_a_file_that_is_no_result_is_refused(tmp_path, text, message):
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(ResultError, match=message):
        results.read(path)


def test_the_newest_row_holds_even_if_it_failed():
    old, new = a_result("2026-01-01T00:00:00Z"), a_result("2026-01-02T00:00:00Z")
    old.add(**a_row(train_ms=1.0))
    old.add(**a_row("keras-jax", train_ms=3.0))
    new.add_failed(**a_row(), reason="broken today")
    merged = results.merge([new, old], "step")
    assert {m.row["implementation"]: (m.row["status"], m.result.date[:10]) for m in merged} == {
        "keras-jax": ("ok", "2026-01-01"),
        "seqclass": ("failed", "2026-01-02"),
    }


def test_other_machines_settings_and_questions_are_other_measurements():
    base = a_result()
    base.add(**a_row(train_ms=1.0))
    base.add(**{**a_row(train_ms=2.0), "settings": {"batch_size": 128}})
    gpu, single = a_result(device="cuda"), a_result(threads=1)
    gpu.add(**a_row(train_ms=3.0))
    single.add(**a_row(train_ms=4.0))
    epoch = a_result(question="epoch")
    epoch.add(**a_row(seconds=5.0))
    merged = results.merge([base, gpu, single, epoch], "step")
    assert sorted(m.row["train_ms"] for m in merged) == [1.0, 2.0, 3.0, 4.0]


def test_a_folder_is_read_oldest_first(tmp_path):
    for date in ("2026-01-03T00:00:00Z", "2026-01-01T00:00:00Z"):
        result = a_result(date)
        results.write(result, tmp_path / result.file_name)
    assert [result.date[:10] for result in results.read_folder(tmp_path)] == ["2026-01-01", "2026-01-03"]


def test_kept_results_can_all_be_read_and_each_is_shown_in_a_table():
    assert [result.file_name for result in report.unused(results.read_folder())] == []


def test_kept_results_are_small():
    assert sum(path.stat().st_size for path in results.FOLDER.rglob("*") if path.is_file()) < 1_000_000


def test_a_file_has_a_line_for_each_row(tmp_path):
    result = a_result()
    for seed in range(3):
        result.add(**a_row(samples={"train_ms": [[1.0, 2.0]] * 50, "seed": seed}))
    lines = results.write(result, tmp_path / "result.json").read_text().splitlines()
    assert len(lines) < 20
    assert sum('"implementation": "seqclass"' in line for line in lines) == 3
