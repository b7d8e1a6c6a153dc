import gzip
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
    ],
)
def test_labels_of_every_type(write, labels, names):
    path = write(text=["née\n", "dull"], id=[1, 2], label=labels)
    assert list(read_parquet(path, Reading())) == [(":1", "née\n", names[0]), (":2", "dull", names[1])]


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
        ({"text": ["a", None], "label": ["x", "y"]}, r":2: 'text' is None; a text has to be a string"),
        ({"text": ["a", "b"], "label": ["x", None]}, r":2: 'label' is None; a label has to be"),
        ({"text": ["a", "b"], "label": [1, 0.5]}, r":1: 'label' is 1\.0; a label has to be"),
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
