"""The command line as a person uses it, on reviews that one short training learns."""

import csv
import io
import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import torch
import yaml

from seqclass import TextClassifier, __version__
from seqclass.cli import main
from seqclass.models import ChainOptions

CONFIGS = Path(__file__).parents[1] / "configs"

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning")


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, with an empty cache and without the real reviews."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("SEQCLASS_IMDB", raising=False)
    return tmp_path


@pytest.fixture
def small(easy_reviews):
    """What makes a recipe small enough for a test."""
    return [
        *("--data.path", str(easy_reviews), "--data.maxlen", "24", "--data.batch_size", "16"),
        *("--model.hidden_size", "8", "--model.embedding_dim", "8"),
        *("--trainer.accelerator", "cpu"),
    ]


def fit(name, *options):
    return main(["fit", "--config", str(CONFIGS / f"{name}.yaml"), *options])


class TestFit:
    def test_the_first_line_comes_before_what_takes_seconds(self):
        command = [sys.executable, "-m", "seqclass", "fit", "--config", "missing.yaml"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        loading, error = done.stderr.splitlines()
        assert loading == "Loading PyTorch and Lightning"
        assert error.startswith("seqclass: error: cannot read the config missing.yaml")

    @pytest.mark.parametrize("name", ["lstm", "lstm_dropout", "lstm_gate_dropout", "cnn_lstm"])
    def test_recipe(self, name, small, capsys):
        assert fit(name, *small) == 0
        run = Path("runs") / name / "1"
        printed = capsys.readouterr().out
        assert "parameters" in printed
        assert "epoch 1/1: " in printed
        assert f"This run's files are in {run}" in printed
        resolved = yaml.safe_load((run / "config.yaml").read_text())
        assert resolved["model"]["stack"] == name
        assert resolved["model"]["hidden_size"] == 8
        assert resolved["seed_everything"] == 7
        with (run / "metrics.csv").open() as file:
            columns = next(csv.reader(file))
        assert {"train_loss", "train_acc", "val_loss", "val_acc"} <= set(columns)
        assert (run / "checkpoints" / "last.ckpt").exists()

    def test_second_run_leaves_the_first_alone(self, small):
        assert fit("cnn_lstm", *small) == 0
        first = {file: file.read_bytes() for file in Path("runs/cnn_lstm/1").rglob("*") if file.is_file()}
        assert fit("cnn_lstm", *small, "--seed_everything", "8") == 0
        assert all(file.read_bytes() == content for file, content in first.items())
        assert Path("runs/cnn_lstm/2/config.yaml").exists()

    def test_repeats_from_its_own_resolved_config(self, small):
        assert fit("lstm_dropout", *small) == 0
        runs = Path("runs/lstm_dropout")
        first = {file: file.read_bytes() for file in (runs / "1").rglob("*") if file.is_file()}
        assert yaml.safe_load(first[runs / "1/config.yaml"])["checkpoint"]["save_last"] is True
        assert main(["fit", "--config", str(runs / "1/config.yaml")]) == 0
        assert all(file.read_bytes() == content for file, content in first.items())
        again = {file.relative_to(runs / "2") for file in (runs / "2").rglob("*") if file.is_file()}
        assert again == {file.relative_to(runs / "1") for file in first}
        assert Path("checkpoints/last.ckpt") in again
        for file in ("metrics.csv", "config.yaml"):
            assert (runs / "2" / file).read_bytes() == first[runs / "1" / file]

    def test_checkpoints_lie_where_they_are_wanted(self, small):
        assert fit("cnn_lstm", *small, "--checkpoint.dirpath", "kept") == 0
        assert {file.name[:6] for file in Path("kept").iterdir()} == {"epoch=", "last.c"}
        assert list(Path("runs").rglob("*.ckpt")) == []

    def test_tests_its_best_checkpoint_if_asked(self, small, capsys):
        assert fit("cnn_lstm", *small, "--test_after_fit", "true") == 0
        assert "test_acc" in Path("runs/cnn_lstm/1/metrics.csv").read_text()

    def test_so_many_steps_end_with_a_validation(self, small):
        assert fit("cnn_lstm", *small, "--trainer.max_steps", "3", "--test_after_fit", "true") == 0
        with Path("runs/cnn_lstm/1/metrics.csv").open() as file:
            filled = [{name for name, value in row.items() if value} for row in csv.DictReader(file)]
        assert {"val_loss", "val_acc"} <= filled[0]
        assert "test_acc" in filled[-1]
        assert len(list(Path("runs/cnn_lstm/1/checkpoints").glob("epoch=0-val_acc=*.ckpt"))) == 1

    def test_other_optimizer_and_scheduler(self, small):
        options = ["--model.optimizer", "torch.optim.SGD", "--model.optimizer.lr", "0.1"]
        options += ["--model.lr_scheduler", "torch.optim.lr_scheduler.StepLR", "--model.lr_scheduler.step_size", "1"]
        assert fit("lstm", *small, *options) == 0
        content = torch.load("runs/lstm/1/checkpoints/last.ckpt", weights_only=True)
        assert content["optimizer_states"][0]["param_groups"][0]["lr"] == pytest.approx(0.01)

    def test_resumes(self, small):
        assert fit("lstm", *small) == 0
        resumed = ["--ckpt_path", "runs/lstm/1/checkpoints/last.ckpt", "--trainer.max_epochs", "2"]
        assert fit("lstm", *small, *resumed) == 0
        assert fit("lstm", *small, "--trainer.max_epochs", "2") == 0
        weights = [
            torch.load(f"runs/lstm/{run}/checkpoints/last.ckpt", weights_only=True)["state_dict"] for run in (2, 3)
        ]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    def test_without_reviews_one_error_names_the_ways_out(self, capsys):
        assert fit("cnn_lstm", "--data.download", "false") == 2
        error = capsys.readouterr().err
        assert "SEQCLASS_IMDB" in error
        assert "on_missing" in error
        assert "Traceback" not in error
        assert not Path("runs").exists()

    def test_sample_in_place_of_missing_reviews_is_marked(self, capsys):
        options = ["--data.download", "false", "--data.on_missing", "sample", "--trainer.limit_train_batches", "2"]
        assert fit("cnn_lstm", *options, "--trainer.limit_val_batches", "1") == 0
        printed = capsys.readouterr()
        assert "small built-in sample" in printed.err
        assert "this run (sample)" in printed.out

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (["--model.dropot", "0.3"], "nrecognized arguments: --model.dropot 0.3; did you mean --model.dropout?"),
            (["--model.dropout", "0.3"], "stack 'cnn_lstm' has no option 'dropout'"),
            (["--model.hidden_size", "many"], "hidden_size"),
            (["--model.stack", "gru"], "gru"),
            (["--data.maxlen", "0"], "maxlen is 0"),
            (["--data.maxlen", "2000000"], "maxlen is 2000000; allowed are whole numbers from 1 to 1,000,000"),
            (["--data.path", "nowhere"], "not at nowhere"),
            (["--ckpt_path", "nowhere.ckpt"], "no checkpoint at nowhere.ckpt"),
        ],
    )
    def test_wrong_values_are_one_clear_error(self, options, message, capsys):
        assert fit("cnn_lstm", *options) == 2
        error = capsys.readouterr().err
        assert message in error
        assert "Traceback" not in error
        assert not Path("runs").exists()

    @pytest.mark.parametrize(("option", "value"), [("--data.maxlen", "1"), ("--model.pool_size", "600")])
    def test_texts_shorter_than_the_pooling_are_one_clear_error(self, option, value, small, capsys):
        assert fit("cnn_lstm", *small, option, value) == 2
        error = capsys.readouterr().err
        assert "is shorter than pool_size=" in error
        assert "Traceback" not in error
        assert not Path("runs").exists()

    def test_without_a_config(self, capsys):
        assert main(["fit"]) == 2
        assert "seqclass fit needs data: --data.train FILE reads your own" in capsys.readouterr().err

    def test_own_texts_without_a_config_take_the_text_recipe(self, labelled_rows, capsys):
        rows = [f"{text},{labels}\n" for text, labels in labelled_rows if labels in ("good", "bad")]
        Path("mine.csv").write_text("".join(["text,label\n", *rows]))
        short = ["--trainer.max_steps", "2", "--trainer.accelerator", "cpu", "--model.hidden_size", "8"]
        assert main(["fit", "--data.train", "mine.csv", *short]) == 0
        printed = capsys.readouterr()
        assert "No --config: using the recipe for your own texts" in printed.err
        assert "test_acc" in printed.out
        resolved = yaml.safe_load(Path("runs/text/1/config.yaml").read_text())
        recipe = yaml.safe_load((CONFIGS / "text.yaml").read_text())
        assert resolved["model"]["stack"] == recipe["model"]["stack"]
        assert resolved["data"]["init_args"]["token_pattern"] == recipe["data"]["init_args"]["token_pattern"]
        trained = ["--ckpt_path", "runs/text/1/checkpoints/last.ckpt", "--trainer.accelerator", "cpu"]
        assert main(["test", "--data.train", "mine.csv", *trained]) == 0

    def test_the_command_line_wins_over_the_config_in_any_order(self, small, capsys):
        assert main(["fit", *small, "--config", str(CONFIGS / "cnn_lstm.yaml"), "--trainer.max_epochs=1"]) == 0
        resolved = yaml.safe_load(Path("runs/cnn_lstm/1/config.yaml").read_text())
        assert resolved["model"]["hidden_size"] == 8
        assert resolved["data"]["init_args"]["maxlen"] == 24

    def test_another_stack_than_the_recipes(self, small, capsys):
        assert fit("cnn_lstm", *small, "--model.stack", "lstm") == 0
        told = capsys.readouterr().err
        assert "The stack lstm has no channels, kernel_size, pool_size: left out of the recipe" in told
        assert fit("cnn_lstm", *small, "--model.stack", "lstm", "--model.channels", "3") == 2
        assert "stack 'lstm' has no option 'channels' (given 3)" in capsys.readouterr().err

    def test_missing_config(self, capsys):
        assert main(["fit", "--config", "nowhere.yaml"]) == 2
        assert "nowhere.yaml" in capsys.readouterr().err


class TestTrained:
    @pytest.mark.parametrize("command", ["validate", "test", "predict"])
    def test_refuses_without_a_checkpoint(self, command, capsys):
        assert main([command, "--config", str(CONFIGS / "lstm.yaml")]) == 2
        assert f"seqclass {command} needs --ckpt_path" in capsys.readouterr().err

    @pytest.mark.parametrize("command", ["fit", "validate", "test", "predict"])
    def test_an_imported_chain_names_the_commands_that_take_it(self, command, easy_reviews, capsys):
        embedding = {"layer": "embedding", "num_embeddings": 9, "embedding_dim": 4}
        layers = [
            embedding,
            {"layer": "recurrent", "cell": "simple", "input_size": 4, "hidden_size": 3},
            {"layer": "dense", "in_features": 3, "out_features": 1},
        ]
        TextClassifier(ChainOptions(layers=layers)).save("chain.ckpt")
        arguments = ["--data.path", str(easy_reviews), "--ckpt_path", "chain.ckpt"]
        assert main([command, "--config", str(CONFIGS / "lstm.yaml"), *arguments]) == 2
        (error,) = capsys.readouterr().err.splitlines()
        assert error.startswith("seqclass: error: chain.ckpt holds an imported chain of layers")
        assert "`seqclass evaluate`" in error
        assert "`seqclass classify`" in error
        assert not Path("runs").exists()

    @pytest.mark.parametrize("command", ["validate", "test"])
    def test_measures_the_checkpoint_and_not_the_config(self, command, checkpoint, easy_reviews, capsys):
        # The recipe's stack, sizes and text length are others than the checkpoint's.
        arguments = ["--data.path", str(easy_reviews), "--ckpt_path", str(checkpoint), "--trainer.accelerator", "cpu"]
        assert main([command, "--config", str(CONFIGS / "cnn_lstm.yaml"), *arguments]) == 0
        with Path("runs/cnn_lstm/1/metrics.csv").open() as file:
            (row,) = csv.DictReader(file)
        assert float(row["val_acc" if command == "validate" else "test_acc"]) > 0.9

    def test_predict_writes_a_row_for_each_text(self, checkpoint, easy_reviews):
        arguments = ["--data.path", str(easy_reviews), "--ckpt_path", str(checkpoint), "--trainer.accelerator", "cpu"]
        assert main(["predict", "--config", str(CONFIGS / "lstm.yaml"), *arguments]) == 0
        with Path("runs/lstm/1/predictions.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == 90
        assert [file.name for file in Path("runs/lstm/1").iterdir() if file.suffix == ".part"] == []
        right = [row["name"].split("/")[1] == row["predicted"] for row in rows]
        assert sum(right) > 80
        assert float(rows[0]["p(neg)"]) + float(rows[0]["p(pos)"]) == pytest.approx(1, abs=1e-5)

    @pytest.mark.parametrize("file", ["mine.csv", "mine.jsonl"])
    def test_predict_without_labels_names_classify(self, file, checkpoint, capsys):
        Path("mine.csv").write_text("text\na superb film\nan awful film\n")
        Path("mine.jsonl").write_text('{"text": "a superb film"}\n{"text": "an awful film"}\n')
        own = ["--config", str(CONFIGS / "text.yaml"), "--data.train", file, "--ckpt_path", str(checkpoint)]
        assert main(["predict", *own]) == 2
        *_, error, hint = capsys.readouterr().err.splitlines()
        assert "'label'" in error
        start, _, command = hint.partition(": ")
        assert start == "Without labels"
        assert main(shlex.split(command)[1:]) == 0
        with Path("predictions.csv").open() as rows:
            assert [row["predicted"] for row in csv.DictReader(rows)] == ["pos", "neg"]
        assert main(["predict", *own, "--data.label_column", "null"]) == 2
        assert "`seqclass classify CKPT --input FILE` labels such texts" in capsys.readouterr().err


class TestClassify:
    def test_texts_as_arguments(self, checkpoint, capsys):
        assert main(["classify", str(checkpoint), "a wonderful, moving film", "an awful film"]) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert [(row[0], row[2]) for row in rows] == [("pos", "a wonderful, moving film"), ("neg", "an awful film")]
        assert all(0.5 <= float(row[1]) <= 1 for row in rows)

    def test_lines_of_standard_input(self, checkpoint, capsys, monkeypatch):
        monkeypatch.setattr(sys, "stdin", io.StringIO("superb\n\nawful\n"))
        with pytest.warns(UserWarning, match="1 of 3 texts have no word that the model knows"):
            assert main(["classify", str(checkpoint)]) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert [row[2] for row in rows] == ["superb", "", "awful"]
        assert (rows[0][0], rows[2][0]) == ("pos", "neg")

    def test_missing_checkpoint(self, capsys):
        assert main(["classify", "nowhere.ckpt", "text"]) == 2
        assert "no checkpoint at nowhere.ckpt" in capsys.readouterr().err


class TestMain:
    def test_help_names_every_command(self, capsys):
        assert main(["--help"]) == 0
        printed = capsys.readouterr().out
        assert all(command in printed for command in ("fit", "validate", "test", "predict", "classify"))

    @pytest.mark.parametrize("command", ["fit", "validate", "test", "predict"])
    def test_help_of_a_training_command_is_short_and_true(self, command, capsys):
        assert main([command, "--help"]) == 0
        short = capsys.readouterr().out
        assert len(short.splitlines()) < 30
        with pytest.raises(SystemExit) as ended:
            main([command, "--help_all"])
        assert ended.value.code == 0
        everything = capsys.readouterr().out
        assert "--trainer.devices" in everything
        # The classes of data and optimizers have their options, and the last two of these are classify's.
        others = ("--data.", "--model.optimizer.", "--help_all", "--input", "--out")
        named = {word for word in re.findall(r"--[\w.]+", short) if not word.startswith(others)}
        assert {option for option in named if option not in everything} == set()

    @pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["predict", "-h"]])
    def test_help_does_not_load_what_is_heavy(self, arguments):
        code = f"import sys; from seqclass.cli import main; main({arguments}); assert 'torch' not in sys.modules"
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)

    def test_unknown_command(self, capsys):
        assert main(["train"]) == 2
        assert "unknown command 'train'" in capsys.readouterr().err

    def test_version(self, capsys):
        assert main(["--version"]) == 0
        assert capsys.readouterr().out.strip() == __version__ == metadata.version("seqclass")
