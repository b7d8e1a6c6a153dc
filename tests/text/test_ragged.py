import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqclass.errors import InputError
from seqclass.text import RaggedIds

LISTS = st.lists(st.lists(st.integers(0, 70_000), max_size=6), max_size=8)


@given(LISTS)
def test_from_lists_and_back(lists):
    ids = RaggedIds.from_lists(lists)
    assert len(ids) == len(lists)
    assert [ids[i].tolist() for i in range(len(ids))] == lists
    assert ids.lengths.tolist() == [len(row) for row in lists]


@pytest.mark.parametrize(
    ("largest", "dtype"), [(0, np.uint16), (65_535, np.uint16), (65_536, np.int32), (2**31 - 1, np.int32)]
)
def test_smallest_dtype_that_fits(largest, dtype):
    ids = RaggedIds.from_lists([[1], [largest]])
    assert ids.values.dtype == dtype
    assert ids[1].tolist() == [largest]


def test_no_sequences_and_empty_sequences():
    assert len(RaggedIds.from_lists([])) == 0
    empty = RaggedIds.from_lists([[], []])
    assert len(empty) == 2
    assert empty[1].tolist() == []
    assert len(empty[[1, 0, 1]]) == 3


@given(lists=LISTS.filter(len), data=st.data())
def test_indexing_is_that_of_a_list(lists, data):
    ids = RaggedIds.from_lists(lists)
    rows = data.draw(st.lists(st.integers(-len(lists), len(lists) - 1)))
    several = np.array(rows, dtype=np.int64)
    assert [row.tolist() for row in ids[several]] == [lists[i] for i in rows]
    cut = data.draw(st.slices(len(lists)))
    assert [row.tolist() for row in ids[cut]] == lists[cut]
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(lists), max_size=len(lists))))
    assert [row.tolist() for row in ids[mask]] == [row for row, keep in zip(lists, mask, strict=True) if keep]
    assert ids[-1].tolist() == lists[-1]


def test_an_index_out_of_range():
    ids = RaggedIds.from_lists([[1], [2]])
    with pytest.raises(IndexError):
        ids[2]
    with pytest.raises(IndexError):
        ids[np.array([0, -3])]
    with pytest.raises(IndexError):
        ids[np.array([True])]


def test_neighbours_are_not_copied():
    ids = RaggedIds.from_lists([[1, 2], [3], [4, 5]])
    for rows in (slice(1, None), [1, 2], np.array([False, True, True])):
        assert np.shares_memory(ids[rows].values, ids.values)


@pytest.mark.parametrize(
    ("lists", "message"),
    [
        ([[1], [2, -3]], "sequence 1 has the id -3; ids are not negative"),
        ([[], [], [-1]], "sequence 2 has the id -1"),
        ([[1], [2**31]], "sequence 1 has an id that is not a 32-bit integer"),
        ([[1.5]], "sequence 0 has an id that is not a 32-bit integer"),
        ([[1], 3], "sequence 1"),
    ],
)
def test_wrong_ids(lists, message):
    with pytest.raises(InputError, match=message):
        RaggedIds.from_lists(lists)


@pytest.mark.parametrize(
    ("values", "offsets", "message"),
    [
        ([[1]], [0, 1], "values has to be 1-D and of integers, not 2-D"),
        ([1.0], [0, 1], "of float64"),
        ([1, 2], [0, 1], "offsets has to be ascending from 0 to the number of values, 2; it goes from 0 to 1"),
        ([1, 2], [1, 2], "it goes from 1 to 2"),
        ([1, 2], [0, 2, 1, 2], "it goes from 0 to 2 and is not ascending"),
        ([], [], "at least one element"),
        ([1], [0.0, 1.0], "offsets has to be 1-D of int64"),
    ],
)
def test_arrays_that_do_not_fit(values, offsets, message):
    values = np.array(values) if values else np.array([], dtype=np.int32)
    offsets = np.array(offsets) if offsets else np.array([], dtype=np.int64)
    with pytest.raises(InputError, match=message):
        RaggedIds(values, offsets)


def test_concatenated():
    parts = [RaggedIds.from_lists(lists) for lists in ([[1, 2], []], [], [[70_000]])]
    found = RaggedIds.concatenated(parts)
    assert [row.tolist() for row in (found[0], found[1], found[2])] == [[1, 2], [], [70_000]]
    assert len(found) == 3


def test_sequences_one_behind_the_other():
    ids = RaggedIds.from_lists([[1, 2], [], [3]])
    found = ids.joined_rows(RaggedIds.from_lists([[2, 0, 2], [], [1], [1, 0]]))
    assert [found[row].tolist() for row in range(len(found))] == [[3, 1, 2, 3], [], [], [1, 2]]


@pytest.mark.parametrize(("largest", "dtype"), [(65_535, np.uint16), (65_536, np.int32)])
def test_narrowed(largest, dtype):
    ids = RaggedIds(np.array([largest, 0], dtype=np.int32), np.array([0, 2]))
    assert ids.narrowed().values.dtype == dtype
    assert ids.narrowed().values.tolist() == [largest, 0]
