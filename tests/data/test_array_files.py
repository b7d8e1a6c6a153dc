import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from seqclass.data.array_files import ArrayFile, RaggedFile, mapped, mapped_ragged
from seqclass.text import RaggedIds

# Files are overwritten from one example to the next, which is part of what they are for.
pieces = st.lists(st.lists(st.lists(st.integers(0, 70_000), max_size=4), max_size=4), max_size=4)


@given(st.lists(arrays.arrays(np.int32, st.integers(0, 5)), max_size=4))
def test_pieces_are_one_array(tmp_path_factory, parts):
    path = tmp_path_factory.getbasetemp() / "array.npy"
    with ArrayFile(path, np.int32) as file:
        for part in parts:
            file.append(part)
    expected = np.concatenate([np.zeros(0, dtype=np.int32), *parts])
    np.testing.assert_array_equal(np.load(path), expected)
    np.testing.assert_array_equal(mapped(path), expected)
    assert mapped(path).dtype == np.int32


def test_a_matrix(tmp_path):
    with ArrayFile(tmp_path / "array.npy", np.uint8, columns=3) as file:
        file.append(np.ones((2, 3), dtype=np.int64))
        file.append(np.zeros((4, 6), dtype=np.uint8)[:, ::2])
    assert np.load(tmp_path / "array.npy").tolist() == [[1, 1, 1]] * 2 + [[0, 0, 0]] * 4


def test_a_file_that_was_not_closed_is_none(tmp_path):
    file = ArrayFile(tmp_path / "array.npy", np.int64)
    file.append(np.arange(100_000))
    assert len(mapped(tmp_path / "array.npy")) == 0
    file.close()
    assert len(mapped(tmp_path / "array.npy")) == 100_000


@given(pieces)
def test_ragged_pieces_are_one_behind_the_other(tmp_path_factory, pieces):
    folder = tmp_path_factory.getbasetemp()
    with RaggedFile(folder, "ids", np.int32) as file:
        for piece in pieces:
            file.append(RaggedIds.from_lists(piece))
    ids = mapped_ragged(folder, "ids")
    assert [row.tolist() for row in ids] == [row for piece in pieces for row in piece]


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "array.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="Python objects"):
        mapped(tmp_path / "array.npy")
