"""What a result says about where it was measured."""

import json

import pytest

from benchmarks import environment
from benchmarks.environment import OtherLoad


def test_a_machine_is_described_in_plain_values():
    machine = environment.machine("cpu", 2)
    assert (machine["device"], machine["threads"]) == ("cpu", 2)
    assert machine["cores"] >= 1
    assert machine["memory_gib"] > 0
    assert json.loads(json.dumps(machine)) == machine


def test_versions_are_of_what_is_installed():
    found = environment.versions(("numpy", "no-such-distribution"))
    assert set(found) == {"python", "numpy"}


def test_the_date_is_utc_to_the_second():
    assert len(environment.now()) == len("2026-01-02T03:04:05Z")
    assert environment.now().endswith("Z")


def test_the_command_is_that_which_repeats_the_measurement(monkeypatch):
    monkeypatch.setattr(environment.sys, "argv", ["somewhere/__main__.py", "step", "--json", "/tmp/a.json", "--quick"])
    assert environment.command_line() == "python -m benchmarks step --quick"


def test_what_is_published_names_no_folders_outside_the_repository():
    for given in ("/home/me/sets/trec-train.csv", "../sets/trec-train.csv", "../../trec-train.csv"):
        assert environment.without_folders(f"accuracy --data {given} --seeds 2") == (
            "accuracy --data trec-train.csv --seeds 2"
        )
    assert environment.without_folders("--recipe configs/text.yaml, 3 / 4") == "--recipe configs/text.yaml, 3 / 4"


def test_outside_git_the_commit_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert environment.commit() == "unknown"


@pytest.mark.parametrize(
    ("busy", "own", "expected"),
    [([100.0, 103.0], [10.0, 11.0], 1.0), ([100.0, 101.0], [10.0, 12.0], 0.0), ([None, None], [1.0, 2.0], None)],
)
def test_other_load_is_all_work_less_our_own(monkeypatch, busy, own, expected):
    clock = iter([50.0, 52.0])
    monkeypatch.setattr(environment.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(environment, "_busy_seconds", lambda: busy.pop(0))
    monkeypatch.setattr(environment, "_own_seconds", lambda: own.pop(0))
    assert OtherLoad().cpus() == expected


def test_other_load_of_this_machine_is_a_number_of_cpus():
    load = OtherLoad().cpus()
    assert load is None or load >= 0
