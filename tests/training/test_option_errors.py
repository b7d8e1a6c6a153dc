"""What a person is told who mistypes an option, with the messages of the jsonargparse that is installed."""

from pathlib import Path

import pytest

from seqclass.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"
SGD = ["--model.optimizer", "torch.optim.SGD"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(arguments, capsys):
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    error, all_options = lines[-2:]
    assert all_options == "All options: seqclass fit --help_all"
    return error.removeprefix("seqclass: error: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data.trian", "x.csv"], "TextDataModule has no option data.trian; did you mean --data.train?"),
        (["--data.init_args.maxln", "3"], "TextDataModule has no option data.maxln; did you mean --data.maxlen?"),
        (["--data.colour", "red"], "TextDataModule has no option data.colour"),
        (
            [*SGD, "--model.optimizer.lrr", "1"],
            "SGD has no option model.optimizer.lrr; did you mean --model.optimizer.lr?",
        ),
        (["--model.dropot", "0"], "unrecognized arguments: --model.dropot 0; did you mean --model.dropout?"),
        (["--modl.stack", "lstm"], "unrecognized arguments: --modl.stack lstm; did you mean --model.stack?"),
        (["--colour", "red"], "unrecognized arguments: --colour red"),
        (["--data.batch_size", "many"], "data.batch_size is many; allowed is int"),
        (["--model.hidden_size", "many"], "model.hidden_size is many; allowed is int"),
        (["--data.validation", "some"], "data.validation is some; allowed is 'test' or float"),
        (["--model.optimizer", "Adamm"], "model.optimizer is Adamm; allowed is the import path of a class"),
        (["--trainer.callbacks+", "Early"], "trainer.callbacks is Early; allowed is the import path of a class"),
    ],
)
def test_an_option(arguments, message, capsys):
    assert told(["fit", "--config", str(CONFIGS / "text.yaml"), *arguments], capsys) == message


def test_own_texts_for_the_recipe_of_others(capsys):
    arguments = ["fit", "--config", str(CONFIGS / "lstm.yaml"), "--data.train", "mine.csv"]
    assert told(arguments, capsys) == (
        "IMDBDataModule has no option data.train; TextDataModule has it: for your own texts, leave --config out or "
        "give configs/text.yaml"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("model: {hiden_size: 3}", "there is no option model.hiden_size; did you mean --model.hidden_size?"),
        ("trainer: {max_epoch: 3}", "there is no option trainer.max_epoch; did you mean --trainer.max_epochs?"),
        (
            "data: {class_path: seqclass.data.TextDatModule}",
            "data: seqclass.data has no TextDatModule; did you mean TextDataModule?",
        ),
        (
            "data: {class_path: seqclass.data.TextDataModule, init_args: {trian: x}}",
            "TextDataModule has no option data.trian; did you mean --data.train?",
        ),
    ],
)
def test_an_entry_of_a_config(content, message, capsys):
    Path("mine.yaml").write_text(content)
    assert told(["fit", "--config", "mine.yaml"], capsys) == message
