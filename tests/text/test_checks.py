import pytest

from seqclass.errors import InputError
from seqclass.text.checks import check_choice, check_whole


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None])
def test_not_a_whole_number_from_one_on(value):
    with pytest.raises(InputError, match=r"size is .*; allowed are whole numbers from 1 on$"):
        check_whole("size", value, least=1)


def test_none_only_where_it_is_allowed():
    check_whole("size", None, least=1, or_none=True)
    check_whole("size", 1, least=1, or_none=True)
    with pytest.raises(InputError, match="from 1 on and None"):
        check_whole("size", 0, least=1, or_none=True)


def test_choice():
    check_choice("side", "a", ("a", "b"))
    with pytest.raises(InputError, match=r"side is \['a'\]; allowed are 'a', 'b'"):
        check_choice("side", ["a"], ("a", "b"))
