import numpy as np
import pytest

from seqclass.data import stratified_holdout
from seqclass.errors import InputError

LABELS = np.array([0] * 60 + [1] * 30 + [2] * 10)


def test_each_class_gives_the_same_fraction():
    stay, held = stratified_holdout(LABELS, fraction=0.2, seed=3)
    assert np.bincount(LABELS[held]).tolist() == [12, 6, 2]
    assert sorted([*stay, *held]) == list(range(100))
    assert (np.diff(stay) > 0).all()
    assert (np.diff(held) > 0).all()


def test_the_seed_decides():
    def held(seed):
        return stratified_holdout(LABELS, fraction=0.2, seed=seed)[1].tolist()

    assert held(3) == held(3)
    assert held(3) != held(4)


@pytest.mark.parametrize(("fraction", "count"), [(0.01, 0), (0.99, 10)])
def test_a_class_too_small_for_both_sides(fraction, count):
    labels = np.array([0] * 1000 + [1] * 10)
    with pytest.raises(InputError, match=f"hold out {count} of the 10 training texts of class 1"):
        stratified_holdout(labels, fraction=fraction, seed=0)
