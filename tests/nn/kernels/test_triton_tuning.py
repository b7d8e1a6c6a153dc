"""Which way the Triton pass is launched: what was measured on a card goes before what is expected."""

import json

import pytest
import torch

pytest.importorskip("triton", reason="triton is not installed")

from seqclass.nn.kernels.triton_pass import tuning
from seqclass.nn.kernels.triton_pass.choices import Choice, all_choices, expected_choice

CPU = torch.device("cpu")
WANTED = Choice(4, 8)


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path))
    tuning._remembered.cache_clear()


def tuned(run, batch=64):
    return tuning.tune(run, batch=batch, hidden_size=100, precision="float32", device=CPU)


def fastest_is_wanted(choice):
    return 1.0 if choice == WANTED else 2.0


@pytest.mark.parametrize(
    ("batch", "hidden_size", "precision", "choice"),
    [
        (64, 100, "float32", Choice(1, 8)),
        (132, 100, "float32", Choice(1, 8)),
        (133, 100, "float32", Choice(2, 8)),
        (1000, 100, "float32", Choice(4, 8)),  # more instances than multiprocessors: they take turns
        (1000, 100, "bfloat16", Choice(16, 16)),
        (64, 64, "float32", Choice(1, 8, keep=True)),
        (200, 33, "float32", Choice(2, 8, keep=True)),
    ],
)
def test_the_expected_choice_gives_each_instance_a_multiprocessor(batch, hidden_size, precision, choice):
    assert expected_choice(batch, hidden_size, precision, processors=132) == choice
    assert tuning.choose(batch, hidden_size, precision, CPU) == choice


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("hidden_size", [1, 16, 64, 65, 128])
def test_what_is_expected_is_one_of_all(hidden_size, precision):
    choices = all_choices(hidden_size, precision)
    assert {expected_choice(batch, hidden_size, precision, 132) for batch in (1, 250, 4000)} <= set(choices)
    assert len(set(choices)) == len(choices)


def test_what_was_measured_is_taken_from_then_on():
    results = tuned(fastest_is_wanted)
    assert set(results) == set(all_choices(100, "float32"))
    for batch in (33, 64):
        assert tuning.choose(batch, 100, "float32", CPU) == WANTED
    others = [(65, 100, "float32"), (64, 99, "float32"), (64, 100, "bfloat16")]
    assert [tuning.choose(*other, CPU) for other in others] == [expected_choice(*other, 132) for other in others]


def test_another_batch_is_remembered_beside_the_first():
    tuned(fastest_is_wanted)
    tuned(lambda choice: float(choice.warps), batch=512)
    assert tuning.choose(64, 100, "float32", CPU) == WANTED
    assert tuning.choose(512, 100, "float32", CPU) == Choice(1, 8)


def test_what_does_not_run_is_none_and_says_why():
    def run(choice):
        if choice != WANTED:
            raise RuntimeError("out of resource: registers")
        return 5.0

    results = tuned(run)
    assert results.pop(WANTED) == 5.0
    assert set(results.values()) == {"RuntimeError: out of resource: registers"}
    assert tuning.choose(64, 100, "float32", CPU) == WANTED


def test_where_nothing_runs_nothing_is_remembered():
    def run(choice):
        raise RuntimeError("no")

    tuned(run)
    assert not tuning.choices_file().exists()


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "[1, 2]",
        '{"%s": {"rows": 3, "warps": 8, "keep": false}}',
        '{"%s": {"rows": 4, "warps": 8}}',
        '{"%s": [4, 8]}',
        "[" * 100_000,
        '"' + "x" * 2**20 + '"',
    ],
    ids=["text", "a list", "another choice", "half a choice", "not a choice", "deep", "large"],
)
def test_a_file_that_others_wrote_is_not_believed(text):
    file = tuning.choices_file()
    key = tuning._key(64, 100, "float32", "cpu")
    file.write_text(text.replace("%s", key), encoding="utf-8")
    assert tuning.choose(64, 100, "float32", CPU) == Choice(1, 8)


def test_a_measurement_of_other_programs_does_not_count(monkeypatch):
    tuned(fastest_is_wanted)
    (key,) = json.loads(tuning.choices_file().read_text())
    assert key.startswith("cpu, triton ")
    monkeypatch.setattr("triton.__version__", "0.0.1")
    assert tuning.choose(64, 100, "float32", CPU) == Choice(1, 8)
