"""Training goes on from a checkpoint with its vocabulary, its labels and its sizes, or not at all."""

import csv
import json
import random
from pathlib import Path

import pytest
import torch
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import TextDataModule
from seqclass.errors import InputError
from seqclass.training import SequenceClassifier, new_classifier

RECIPE = """
seed_everything: 7
run_name: text
model: {stack: lstm, embedding_dim: 8, hidden_size: 8, optimizer: {class_path: seqclass.optim.KerasAdam}}
data: {class_path: seqclass.data.TextDataModule, init_args: {train: none, maxlen: 16, batch_size: 16}}
"""
WORDS = {"praise": "superb", "blame": "dull", "question": "why"}

pytestmark = pytest.mark.filterwarnings(
    "ignore::UserWarning:lightning",
    "ignore:`isinstance.treespec",
    "ignore:The value of the smallest subnormal",  # of old NumPy, where denormals are flushed
)


def write(path, labels, seed=0, size=90, others=("film", "story", "scene", "actor")):
    draw = random.Random(seed)
    with Path(path).open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for number in range(size):
            label = labels[number % len(labels)]
            words = [*draw.choices(others, k=5), WORDS[label], WORDS[label]]
            draw.shuffle(words)
            rows.writerow([" ".join(words), label])
    return str(path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))


def run(command, *options):
    Path("recipe.yaml").write_text(RECIPE)
    return main([command, "--config", "recipe.yaml", "--trainer.accelerator", "cpu", *options])


@pytest.fixture
def first():
    """The last checkpoint of a first training on texts of two classes."""
    train = write("first.csv", ["praise", "blame"])
    assert run("fit", "--data.train", train, "--trainer.max_epochs", "6", "--model.optimizer.lr", "0.02") == 0
    return "runs/text/1/checkpoints/last.ckpt"


def resume(checkpoint, train, *options):
    return run("fit", "--data.train", train, "--ckpt_path", checkpoint, "--trainer.max_epochs", "8", *options)


def correct(checkpoint, path):
    assert main(["evaluate", checkpoint, "--data", path, "--out", "out"]) == 0
    return json.loads(Path("out/metrics.json").read_text())["accuracy"]


class TestOtherData:
    def test_other_words_are_read_with_the_checkpoints_vocabulary(self, first):
        train = write("more.csv", ["praise", "blame"], seed=1, others=("zebra", "yak", "film", "lion", "ape", "owl"))
        assert resume(first, train) == 0
        before, after = (TextClassifier.load(f"runs/text/{n}/checkpoints/last.ckpt") for n in (1, 2))
        assert after.pipeline == before.pipeline
        assert "zebra" not in after.pipeline.vocabulary.words
        assert correct("runs/text/2/checkpoints/last.ckpt", train) > 0.9

    def test_labels_keep_the_checkpoints_order(self):
        write("three.csv", ["praise", "blame", "question"])
        assert run("fit", "--data.train", "three.csv", "--trainer.max_epochs", "8", "--model.optimizer.lr", "0.02") == 0
        checkpoint = "runs/text/1/checkpoints/last.ckpt"
        # Without the first of the sorted names, each label would be one number less.
        train = write("two.csv", ["praise", "question"], seed=1)
        assert resume(checkpoint, train, "--trainer.max_epochs", "10") == 0
        after = TextClassifier.load("runs/text/2/checkpoints/last.ckpt")
        assert after.label_names == ("blame", "praise", "question")
        assert correct("runs/text/2/checkpoints/last.ckpt", train) > 0.9

    def test_unknown_labels_are_one_error_before_training(self, first, capsys):
        train = write("three.csv", ["praise", "blame", "question"])
        capsys.readouterr()
        assert resume(first, train) == 2
        told = capsys.readouterr().err
        assert "labels that the model does not know: 'question'; it was trained for 'blame', 'praise'" in told
        assert "epoch" not in told
        assert not Path("runs/text/2").exists()

    def test_several_labels_where_the_checkpoint_has_one(self, first, capsys):
        train = write("first.csv", ["praise", "blame"])
        assert resume(first, train, "--data.label_separator", ";") == 2
        assert "multi_label=False, but in the data a text has any number of labels" in capsys.readouterr().err

    def test_from_python(self, first):
        train = write("more.csv", ["praise", "blame"], seed=1, others=("zebra", "yak"))
        data = TextDataModule(train=train, maxlen=16)
        anew = new_classifier(data, stack="lstm", hidden_size=8, embedding_dim=8, optimizer=fast_adam)
        with pytest.raises(
            InputError, match=r"reads texts in another way than the model.*trained=TextClassifier\.load"
        ):
            quiet_trainer(max_epochs=8).fit(anew, data, ckpt_path=first)
        data = TextDataModule(train=train, maxlen=16)
        trained = TextClassifier.load(first)
        module = new_classifier(data, trained=trained, optimizer=fast_adam)
        quiet_trainer(max_epochs=8).fit(module, data, ckpt_path=first)
        assert module.classifier.pipeline == trained.pipeline


class TestOtherOptions:
    def test_what_the_checkpoint_overrides_is_reported(self, first, capsys):
        train = write("first.csv", ["praise", "blame"])
        capsys.readouterr()
        options = ["--data.maxlen", "9", "--data.num_words", "77", "--model.optimizer.lr", "0.5"]
        assert resume(first, train, *options) == 0
        told = capsys.readouterr().err.splitlines()
        assert "The file of the model overrides: num_words=5000 (given: 77), maxlen=16 (given: 9)" in told
        assert "Going on with the checkpoint's learning rate 0.02, not 0.5" in told

    def test_other_sizes_are_one_error(self, first, capsys):
        capsys.readouterr()
        assert resume(first, "first.csv", "--model.hidden_size", "9") == 2
        assert "other options: hidden_size=9 (checkpoint: 8)" in capsys.readouterr().err
        assert not Path("runs/text/2").exists()

    def test_another_optimizer_is_one_sentence(self, first, capsys):
        capsys.readouterr()
        sgd = ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0.1"]
        assert resume(first, "first.csv", *sgd) == 2
        told = capsys.readouterr().err.strip().splitlines()[-1]
        assert told.startswith("seqclass: error: training cannot go on with SGD: the checkpoint holds the state of an ")
        assert "'betas', 'eps', 'lr'" in told

    @pytest.mark.parametrize(("limit", "done"), [("max_epochs", 6), ("max_steps", 24)])
    def test_a_training_that_has_ended(self, first, limit, done, capsys):
        capsys.readouterr()
        assert run("fit", "--data.train", "first.csv", "--ckpt_path", first, f"--trainer.{limit}", str(done)) == 2
        assert capsys.readouterr().err.strip().splitlines()[-1] == (
            f"seqclass: error: the training of {first} has ended: it has done {done} of trainer.{limit}={done}; "
            f"to go on, set trainer.{limit} to more than {done}"
        )
        assert not Path("runs/text/2").exists()
        data = TextDataModule(train="first.csv", maxlen=16)
        module = new_classifier(data, trained=TextClassifier.load(first), optimizer=fast_adam)
        with pytest.raises(InputError, match=rf"the training of the checkpoint has ended: it has done {done} of"):
            quiet_trainer(**{limit: done}).fit(module, data, ckpt_path=first)

    @pytest.mark.parametrize("suffix", ["ckpt", "safetensors"])
    def test_a_model_without_the_state_of_its_training(self, first, suffix, capsys):
        TextClassifier.load(first).save(f"alone.{suffix}")
        capsys.readouterr()
        assert resume(f"alone.{suffix}", "first.csv") == 2
        assert f"alone.{suffix} holds a model without the state of a training" in capsys.readouterr().err

    def test_testing_reports_what_the_checkpoint_overrides(self, first, capsys):
        capsys.readouterr()
        train = write("first.csv", ["praise", "blame"])
        assert run("test", "--data.train", train, "--ckpt_path", first, "--model.hidden_size", "9") == 0
        assert "The file of the model overrides: hidden_size=9 (checkpoint: 8)" in capsys.readouterr().err


class TestFigures:
    def test_the_best_score_is_in_its_checkpoint_and_evaluation_gives_it_again(self, first):
        write("held_out.csv", ["praise", "blame"], seed=4, size=31)
        train = ["--data.train", "first.csv", "--data.val", "held_out.csv", "--trainer.max_epochs", "3"]
        assert run("fit", *train) == 0
        (best,) = Path("runs/text/2/checkpoints").glob("epoch=*.ckpt")
        figures = TextClassifier.load(best).record["figures"]
        content = torch.load(best, weights_only=True)
        assert figures["epoch"] == content["epoch"]
        assert f"{figures['val_acc']:.4f}" in best.name
        assert correct(str(best), "held_out.csv") == pytest.approx(figures["val_acc"])

    def test_a_resumed_module_keeps_its_class_weights(self, first):
        data = TextDataModule(train="first.csv", maxlen=16)
        trained = TextClassifier.load(first)
        module = new_classifier(data, trained=trained, class_weights=[1.0, 3.0])
        trainer = quiet_trainer(max_epochs=1)
        trainer.fit(module, data)
        trainer.save_checkpoint("weighted.ckpt")
        assert SequenceClassifier.load_from_checkpoint("weighted.ckpt").class_weights == [1.0, 3.0]
