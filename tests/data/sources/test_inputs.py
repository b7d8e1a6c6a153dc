import json

import numpy as np
import pytest
from support.sources import read

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
    parts = read(source)
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
    for option in ({"columns": ("text", "label")}, {"delimiter": ";"}):
        with pytest.raises(InputError, match=rf"{name}: `{next(iter(option))}` is for \.csv and \.tsv files only"):
            list(open_input(tmp_path / name, "train").rows(Reading(**option)))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("a.txt", r"A table of texts and labels has to be called \.csv or \.tsv, .* `seqclass classify CKPT` reads"),
        ("a.txt.gz", "A table of texts and labels"),
        ("a.xlsx", "Save the sheet as CSV"),
        ("a.doc", "saved by Hugging Face's `datasets`$"),
    ],
)
def test_what_to_do_with_other_files(tmp_path, name, hint):
    (tmp_path / name).write_text("text\tlabel\n")
    with pytest.raises(InputError, match=rf"cannot tell what .*{name} \(train\) is; allowed are .*{hint}"):
        open_input(tmp_path / name, "train")


def write_shards(folder, names=("part-2.csv", "part-10.csv", "part-1.jsonl", ".part-3.csv")):
    """Two texts in each file; the names are also what the texts say."""
    folder.mkdir()
    for name in names:
        rows = [(f"{name} one", "x"), (f"{name} two", "y")]
        if name.endswith("jsonl"):
            content = "".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows)
        else:
            content = "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)
        (folder / name).write_text(content)


def test_several_files_are_read_in_the_order_of_their_names(tmp_path):
    write_shards(tmp_path / "big")
    given = open_input(tmp_path / "big" / "part-*", "train")
    assert [row.text for row in given.rows(Reading())] == [
        f"{name} {number}" for name in ("part-1.jsonl", "part-10.csv", "part-2.csv") for number in ("one", "two")
    ]
    assert [row.where for row in given.rows(Reading())][1:3] == ["/part-1.jsonl:2", "/part-10.csv:2"]
    source = OwnTexts(str(tmp_path / "big" / "part-*.csv"))
    assert sorted(row.name for row in source.texts()) == [
        f"big/part-{file}.csv:{line}" for file in (10, 2) for line in (2, 3)
    ]


class TestWithoutLabels:
    """What `label_column=None` reads, in every form."""

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.csv", "id,text\n1,fine\n2,\n"),
            ("a.jsonl", '{"text": "fine"}\n{"text": null}\n'),
            ("a.json", '[{"text": "fine"}, {"text": ""}]'),
            ("a/1.txt", "fine"),
            ("a-*.csv", "text\nfine\n"),
        ],
    )
    def test_texts_alone_are_enough(self, tmp_path, name, content):
        path = tmp_path / name.replace("*", "1")
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        if name == "a/1.txt":
            (tmp_path / "a" / "2.txt").write_text("")
        given = open_input(tmp_path / name.partition("/")[0], "predict")
        rows = list(given.rows(Reading(label_column=None, keep_empty=True)))
        assert [(row.text, row.label) for row in rows] == [("fine", ""), ("", "")][: len(rows)]
        assert len(rows) == (1 if "*" in name else 2)

    def test_a_label_that_is_there_is_not_looked_at(self):
        given = open_input((["a", "b"], [None, 1.5]), "predict")
        assert [row.label for row in given.rows(Reading(label_column=None))] == ["", ""]

    def test_they_cannot_be_trained_on(self):
        with pytest.raises(InputError, match=r"train is to be read without labels .*`seqclass classify CKPT --input"):
            list(OwnTexts((["a", "b"], ["x", "y"]), reading=Reading(label_column=None)).texts())


def test_the_fingerprint_of_several_files_follows_each(tmp_path):
    write_shards(tmp_path / "big")

    def fingerprint():
        return open_input(tmp_path / "big" / "*.csv", "train").fingerprint(Reading())

    one = fingerprint()
    (tmp_path / "big" / "part-1.jsonl").write_text("another file's change")
    assert fingerprint() == one
    (tmp_path / "big" / "part-2.csv").write_text("text,label\na,b\n")
    two = fingerprint()
    (tmp_path / "big" / "part-2.csv").rename(tmp_path / "big" / "part-3.csv")
    assert len({one, two, fingerprint()}) == 3


def test_one_of_several_files_cannot_be_in_another_part(tmp_path):
    write_shards(tmp_path / "big")
    (tmp_path / "link.csv").symlink_to(tmp_path / "big" / "part-2.csv")
    for test in (tmp_path / "big" / "part-2.csv", tmp_path / "link.csv", tmp_path / "big" / "*-2*"):
        with pytest.raises(InputError, match="train and test are the same texts"):
            OwnTexts(tmp_path / "big" / "part-*.csv", test=test)
    OwnTexts(tmp_path / "big" / "part-2.csv", test=tmp_path / "big" / "part-1*")


def test_an_error_in_one_of_several_files_names_it(tmp_path):
    write_shards(tmp_path / "big")
    (tmp_path / "big" / "part-2.csv").write_text("text,label\na,b\nc\n")
    with pytest.raises(InputError, match=r"big/part-2\.csv:3: this row has 1 fields"):
        list(open_input(tmp_path / "big" / "*.csv", "train").rows(Reading()))
    with pytest.raises(InputError, match=r"big/part-10\.csv:2: no training text has the label 'x'"):
        list(OwnTexts((["a", "b"], ["1", "2"]), test=tmp_path / "big" / "*.csv").texts())


def test_a_file_may_be_called_like_a_pattern(tmp_path):
    write_shards(tmp_path / "big", ["part-[1].csv", "part-1.csv"])
    assert [row.text[:8] for row in open_input(tmp_path / "big" / "part-[1].csv", "train").rows(Reading())] == [
        "part-[1]",
        "part-[1]",
    ]


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("big/*.tsv", r"there are no texts at .*big/\*\.tsv \(train\): no file name matches"),
        ("other/*.csv", r"there are no texts at .*other/\*\.csv \(train\): no file name matches"),
        ("b*/part.csv", r"b\*/part\.csv \(train\): only the name of the files may hold \*, \? and \[\]"),
        ("big/*.csv*", r"cannot tell what .*part-2\.csv\.crc \(train\) is; allowed are"),
    ],
)
def test_patterns_that_lead_nowhere(tmp_path, pattern, message):
    write_shards(tmp_path / "big")
    (tmp_path / "big" / "part-2.csv.crc").write_bytes(b"0")
    with pytest.raises(InputError, match=message):
        open_input(tmp_path / pattern, "train")


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
    with pytest.raises(InputError, match=r"train\[1\]: 'text' is 5; a text has to be a string"):
        list(open_input((["a", 5], ["x", "y"]), "train").rows(Reading()))


@pytest.mark.parametrize(("empty_texts", "kept"), [("keep", 5), ("skip", 1)])
def test_empty_texts_are_told(empty_texts, kept, capsys):
    source = OwnTexts((["a", "", " \n", None, float("nan")], ["x", "y", "x", "y", "y"]), empty_texts=empty_texts)
    assert len(list(source.rows("train"))) == kept
    assert "Warning: 4 empty texts of train" in capsys.readouterr().err
