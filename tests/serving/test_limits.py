import pytest

from seqclass.errors import InputError
from seqclass.serving.limits import Limits


@pytest.mark.parametrize("value", [0, -1, 2.5, True])
@pytest.mark.parametrize("name", ["max_texts", "max_characters", "max_explained", "max_bytes", "timeout"])
def test_limits_are_whole_numbers_from_1_on(name, value):
    with pytest.raises(InputError, match=f"{name} is {value!r}"):
        Limits(**{name: value})
