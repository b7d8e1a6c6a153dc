import numpy as np
import pytest

from seqclass.data import stratified_holdout
from seqclass.data.split import check_fraction, label_array
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


@pytest.mark.parametrize(("fraction", "held_of_each"), [(0.001, [1, 1, 1]), (0.999, [59, 29, 9])])
def test_each_class_has_a_text_on_either_side(fraction, held_of_each):
    stay, held = stratified_holdout(LABELS, fraction=fraction, seed=0)
    assert np.bincount(LABELS[held]).tolist() == held_of_each
    assert set(LABELS[stay]) == {0, 1, 2}


class TestASingleText:
    LABELS = np.array([0, 0, 1, 0])

    def test_named(self):
        message = (
            r"class rare has a single text to train on \(a.csv:4\), and test_fraction=0\.5 needs two of each class: "
            "one to hold out and one to stay"
        )
        options = {"option": "test_fraction", "names": [f"a.csv:{i}" for i in (2, 3, 4, 5)]}
        with pytest.raises(InputError, match=message):
            stratified_holdout(self.LABELS, fraction=0.5, seed=0, label_names=("often", "rare"), **options)

    def test_without_names(self):
        with pytest.raises(InputError, match=r"class 1 has a single text to train on, and validation=0\.5"):
            stratified_holdout(self.LABELS, fraction=0.5, seed=0)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, -0.5, True, "0.5", float("nan")])
def test_what_is_no_fraction(value):
    with pytest.raises(InputError, match=r"size is .*; allowed are fractions above 0 and below 1"):
        check_fraction("size", value)
    with pytest.raises(InputError, match="allowed are 'all' and fractions"):
        check_fraction("size", value, besides="'all'")


class TestSeveralLabels:
    def test_combinations_are_split_alike(self):
        labels = label_array([(0,), (0, 1), (), (1,)] * 10, 2)
        stay, held = stratified_holdout(labels, fraction=0.2, seed=1)
        assert sorted([*stay, *held]) == list(range(40))
        assert sorted(map(tuple, labels[held].tolist())) == sorted([(1, 0), (1, 1), (0, 0), (0, 1)] * 2)

    @pytest.mark.parametrize("alone", [[], [(0, 1, 2)], [(0, 1, 2), (2,)]])
    def test_combinations_that_stand_alone_are_no_error(self, alone):
        labels = label_array([(0,)] * 6 + [(1,)] * 4 + alone, 3)
        stay, held = stratified_holdout(labels, fraction=0.3, seed=1)
        assert len(stay) + len(held) == 10 + len(alone)
        assert 3 <= len(held) <= 4

    def test_array(self):
        assert label_array([(0, 2), ()], 3).tolist() == [[1, 0, 1], [0, 0, 0]]
        assert label_array([1, 0], 3).tolist() == [1, 0]
