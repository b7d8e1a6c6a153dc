import numpy as np
import pytest

from seqclass.data import Names


def test_names_are_a_list_of_strings():
    given = ["a.csv:2", "", "né\n", "x" * 1000]
    names = Names.of(given)
    assert list(names) == given
    assert (len(names), names[1], names[-1]) == (4, "", "x" * 1000)
    assert list(names[1:3]) == given[1:3]
    assert "né\n" in names
    with pytest.raises(IndexError):
        names[4]


def test_some_of_the_names():
    names = Names.of("abcdef").take(np.array([5, 0, 2]))
    assert list(names) == ["f", "a", "c"]
    assert list(names.take(np.array([2, 1]))) == ["c", "a"]
    assert names[-1] == "c"
    with pytest.raises(IndexError):
        names[3]
