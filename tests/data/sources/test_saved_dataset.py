"""Folders that Hugging Face's `datasets` wrote; `datasets/make_datasets.py` made them."""

import json
import shutil
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.sources import read

from seqclass.data import OwnTexts
from seqclass.data.sources import Reading
from seqclass.data.sources.inputs import open_input
from seqclass.errors import InputError

FIXTURES = Path(__file__).parent / "datasets"

# Those of make_datasets.py, with the names of the classes.
ROWS = [
    ("[0]", "a wonderful film, née", "pos"),
    ("[1]", "a dull film", "neg"),
    ("[2]", "moving,\nand superb", "pos"),
    ("[3]", "", "neg"),
    ("[4]", "boring", "neg"),
]


@pytest.fixture
def copies(tmp_path):
    """Copies of the folders, to be changed."""
    shutil.copytree(FIXTURES, tmp_path / "copies")
    return tmp_path / "copies"


def rows(path, part="train", **reading):
    return list(open_input(path, part).rows(Reading(keep_empty=True, **reading)))


def test_rows_of_all_files_with_the_names_of_their_classes():
    assert rows(FIXTURES / "reviews") == ROWS
    assert rows(FIXTURES / "reviews", label_column=None)[4] == ("[4]", "boring", "")


def test_other_columns():
    found = rows(FIXTURES / "reviews", text_columns=("title", "text"), label_column="label")
    assert [row.text for row in found][1:3] == ["t2\na dull film", "\nmoving,\nand superb"]


@pytest.mark.parametrize(("part", "count"), [("train", 5), ("val", 2), ("test", 1), ("data", 1)])
def test_each_part_has_its_split(part, count):
    assert [row.label for row in rows(FIXTURES / "splits", part)] == ["pos", "neg", "pos", "neg", "neg"][:count]


def test_splits_are_the_parts_of_a_source():
    path = str(FIXTURES / "splits")
    source = OwnTexts(path, test=path, val=path, empty_texts="skip")
    parts = read(source)
    assert {name: part.names for name, part in parts.items()} == {
        "train": ["train[0]", "train[1]", "train[2]", "train[4]"],
        "val": ["validation[0]", "validation[1]"],
        "test": ["test[0]"],
    }
    with pytest.raises(InputError, match="train and test are the same texts"):
        OwnTexts(path, test=FIXTURES / "splits" / "train")


def test_a_split_by_name():
    assert len(rows(FIXTURES / "splits" / "train")) == 5
    message = r"unsupervised\[0\]: 'label' is -1, which is not a class; .* 'neg', 'pos'; data sets use -1 for"
    with pytest.raises(InputError, match=message):
        rows(FIXTURES / "splits" / "unsupervised")


def test_a_split_that_is_not_there(copies):
    (copies / "splits" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    with pytest.raises(InputError, match=r"several splits \('train'\), and 'test' is not the one for 'test'; name the"):
        open_input(copies / "splits", "test")
    with pytest.raises(InputError, match=r"and none of them is the one for 'input'"):
        open_input(copies / "splits", "input")


def test_the_fingerprint_follows_rows_and_names(copies):
    path = copies / "reviews"
    given = open_input(path, "train")
    one = given.fingerprint(Reading())
    assert open_input(FIXTURES / "reviews", "test").fingerprint(Reading()) == one
    info = path / "dataset_info.json"
    info.write_text(info.read_text().replace("neg", "bad"))
    assert given.fingerprint(Reading()) != one
    assert {row.label for row in given.rows(Reading(keep_empty=True))} == {"bad", "pos"}


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("state.json", "[", r"cannot read .*state\.json: Expecting value"),
        ("state.json", "[]", r"state\.json has to hold a JSON object, not \[\]"),
        ("state.json", "{}", r"state\.json does not name the data files as `datasets` does"),
        ("state.json", '{"_data_files": []}', "does not name the data files"),
        ("state.json", '{"_data_files": [{"filename": "../../secret.arrow"}]}', "does not name the data files"),
        ("state.json", '{"_data_files": [{"filename": ".."}]}', "does not name the data files"),
        ("state.json", '{"_data_files": [{"filename": 5}]}', "does not name the data files"),
        ("state.json", '{"_data_files": [{"filename": "lost.arrow"}]}', r"cannot read .*lost\.arrow"),
        ("data-00000-of-00002.arrow", "no Arrow", r"reviews holds no Arrow files of `datasets`, or is damaged"),
        ("data-00001-of-00002.arrow", "", r"reviews holds no Arrow files of `datasets`, or is damaged"),
    ],
)
def test_what_cannot_be_used(copies, file, content, message):
    (copies / "reviews" / file).write_text(content)
    with pytest.raises(InputError, match=message):
        rows(copies / "reviews")


def test_a_selection_by_indices_is_refused(copies):
    path = copies / "reviews" / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "_indices_data_files": [{"filename": "indices.arrow"}]}))
    with pytest.raises(InputError, match="holds a selection of rows by their indices"):
        open_input(copies / "reviews", "train")


def test_columns_and_options_that_are_not_there():
    with pytest.raises(InputError, match=r"reviews: there is no column 'body'; the columns are 'text', 'label'"):
        rows(FIXTURES / "reviews", text_columns=("body",))
    with pytest.raises(InputError, match=r"`columns` is for \.csv and \.tsv files only"):
        rows(FIXTURES / "reviews", columns=("text", "label"))


@pytest.mark.skipif(int(pa.__version__.split(".")[0]) < 18, reason="old pyarrow does not find fields by dotted paths")
def test_fields_within_columns(copies):
    path = copies / "reviews"
    table = pa.table({"review": [{"body": "fine"}], "label": [1]})
    with pa.OSFile(str(path / "data-00000-of-00002.arrow"), "wb") as file, pa.ipc.new_stream(file, table.schema) as to:
        to.write_table(table)
    (path / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00002.arrow"}]}')
    assert rows(path, text_columns=("review.body",)) == [("[0]", "fine", "pos")]


def test_without_pyarrow(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"reading .*reviews needs pyarrow: pip install 'seqclass\[parquet\]'"):
        rows(FIXTURES / "reviews")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 895), byte=st.integers(0, 255))
def test_a_damaged_file_is_rows_or_one_clear_error(copies, place, byte):
    path = copies / "reviews" / "data-00000-of-00002.arrow"
    content = bytearray((FIXTURES / "reviews" / path.name).read_bytes())
    content[place] = byte
    path.write_bytes(content)
    try:
        rows(copies / "reviews")
    except InputError as error:
        assert "reviews" in str(error)  # noqa: PT017
