import math

import pytest

from seqclass.errors import InputError
from seqclass.training.class_weights import weights_in_order


def weights(given, names=("neg", "pos"), counts=None):
    return weights_in_order(given, num_classes=2, label_names=names, class_counts=counts)


def test_by_name_by_order_and_balanced():
    assert weights({"pos": 3.0, "neg": 1.0}) == [1.0, 3.0]
    assert weights({5: 2.0, 1: 0.5}, ("1", "5")) == [0.5, 2.0]
    assert weights({False: 2.0, True: 0.5}, ("false", "true")) == [2.0, 0.5]
    assert weights([2.0, 0.0]) == [2.0, 0.0]
    assert weights("balanced", counts=[30, 10]) == [40 / 60, 40 / 20]
    assert weights(None) is None


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        ({"neg": 1.0, "good": 2.0}, ("neg", "pos"), "no class is called 'good'; the classes are 'neg', 'pos'$"),
        ({"pos": 2.0}, ("neg", "pos"), "there is no weight for 'neg'; the classes are 'neg', 'pos'$"),
        ({False: 1.0, True: 2.0}, ("no", "yes"), "no class is called 'false', 'true'; .*names such as no .* quotes"),
        ({"pos": 2.0, "neg": 1.0}, (), "no class is called 'pos', 'neg'; the classes are not known"),
        ({"neg": 1.0, "pos": -2.0}, ("neg", "pos"), "does not fit: 2 numbers from 0 on are needed"),
        ([1.0, math.nan], ("neg", "pos"), "does not fit"),
        ([1.0, math.inf], ("neg", "pos"), "does not fit"),
        ([1.0], ("neg", "pos"), "does not fit"),
        ("balanced", ("neg", "pos"), "'balanced' needs a DataModule of seqclass"),
    ],
)
def test_what_does_not_fit(given, names, message):
    with pytest.raises(InputError, match=f"^class_weights=.*{message}"):
        weights(given, names)
