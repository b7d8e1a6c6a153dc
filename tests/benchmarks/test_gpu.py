"""`gpu` and `gpu-report`: limits, failures, what is written when, and the whole of it once on a CPU."""

import argparse
import json
import re
import sys
import time
from pathlib import Path

import pytest

from benchmarks import __main__ as command_line
from benchmarks import gpu, results
from benchmarks.data import TextSet
from benchmarks.gpu import parts, runner
from benchmarks.gpu.parts import Part, Plan
from benchmarks.options import Common
from benchmarks.recipe import RecipeRace

ROOT = Path(__file__).resolve().parents[2]


def part(code, *, seconds=60.0, name="machine"):
    return Part(name, seconds, [sys.executable, "-c", code])


def test_a_part_that_ends_well_has_the_facts_of_its_file(tmp_path):
    file = tmp_path / "machine.json"
    row = runner.run_part(
        part(f'open({str(file)!r}, \'w\').write(\'{{"facts": {{"device": "X"}}}}\')'), tmp_path, limit=60
    )
    assert (row["status"], row["reason"], row["facts"]) == ("ok", None, {"device": "X"})


def test_a_part_that_fails_says_why(tmp_path):
    row = runner.run_part(part("import sys; print('first'); sys.exit('no CUDA device')"), tmp_path, limit=60)
    assert (row["status"], row["reason"]) == ("failed", "exit status 1: first no CUDA device")


def test_a_part_is_ended_at_its_limit_with_all_that_it_started(tmp_path):
    child = "import time, pathlib; time.sleep(4); pathlib.Path('alive').touch()"
    code = f"""
import os, subprocess, sys, time
os.chdir({str(tmp_path)!r})
subprocess.Popen([sys.executable, "-c", {child!r}])
time.sleep(60)
"""
    began = time.monotonic()
    row = runner.run_part(part(code), tmp_path, limit=2)
    assert time.monotonic() - began < 20
    assert (row["status"], row["reason"]) == ("failed", "took more than 2 s, and was ended")
    time.sleep(4)
    assert not (tmp_path / "alive").exists()


def test_without_time_a_part_is_not_begun(tmp_path):
    row = runner.run_part(part("open('never', 'w')"), tmp_path, limit=-1)
    assert (row["status"], row["reason"], row["seconds"]) == ("failed", "no time was left for it", 0.0)


def ask(monkeypatch, tmp_path, made, *more):
    monkeypatch.setattr(gpu, "all_parts", lambda plan: made)
    parser = argparse.ArgumentParser()
    gpu.add_arguments(parser)
    fixed = ["--device", "cpu", "--tiny", "--threads", "1", "--into", str(tmp_path / "run")]
    return gpu.run(parser.parse_args([*fixed, *more]))


def test_the_result_is_written_after_each_part(monkeypatch, tmp_path):
    whole = tmp_path / "run" / "gpu.json"
    look = (
        f"import json, sys; sys.exit(', '.join(r['implementation'] for r in json.load(open({str(whole)!r}))['rows']))"
    )
    folder = ask(monkeypatch, tmp_path, [part("pass"), part(look, name="tests"), part("pass", name="layers")])
    rows = results.read(folder / "gpu.json").rows
    assert [(row["implementation"], row["status"]) for row in rows] == [
        ("machine", "ok"), ("tests", "failed"), ("layers", "ok")
    ]  # fmt: skip
    assert rows[1]["reason"] == "exit status 1: machine"


def test_parts_share_the_minutes(monkeypatch, tmp_path):
    made = [part("import time; time.sleep(60)", seconds=1), part("pass", name="tests")]
    folder = ask(monkeypatch, tmp_path, made, "--minutes", str((gpu.RESERVE + 0.5) / 60))
    rows = results.read(folder / "gpu.json").rows
    assert [row["status"] for row in rows] == ["failed", "failed"]
    assert rows[1]["reason"] == "no time was left for it"


def test_parts_can_be_chosen(monkeypatch, tmp_path):
    folder = ask(monkeypatch, tmp_path, [part("pass"), part("pass", name="tests")], "--part", "tests")
    assert [row["implementation"] for row in results.read(folder / "gpu.json").rows] == ["tests"]


def test_all_parts_fit_into_nine_minutes():
    plan = Plan("cuda", False, 1, Path("results"))
    made = parts.all_parts(plan)
    assert [each.name for each in made] == list(parts.PARTS)
    assert sum(each.seconds for each in made) <= 60 * gpu.MINUTES - gpu.RESERVE


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_the_questions_understand_what_they_are_asked(device):
    """Their options are those of their own parsers, the recipes are there."""
    questions = 0
    for each in parts.all_parts(Plan(device, device == "cpu", 1, Path("results"))):
        command = list(each.command)
        assert command[0] == sys.executable
        if command[2] == "benchmarks":
            arguments = command_line._parser().parse_args(command[3:])
            assert (arguments.device, arguments.json) == (device, Path("results", f"{each.name}.json"))
            questions += 1
        else:
            assert command[2] == f"benchmarks.gpu.{each.name}"
            assert (ROOT / "benchmarks" / "gpu" / f"{each.name}.py").exists()
    assert questions == 7


@pytest.mark.parametrize("name", parts.RACES)
def test_the_races_are_run_by_recipes_that_may_take_part(name, tmp_path):
    recipe, target = parts.RACES[name]
    common = Common(stacks=(), implementations=(), threads=1, device="cpu", quick=False, seed=7, json=None)
    imdb = TextSet("imdb", tmp_path / "train.csv", tmp_path / "test.csv", archive=tmp_path)
    RecipeRace(recipe, common, imdb, tmp_path, fresh=False, curve=True).check()
    assert 0.5 < target < 1


def test_packages_for_a_machine_without_a_network_are_the_pinned_ones():
    def pins(file):
        lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
        found = (re.match(r"([\w.-]+)==([^;\s]+)", line) for line in lines)
        return {match[1].lower(): match[2] for match in found if match}

    offline, known = pins("benchmarks/offline.txt"), {**pins("constraints.txt"), **pins("benchmarks/peers-gpu.txt")}
    assert {"jsonargparse", "keras"} <= offline.keys()
    assert {name: version for name, version in offline.items() if known.get(name, version) != version} == {}


def test_a_report_of_what_is_no_result_is_refused(tmp_path):
    (tmp_path / "gpu.json").write_text("{}")
    with pytest.raises(SystemExit, match=r"gpu-report: .*gpu\.json: schema must be 1"):
        command_line.main(["gpu-report", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"gpu-report: .*No such file"):
        command_line.main(["gpu-report", str(tmp_path / "none")])


def some_result(folder):
    machine = {"device": "cuda", "name": "NVIDIA H100", "threads": 1}
    result = results.Result(question="gpu", machine=machine, data={})
    result.add(stack="any", implementation="layers", settings={}, seconds=3.0)
    result.add_failed(stack="any", implementation="graphs", settings={}, reason="took | long", seconds=30.0)
    results.write(result, folder / "gpu.json")
    kernel = {"name": "RNN_blockPersist_fp_LSTM", "launches": 1, "ms": 2.5}
    rows = [
        {"name": "builtin", "precision": "tf32", "status": "ok", "reason": None, "ms": 4.0, "low_ms": 3.0,
         "high_ms": 5.0, "busy_ms": 3.5, "launches": 9, "kernels": [kernel]},
        {"name": "triton", "status": "failed", "reason": "no"},
    ]  # fmt: skip
    (folder / "layers.json").write_text(json.dumps({"part": "layers", "facts": {}, "rows": rows}))


def test_tables_show_every_part_and_what_failed(tmp_path, capsys):
    some_result(tmp_path)
    command_line.main(["gpu-report", str(tmp_path)])
    text = capsys.readouterr().out
    assert "**NVIDIA H100**" in text
    assert "| graphs | failed | 30 | took \\| long |" in text
    assert "| builtin | tf32 | 4 (3–5) | 3.5 | 9 | – | RNN_blockPersist_fp_LSTM (1, 2.5 ms) |" in text
    assert "| triton |  | failed: no |  |  |  |  |" in text
    assert "no measurements" not in text


def test_tables_go_between_the_markers(tmp_path):
    some_result(tmp_path)
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- benchmarks:gpu -->\nold\n<!-- /benchmarks -->\nafter\n")
    for _ in range(2):
        command_line.main(["gpu-report", str(tmp_path), "--into", str(page)])
        text = page.read_text()
        assert text.startswith("before\n<!-- benchmarks:gpu -->\n**NVIDIA H100**")
        assert text.endswith("<!-- /benchmarks -->\nafter\n")
        assert "old" not in text
    page.write_text("nothing\n")
    with pytest.raises(SystemExit, match="has no line <!-- benchmarks:gpu -->"):
        command_line.main(["gpu-report", str(tmp_path), "--into", str(page)])


@pytest.mark.slow
def test_the_command_runs_on_a_cpu(monkeypatch, tmp_path, easy_reviews, capsys):
    """The parts that are questions of their own; test_gpu_parts.py has the others."""
    monkeypatch.setenv("SEQCLASS_IMDB", str(easy_reviews))
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    chosen = ["machine", "step_lstm", "epoch", "race_8626"]
    asked = [option for name in chosen for option in ("--part", name)]
    folder = tmp_path / "run"
    fixed = ["--device", "cpu", "--tiny", "--threads", "1", "--minutes", "30", "--into", str(folder)]
    command_line.main(["gpu", *fixed, *asked])
    rows = results.read(folder / "gpu.json").rows
    assert [(row["implementation"], row["status"], row["reason"]) for row in rows] == [
        (name, "ok", None) for name in chosen
    ]
    steps = results.read(folder / "step_lstm.json").rows
    assert [(row["implementation"], row["status"]) for row in steps] == [
        ("seqclass", "ok"), ("seqclass:triton", "ok"), ("torch-naive", "ok")
    ]  # fmt: skip
    assert {(row["settings"]["hidden_size"], row["settings"]["length"]) for row in steps} == {(5, 6)}
    for name in ("epoch", "race_8626"):
        assert [row["status"] for row in results.read(folder / f"{name}.json").rows] == ["ok"]
    capsys.readouterr()
    command_line.main(["gpu-report", str(folder)])
    text = capsys.readouterr().out
    assert "A CPU stood in for the GPU, to test the program: these are no measurements." in text
    assert "Training step, ms" in text
