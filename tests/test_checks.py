import subprocess
import sys

import numpy as np
import pytest

from seqclass.checks import check_choice, check_positive, check_rate, check_whole
from seqclass.errors import InputError


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None])
def test_not_a_whole_number_from_one_on(value):
    with pytest.raises(InputError, match=r"size is .*; allowed are whole numbers from 1 on$"):
        check_whole("size", value, least=1)


def test_none_only_where_it_is_allowed():
    check_whole("size", None, least=1, or_none=True)
    check_whole("size", 1, least=1, or_none=True)
    with pytest.raises(InputError, match="from 1 on and None"):
        check_whole("size", 0, least=1, or_none=True)


def test_a_largest_number():
    check_whole("size", 1000, least=1, most=1000)
    with pytest.raises(InputError, match=r"size is 1001; allowed are whole numbers from 1 to 1,000 and None$"):
        check_whole("size", 1001, least=1, most=1000, or_none=True)


def test_choice():
    check_choice("side", "a", ("a", "b"))
    with pytest.raises(InputError, match=r"side is \['a'\]; allowed are 'a', 'b'"):
        check_choice("side", ["a"], ("a", "b"))


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_a_size_is_an_int(value):
    size = check_positive("size", value)
    assert size == 3
    assert type(size) is int


@pytest.mark.parametrize("value", [0, np.int64(0), -1, True, 1.0, "1", None])
def test_not_a_size(value):
    with pytest.raises(InputError, match=r"^size is .*; allowed are whole numbers from 1 on$"):
        check_positive("size", value)


@pytest.mark.parametrize("rate", [0, 0.25, 1, np.float32(0.25)])
def test_a_rate_is_a_float(rate):
    assert check_rate("dropout", rate) == rate
    assert type(check_rate("dropout", rate)) is float


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan"), "0.5", None])
def test_not_a_rate(rate):
    with pytest.raises(InputError, match=r"^dropout is .*; allowed are probabilities from 0 to 1$"):
        check_rate("dropout", rate)


def test_importing_the_checks_imports_no_torch():
    code = "import seqclass.checks, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
