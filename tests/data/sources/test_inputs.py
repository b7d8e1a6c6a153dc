import numpy as np
import pytest

from seqclass.data.sources import OwnTexts
from seqclass.data.sources.inputs import ListInput, open_input
from seqclass.data.sources.rows import Reading
from seqclass.errors import InputError


def test_lists():
    given = open_input((["good", "bad"], [True, 3]), "train")
    assert list(given.rows(Reading(text_columns=("ignored",)))) == [("[0]", "good", "true"), ("[1]", "bad", "3")]


def test_numbers_of_numpy_are_labels():
    given = open_input((np.array(["good", "bad"]), np.array([1, 0])), "train")
    assert [row.label for row in given.rows(Reading())] == ["1", "0"]


def test_lists_are_a_source():
    texts = [f"text {number}" for number in range(20)]
    source = OwnTexts((texts, [number % 2 for number in range(20)]))
    parts = source.read()
    assert source.label_names == ("0", "1")
    assert source.name == "train"
    assert len(parts["train"].texts) == 16
    assert set(parts["train"].names) | set(parts["test"].names) == {f"train[{number}]" for number in range(20)}


def test_fingerprint_follows_content():
    one = ListInput((["a", "b"], ["x", "y"]), "train").fingerprint(Reading())
    assert ListInput((("a", "b"), ("x", "y")), "train").fingerprint(Reading()) == one
    assert ListInput((["a", "b"], ["x", "z"]), "train").fingerprint(Reading()) != one


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet", "folder"])
def test_columns_are_for_tables_without_a_line_of_names(tmp_path, name):
    (tmp_path / name).mkdir() if name == "folder" else (tmp_path / name).write_text("{}")
    with pytest.raises(InputError, match=rf"{name} names its own columns: `columns` is for \.csv and \.tsv files"):
        list(open_input(tmp_path / name, "train").rows(Reading(columns=("text", "label"))))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((["a"], []), r"train has 1 texts and 0 labels"),
        (["a", "b"], r"train is \['a', 'b'\]; allowed are a path, or a pair"),
        (5, r"train is 5; allowed are a path, or a pair"),
    ],
)
def test_what_is_no_pair_of_lists(given, message):
    with pytest.raises(InputError, match=message):
        open_input(given, "train")


def test_a_bad_entry_is_named():
    with pytest.raises(InputError, match=r"train\[1\]: 'text' is None; a text has to be a string"):
        list(open_input((["a", None], ["x", "y"]), "train").rows(Reading()))


@pytest.mark.parametrize(("empty_texts", "kept"), [("keep", 3), ("skip", 1)])
def test_empty_texts_are_told(empty_texts, kept, capsys):
    source = OwnTexts((["a", "", " \n"], ["x", "y", "x"]), empty_texts=empty_texts)
    assert len(list(source.rows("train"))) == kept
    assert "Warning: 2 empty texts of train" in capsys.readouterr().err
