import gzip
import json
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclass.data.sources import Reading
from seqclass.data.sources.parquet import read_parquet
from seqclass.errors import InputError


@pytest.fixture
def write(tmp_path):
    """Writes columns to a Parquet file and returns its path."""

    def write(name="a.parquet", **columns):
        pq.write_table(pa.table(columns), tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (["x", "y"], ["x", "y"]),
        (pa.array(["x", "y"]).dictionary_encode(), ["x", "y"]),
        ([3, -1], ["3", "-1"]),
        (pa.array([3, 1], pa.uint8()), ["3", "1"]),
        ([True, False], ["true", "false"]),
        ([4.0, 5.0], ["4", "5"]),
    ],
)
def test_labels_of_every_type(write, labels, names):
    path = write(text=["née\n", "dull"], id=[1, 2], label=labels)
    assert list(read_parquet(path, Reading())) == [(":1", "née\n", names[0]), (":2", "dull", names[1])]


class TestHuggingFace:
    """Files as its `datasets` writes them, whose metadata say what the numbers of a class column stand for."""

    @staticmethod
    def write(path, feature, labels, **columns):
        metadata = {"info": {"features": {"label": feature}}}
        table = pa.table({"text": ["a", "b"], "label": labels, **columns})
        pq.write_table(table.replace_schema_metadata({"huggingface": json.dumps(metadata)}), path)
        return path

    def test_numbers_become_the_names_of_their_classes(self, tmp_path):
        path = self.write(tmp_path / "a.parquet", {"names": ["neg", "pos"], "_type": "ClassLabel"}, [1, 0])
        assert [row.label for row in read_parquet(path, Reading())] == ["pos", "neg"]

    @pytest.mark.parametrize(
        "feature",
        [
            {"feature": {"names": ["joy", "fear"], "_type": "ClassLabel"}, "_type": "Sequence"},
            [{"names": ["joy", "fear"], "_type": "ClassLabel"}],
        ],
    )
    def test_lists_of_numbers_too(self, tmp_path, feature):
        path = self.write(tmp_path / "a.parquet", feature, [[0, 1], []])
        assert [row.label for row in read_parquet(path, Reading(label_separator=";"))] == ["fear;joy", ""]

    @pytest.mark.parametrize(
        "feature", [{"dtype": "int64", "_type": "Value"}, {"names": 5}, {"names": [1]}, [], None, {"feature": 3}]
    )
    def test_other_metadata_are_no_names(self, tmp_path, feature):
        path = self.write(tmp_path / "a.parquet", feature, [1, 0])
        assert [row.label for row in read_parquet(path, Reading())] == ["1", "0"]

    def test_numbers_without_a_class(self, tmp_path):
        path = self.write(tmp_path / "a.parquet", {"names": ["neg", "pos"], "_type": "ClassLabel"}, [1, -1])
        with pytest.raises(InputError, match=r"a\.parquet:2: 'label' is -1, which is not a class; the 2 classes"):
            list(read_parquet(path, Reading()))

    def test_fields_of_columns(self, tmp_path):
        review = [{"body": "fine", "stars": 5}, {"body": "dull", "stars": 1}]
        path = self.write(tmp_path / "a.parquet", None, [1, 0], review=review)
        reading = Reading(text_columns=("review.body",), label_column="review.stars")
        assert list(read_parquet(path, reading)) == [(":1", "fine", "5"), (":2", "dull", "1")]
        for name in ("reviews.body", "review.title"):
            with pytest.raises(InputError, match=rf"a\.parquet: there is no column '{name}'; the columns are 'text'"):
                list(read_parquet(path, Reading(text_columns=(name,))))


def test_compressed_and_larger_than_a_batch(write, tmp_path):
    path = write(body=[f"text {n}" for n in range(3000)], title=["t"] * 3000, kind=["x"] * 3000)
    (tmp_path / "a.parquet.gz").write_bytes(gzip.compress(path.read_bytes()))
    reading = Reading(text_columns=("title", "body"), label_column="kind")
    rows = list(read_parquet(tmp_path / "a.parquet.gz", reading))
    assert rows == list(read_parquet(path, reading))
    assert rows[-1] == (":3000", "t\ntext 2999", "x")


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"text": ["a"], "stars": ["x"]}, r": there is no column 'label'; the columns are 'text', 'stars'"),
        ({"text": ["a", None], "label": ["x", "y"]}, r":2: the text is empty; set `empty_texts`"),
        ({"text": ["a", "b"], "label": ["x", None]}, r":2: 'label' is None; a label has to be"),
        ({"text": ["a", "b"], "label": [1, 0.5]}, r":2: 'label' is 0\.5; a label has to be"),
        ({"text": [1], "label": ["x"]}, r":1: 'text' is 1; a text has to be a string"),
        ({"text": ["a", " "], "label": ["x", "y"]}, r":2: the text is empty"),
    ],
)
def test_what_cannot_be_used(write, columns, message):
    with pytest.raises(InputError, match=rf"a\.parquet{message}"):
        list(read_parquet(write(**columns), Reading()))


def test_text_that_is_no_utf8(write):
    bad = pa.Array.from_buffers(pa.utf8(), 1, pa.array([b"caf\xe9"]).buffers())
    with pytest.raises(InputError, match=r"a\.parquet:1: this is not UTF-8 \(byte 0xe9\)"):
        list(read_parquet(write(text=bad, label=["x"]), Reading()))


def test_without_pyarrow(write, monkeypatch):
    path = write(text=["a"], label=["x"])
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=r"needs pyarrow: pip install 'seqclass\[parquet\]'"):
        list(read_parquet(path, Reading()))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_file_that_is_cut_short_or_none_is_one_clear_error(write, data):
    path = write(text=["a", "b"], label=["x", "y"])
    whole = path.read_bytes()
    cut = data.draw(st.one_of(st.binary(max_size=50), st.integers(0, len(whole) - 1).map(lambda end: whole[:end])))
    path.write_bytes(cut)
    with pytest.raises(InputError, match=r"a\.parquet"):
        list(read_parquet(path, Reading()))
