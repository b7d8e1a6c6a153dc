"""Recipes in the `target` race: the callback that ends them, and what becomes of their runs."""

import math
from types import SimpleNamespace

import pytest

from benchmarks import implementations, recipe, target_reached
from benchmarks.options import Common
from benchmarks.protocol import WorkerError
from benchmarks.recipe import RecipeRace
from benchmarks.target_reached import TargetReached, read_curve

COMMON = Common(
    stacks=("cnn_lstm",), implementations=(), threads=1, device="cpu", quick=False, seed=7, json=None
)  # fmt: skip


def validate(callback, accuracy):
    trainer = SimpleNamespace(callback_metrics={"val_acc": accuracy}, should_stop=False)
    callback.on_validation_end(trainer, None)
    return trainer.should_stop


def test_the_callback_notes_each_validation_and_stops_at_the_target(tmp_path, monkeypatch):
    clock = iter([103.0, 107.5])
    monkeypatch.setattr(target_reached.time, "monotonic", lambda: next(clock))
    callback = TargetReached(target=0.8626, file=str(tmp_path / "curve.jsonl"))
    assert [validate(callback, accuracy) for accuracy in (0.80, 0.8626)] == [False, True]
    assert read_curve(tmp_path / "curve.jsonl", began=100.0) == [(3.0, 0.80), (7.5, 0.8626)]


def test_a_run_that_never_validated_has_no_curve(tmp_path):
    assert read_curve(tmp_path / "absent.jsonl", began=0.0) == []


@pytest.fixture
def race(monkeypatch, tmp_path):
    """A race of a made-up recipe whose runs do what the test says."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "fast.yaml").touch()
    monkeypatch.setattr(implementations, "ROOT", tmp_path)

    def race(fit):
        monkeypatch.setattr(RecipeRace, "_fit", lambda self, seed, folder: fit(seed, folder / "curve.jsonl"))
        return RecipeRace("recipe:fast", "any", COMMON, target=0.86)

    return race


def test_a_recipe_has_a_time_for_each_seed(race, monkeypatch):
    def fit(seed, file):
        file.write_text(f"[12.0, {0.85 if seed == 8 else 0.87}]\n")

    monkeypatch.setattr(recipe.time, "monotonic", lambda: 2.0)
    racer = race(fit)
    assert [racer(number) for number in (0, 1)] == [[10.0], [math.inf]]
    assert racer.curves == [[(10.0, 0.87)], [(10.0, 0.85)]]


def test_a_recipe_without_a_validation_fails(race):
    with pytest.raises(WorkerError, match="without a validation of seed 7"):
        race(lambda seed, file: None)(0)


def test_a_command_that_fails_says_why(race, monkeypatch):
    racer = race(None)
    monkeypatch.undo()
    completed = SimpleNamespace(returncode=2, stderr="seqclass: error: no such\nfile", stdout="")
    monkeypatch.setattr(recipe.implementations, "named", lambda name: SimpleNamespace(options={"config": "a.yaml"}))
    monkeypatch.setattr(recipe.implementations, "python_of", lambda implementation: "python")
    monkeypatch.setattr(recipe.implementations, "worker_environment", lambda implementation, **rest: {})
    monkeypatch.setattr(recipe.subprocess, "run", lambda command, **rest: completed)
    with pytest.raises(WorkerError, match="ended with status 2: seqclass: error: no such file"):
        racer(0)


def test_recipes_are_named_by_their_file(race):
    race(None)
    assert implementations.named("recipe:fast").options == {"config": "configs/fast.yaml"}
    with pytest.raises(ValueError, match=r"there is no recipe configs/slow.yaml"):
        implementations.named("recipe:slow")
