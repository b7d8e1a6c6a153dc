"""Recipes as contestants: what the command is told, and what becomes of the files that it leaves behind."""

import csv
import os
from types import SimpleNamespace

import pytest

from benchmarks import implementations, recipe
from benchmarks.data import TextSet
from benchmarks.options import Common
from benchmarks.protocol import WorkerError
from benchmarks.recipe import RecipeRace

COMMON = Common(
    stacks=("cnn_lstm",), implementations=(), threads=1, device="cpu", quick=False, seed=7, json=None
)  # fmt: skip
OWN_TEXTS = "data: {class_path: seqclass.data.TextDataModule, init_args: {train: a.csv}}"
REVIEWS = "data: {class_path: seqclass.data.IMDBDataModule, init_args: {num_words: 100}}"
SCORES = {"val_acc": 0.8, "test_acc": 0.9, "test_acc_recurrent": 0.7, "test_acc_ngrams": 0.85}


class FakeCommand:
    """Stands for `RecipeRace._seqclass`: a run of 100 s that saves a checkpoint after 30 and after 80 of them."""

    def __init__(self, scores, saved=(30, 80)):
        self.scores, self.saved, self.calls, self.now = scores, saved, [], 1000.0

    def __call__(self, command, *arguments):
        given = dict(zip(arguments[::2], arguments[1::2], strict=True))
        self.calls.append((command, given))
        folder = recipe.Path(given.get("--runs_dir", ".")) / "run" / "1"
        if command == "fit" and "--runs_dir" in given:
            write_metrics(folder, [{"val_acc": 0.1}, self.scores])
            for seconds in self.saved:
                save(folder / "checkpoints" / f"epoch={seconds}.ckpt", at=self.now + seconds)
            save(folder / "checkpoints" / "last.ckpt", at=self.now + 95)
            self.now += 100
        elif command == "test":
            write_metrics(folder, [{"test_acc": 0.5 + int(given["--ckpt_path"].split("=")[1][:2]) / 1000}])
        elif command == "pretrain":
            save(recipe.Path(given["--out"]), at=self.now)
            self.now += 40


def write_metrics(folder, rows):
    folder.mkdir(parents=True)
    with (folder / "metrics.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=sorted({name for row in rows for name in row}))
        writer.writeheader()
        writer.writerows(rows)


def save(path, at):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (at, at))


@pytest.fixture
def race(monkeypatch, tmp_path):
    """A function that makes a race of a made-up recipe whose commands are fake."""
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "first.yaml").touch()
    monkeypatch.setattr(implementations, "ROOT", tmp_path)
    monkeypatch.setattr(recipe, "ROOT", tmp_path)

    def race(config, command, *, name="recipe:tiny", archive=None, fresh=True, curve=False, **more):
        (tmp_path / "configs" / "tiny.yaml").write_text(config)
        monkeypatch.setattr(RecipeRace, "_seqclass", lambda self, *arguments: command(*arguments))
        monkeypatch.setattr(recipe.time, "time", lambda: command.now)
        texts = TextSet("toys", tmp_path / "toys-train.csv", tmp_path / "toys-test.csv", archive)
        return RecipeRace(name, COMMON, texts, tmp_path, fresh=fresh, curve=curve, **more)

    return race


def test_a_run_has_the_figures_of_its_own_test_and_the_seconds_of_the_whole_command(race, tmp_path):
    command = FakeCommand(SCORES)
    racer = race(OWN_TEXTS, command)
    assert [racer(number) for number in (0, 1)] == [[100.0], [100.0]]
    assert [run["seed"] for run in racer.runs] == [7, 8]
    assert racer.runs[0] == {"seed": 7, "seconds": 100.0, "acc": 0.9, "acc_recurrent": 0.7, "acc_ngrams": 0.85}
    (_, first), (_, second) = command.calls
    assert (first["--config"], first["--test_after_fit"]) == ("configs/tiny.yaml", "true")
    assert (first["--data.train"], first["--data.test"]) == (f"{tmp_path}/toys-train.csv", f"{tmp_path}/toys-test.csv")
    assert [each["--seed_everything"] for each in (first, second)] == ["7", "8"]
    assert first["--data.cache_dir"] != second["--data.cache_dir"]
    assert "--checkpoint.save_top_k" not in first


def test_the_curve_has_each_checkpoints_test_and_the_end_that_every_run_has(race):
    racer = race(OWN_TEXTS, FakeCommand(SCORES), curve=True)
    racer(0)
    assert racer.runs[0]["curve"] == [(50.0, 0.53), (100.0, 0.58)]
    assert racer.runs[0]["acc"] == 0.9


def test_a_recipe_that_validates_on_the_test_texts_has_the_figure_of_its_last_epoch(race, tmp_path):
    command = FakeCommand({"val_acc": 0.86})
    racer = race(REVIEWS, command, archive=tmp_path)
    racer(0)
    assert racer.runs == [{"seed": 7, "seconds": 100.0, "acc": 0.86}]
    ((_, given),) = command.calls
    assert (given["--data.path"], given["--test_after_fit"]) == (str(tmp_path), "false")
    assert "--data.train" not in given


def test_a_blend_is_not_chosen_by_the_test_texts(race, tmp_path):
    command = FakeCommand({"val_acc": 0.9, "val_acc_recurrent": 0.8})
    racer = race(f"model: {{stack: pooled}}\n{REVIEWS}", command, archive=tmp_path)
    with pytest.raises(WorkerError, match="chosen by the test texts"):
        racer(0)
    assert command.calls == []  # not a second is spent on it
    with_one_branch = race(f"model: {{stack: pooled, ngrams: 0}}\n{REVIEWS}", command, archive=tmp_path)
    with_one_branch.check()
    held_out = REVIEWS.replace("num_words", "validation: 0.05, num_words")
    race(f"model: {{stack: pooled}}\n{held_out}", command, archive=tmp_path).check()


def test_a_recipe_of_the_reviews_reads_no_other_texts(race):
    with pytest.raises(WorkerError, match="reads the IMDB reviews, not own texts"):
        race(REVIEWS, FakeCommand(SCORES))(0)


def test_a_cache_that_is_kept_is_filled_before_the_clock_starts(race):
    command = FakeCommand(SCORES)
    racer = race(OWN_TEXTS, command, fresh=False)
    racer(0)
    racer(1)
    assert [given.get("--trainer.limit_train_batches") for _, given in command.calls] == ["1", None, None]
    assert len({given["--data.cache_dir"] for _, given in command.calls}) == 1
    assert [run["seconds"] for run in racer.runs] == [100.0, 100.0]


def test_a_pretraining_runs_once_and_counts_for_every_seed(race, tmp_path):
    command = FakeCommand(SCORES)
    unlabelled = [tmp_path / "more.csv"]
    racer = race(OWN_TEXTS, command, name="recipe:first+tiny", curve=True, unlabelled=unlabelled)
    assert [racer(0), racer(1)] == [[140.0], [140.0]]
    assert racer.row["pretraining_seconds"] == 40.0
    assert [curve for run in racer.runs for curve, _ in run["curve"]] == [90.0, 140.0, 90.0, 140.0]
    (name, pretraining), (_, fit), *_ = command.calls
    assert (name, pretraining["--config"]) == ("pretrain", "configs/first.yaml")
    assert pretraining["--data.train"] == f'["{tmp_path}/more.csv"]'
    assert fit["--model.pretrained"] == pretraining["--out"]
    assert [name for name, _ in command.calls].count("pretrain") == 1


def test_a_run_without_figures_fails(race):
    with pytest.raises(WorkerError, match="the run has left no test_acc"):
        race(OWN_TEXTS, FakeCommand({"val_acc": 0.9}))(0)


def test_a_command_that_fails_says_why(race, monkeypatch):
    completed = SimpleNamespace(returncode=2, stderr="seqclass: error: no such\nfile", stdout="")
    racer = race(OWN_TEXTS, FakeCommand(SCORES))
    monkeypatch.undo()
    monkeypatch.setattr(recipe.implementations, "named", lambda name: SimpleNamespace(is_peer=False, variables={}))
    monkeypatch.setattr(recipe.subprocess, "run", lambda command, **rest: completed)
    with pytest.raises(WorkerError, match="seqclass fit ended with status 2: seqclass: error: no such file"):
        racer._seqclass("fit")


def test_recipes_are_named_by_their_file(race):
    race(OWN_TEXTS, FakeCommand(SCORES))
    assert implementations.named("recipe:tiny").options == {"config": "configs/tiny.yaml"}
    same = implementations.named("recipe:configs/first.yaml+configs/tiny.yaml")
    assert same.name == "recipe:first+tiny"
    assert same.options == {"config": "configs/tiny.yaml", "pretraining": "configs/first.yaml"}
    with pytest.raises(ValueError, match=r"there is no recipe configs/slow.yaml"):
        implementations.named("recipe:slow")


@pytest.mark.slow
def test_a_real_recipe_leaves_what_is_read(tmp_path):
    rows = [(f"the {colour} {number % 7}", colour) for number in range(30) for colour in ("red", "green", "blue")]
    for part in ("train", "test"):
        with (tmp_path / f"toys-{part}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *rows])
    config = tmp_path / "tiny.yaml"
    config.write_text(
        "model: {stack: pooled, embedding_dim: 4, hidden_size: 4}\n"
        "data: {class_path: seqclass.data.TextDataModule, init_args: {train: absent.csv, validation: 0.2}}\n"
        "trainer: {max_epochs: 1, enable_progress_bar: false}\n"
    )
    texts = TextSet.beside(tmp_path / "toys-train.csv")
    racer = RecipeRace(f"recipe:{config}", COMMON, texts, tmp_path, fresh=True, curve=True)
    (seconds,) = racer(0)
    (run,) = racer.runs
    assert run["curve"] == [(seconds, run["acc"])]
    assert run["seconds"] == seconds > 0
    assert run["acc"] == run["acc_ngrams"] == 1.0
    assert 0 <= run["acc_recurrent"] <= 1
