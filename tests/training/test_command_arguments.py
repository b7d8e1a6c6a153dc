import pytest
import torch

from seqclass.errors import InputError
from seqclass.training.command_arguments import TEXT_RECIPE, given_options, prepare_arguments


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text("trainer: {max_epochs: 1}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("given", "ready"),
    [
        (["--x", "1", "--config", "a.yaml"], ["--config", "a.yaml", "--x", "1"]),
        (["--config=a.yaml", "--x=1", "-c", "b.yaml"], ["--config", "a.yaml", "--config", "b.yaml", "--x=1"]),
        (["--data", "My.Class", "--data.x", "1"], ["--data", "My.Class", "--data.x", "1"]),
        (["--data.train", "x.csv"], ["--config", str(TEXT_RECIPE), "--data.train", "x.csv"]),
    ],
)
def test_configs_come_first(given, ready):
    found, added = prepare_arguments(["fit", *given])
    assert found == ["fit", *ready]
    assert (added is not None) == (str(TEXT_RECIPE) in found)


@pytest.mark.parametrize("given", [[], ["--trainer.max_epochs", "3"]])
def test_nothing_to_train_on(given):
    with pytest.raises(InputError, match=r"seqclass test needs data: --data\.train FILE"):
        prepare_arguments(["test", *given])


def test_a_config_without_a_path():
    with pytest.raises(InputError, match="--config needs the path of a config"):
        prepare_arguments(["fit", "--config"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("last.ckpt", None, "last.ckpt is a checkpoint, not a config: --ckpt_path takes it"),
        ("nowhere.yaml", None, "cannot read the config nowhere.yaml: No such file or directory"),
        (".", None, "cannot read the config .: Is a directory"),
        (
            "mine.csv",
            b"text,label\ngood,pos\n",
            "mine.csv is not a config: it holds str and no entries; allowed",
        ),
        ("empty.yaml", b"", "empty.yaml is not a config: it holds NoneType and no entries"),
        ("latin.yaml", b"a: \xe9\n", "latin.yaml is not a config, but some other file"),
        ("model.bin", b"PK\3\4\0\0", "model.bin is not a config, but some other file"),
        ("large.yaml", b"a: 1\n" * 300_000, "large.yaml is not a config, but some other file"),
        ("open.yaml", b"a: {b: 1\nc: 2\n", "open.yaml is not a config: while parsing a flow mapping"),
        (
            "code.yaml",
            b"a: !!python/object/apply:os.getcwd []\n",
            "code.yaml is not a config: could not",
        ),
    ],
)
def test_what_is_no_config(folder, name, content, message):
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(InputError) as raised:
        prepare_arguments(["fit", "--config", name])
    assert str(raised.value).startswith(message)


def test_a_checkpoint_under_another_name(folder):
    torch.save({"state_dict": {}}, folder / "model")
    with pytest.raises(InputError, match="model is not a config, but some other file"):
        prepare_arguments(["fit", "--config", "model"])


def test_given_options():
    arguments = ["fit", "--model.stack", "lstm", "--model.hidden_size=3", "--data.maxlen", "3"]
    assert given_options(arguments, "model") == {"stack", "hidden_size"}
