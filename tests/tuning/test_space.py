"""Spaces: their files, the values drawn from them, and the one that lies in configs."""

from pathlib import Path

import pytest
import yaml

pytest.importorskip("optuna", reason="lacks optuna: pip install 'seqclass[tune]'")

import optuna

from seqclass.errors import InputError
from seqclass.training.lightning_cli import build_from_config
from seqclass.tuning.space import read_space_file, space_of

CONFIGS = Path(__file__).parents[2] / "configs"


def draws(given, count=60):
    """The values of an option in so many trials, as a command line has them."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    (dimension,) = space_of({"option": given}, "space")
    return [dimension.draw(study.ask()) for _ in range(count)]


def test_choices_are_written_as_on_a_command_line():
    choices = [64, 0.5, "gru", True, None, [3, 4, 5]]
    assert set(draws({"choices": choices})) == {"64", "0.5", "gru", "true", "null", "[3, 4, 5]"}


def test_whole_numbers_stay_whole_and_both_ends_count():
    assert set(map(int, draws({"low": 2, "high": 5}))) == {2, 3, 4, 5}
    assert set(draws({"low": 10, "high": 30, "step": 10})) == {"10", "20", "30"}


def test_numbers():
    found = [float(value) for value in draws({"low": 0.001, "high": 0.1, "log": True}, 300)]
    assert all(0.001 <= value <= 0.1 for value in found)
    assert 100 < sum(value < 0.01 for value in found) < 200
    assert {round(float(value), 9) for value in draws({"low": 0.2, "high": 0.6, "step": 0.2})} == {0.2, 0.4, 0.6}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has to map options"),
        ("[1, 2]", "has to map options"),
        ("1: {low: 1, high: 2}", "has to map options"),
        ("a: 3", "allowed are `choices`, or `low` and `high`"),
        ("a: {low: 1}", "allowed are `choices`, or `low` and `high`"),
        ("a: {low: 1, high: 2, choices: [1]}", "allowed are `choices`"),
        ("a: {low: 1, high: 2, steps: 3}", "allowed are `choices`"),
        ("a: {choices: []}", "has to be a list of values"),
        ("a: {choices: lstm}", "has to be a list of values"),
        ("a: {low: 1e-3, high: 1.0}", "'1e-3' is not a number"),
        ("a: {low: true, high: 2}", "True is not a number"),
        ("a: {low: 2, high: 2}", "low has to be the smaller"),
        ("a: {low: 0.0, high: 1.0, log: true}", "a low above 0"),
        ("a: {low: 1, high: 9, log: true, step: 2}", "log goes without step"),
        ("a: {low: 1, high: 9, step: 0}", "allowed are numbers above 0"),
        ("a: {low: 1, high: 9, step: 0.5}", "step is 0.5 between whole numbers"),
        ("a: {", "is not YAML"),
    ],
)
def test_wrong_spaces(text, message, tmp_path):
    (tmp_path / "space.yaml").write_text(text)
    with pytest.raises(InputError, match=message) as error:
        read_space_file(tmp_path / "space.yaml")
    assert "space.yaml" in str(error.value)


def test_a_space_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="cannot read the space"):
        read_space_file(tmp_path / "space.yaml")


@pytest.mark.parametrize("path", sorted((CONFIGS / "spaces").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_recipe_takes_the_ends_of_its_space(path, easy_reviews, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    space = read_space_file(path)
    for end in (0, -1):
        options = ["--data.train", str(easy_reviews / "train"), "--data.cache_dir", str(tmp_path)]
        for name, given in space.items():
            value = given["choices"][end] if "choices" in given else given["low" if end == 0 else "high"]
            options += [f"--{name}", str(value)]
        cli = build_from_config(CONFIGS / path.name, *options)
        assert cli.model.classifier.options.hidden_size == space["model.hidden_size"]["choices"][end]
    assert yaml.safe_load(path.read_text()) == space
