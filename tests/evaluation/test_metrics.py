"""The figures on cases that can be worked out by hand."""

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from seqclass.errors import InputError
from seqclass.evaluation.comparison import compare
from seqclass.evaluation.metrics import measure
from seqclass.evaluation.prediction import Predictions


def predictions(labels, probabilities, names=("neg", "pos")):
    p = np.array(probabilities, dtype=np.float64)
    p = np.stack([1 - p, p], axis=1) if p.ndim == 1 else p
    return Predictions(names, np.array(labels), p, np.full(len(p), 5), ())


def test_two_classes():
    figures = measure(predictions([0, 0, 1, 1], [0.1, 0.6, 0.8, 0.9]))
    assert figures["accuracy"] == 0.75
    low, high = figures["accuracy_interval"]
    # Wilson's interval of 3 in 4, z = 1.959964.
    assert (low, high) == pytest.approx((0.30064, 0.95441), abs=1e-5)
    assert figures["confusion_matrix"] == [[1, 1], [0, 2]]
    assert figures["classes"]["pos"] == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 0.8, "support": 2})
    assert figures["macro"]["f1"] == pytest.approx((2 / 3 + 0.8) / 2)
    assert figures["micro"] == pytest.approx({"precision": 0.75, "recall": 0.75, "f1": 0.75})
    assert figures["roc_auc"] == figures["average_precision"] == 1
    assert figures["loss"] == pytest.approx(-np.log([0.9, 0.4, 0.8, 0.9]).mean())
    assert figures["brier"] == pytest.approx((0.01 + 0.36 + 0.04 + 0.01) / 4)
    assert figures["mcc"] == pytest.approx(2 / np.sqrt(3 * 2 * 2 * 1))
    # Confidences 0.9, 0.9 (one bin), 0.8, 0.6: right, right, right, wrong.
    assert figures["expected_calibration_error"] == pytest.approx((2 * 0.1 + 0.2 + 0.6) / 4)
    assert figures["threshold"] is None  # too few texts to hold any out


def test_threshold_is_chosen_on_the_held_out_part():
    draw = np.random.default_rng(3)
    labels = draw.integers(0, 2, 500)
    # The classes part at 0.3, not at one half.
    p = np.where(labels == 1, draw.uniform(0.3, 1, 500), draw.uniform(0, 0.3, 500))
    found = measure(predictions(labels, p))["threshold"]
    assert found["held_out"] == 100
    assert 0.3 <= found["threshold"] < 0.4
    assert found["held_out_accuracy"] == 1
    assert found["others_accuracy"] > 0.95 > found["others_accuracy_at_half"]


def test_three_classes():
    p = [[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]]
    figures = measure(predictions([0, 1, 2, 1], p, ("a", "b", "c")))
    assert figures["accuracy"] == 0.75
    assert figures["roc_auc"] == pytest.approx((1 + 1 + 1) / 3)
    assert figures["threshold"] is None


def test_several_labels_a_text():
    y = [[1, 0, 1], [0, 0, 0], [1, 1, 0], [0, 1, 1]]
    p = [[0.9, 0.2, 0.6], [0.1, 0.3, 0.2], [0.8, 0.4, 0.1], [0.7, 0.9, 0.8]]
    figures = measure(Predictions(("a", "b", "c"), np.array(y), np.array(p), np.full(4, 5), ()))
    # Wrong are b of the third text and a of the fourth.
    assert figures["accuracy"] == 0.5
    assert figures["label_accuracy"] == pytest.approx(10 / 12)
    assert figures["classes"]["a"] == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 0.8, "support": 2})
    assert figures["classes"]["b"] == pytest.approx({"precision": 1, "recall": 0.5, "f1": 2 / 3, "support": 2})
    assert figures["classes"]["c"] == {"precision": 1, "recall": 1, "f1": 1, "support": 2}
    assert figures["macro"]["f1"] == pytest.approx((0.8 + 2 / 3 + 1) / 3)
    assert figures["micro"] == pytest.approx({"precision": 5 / 6, "recall": 5 / 6, "f1": 5 / 6})
    # Every text that has a label stands above every one that has not, for each of the three.
    assert figures["roc_auc"] == figures["average_precision"] == 1
    of_truth = np.where(y, p, 1 - np.array(p))
    assert figures["loss"] == pytest.approx(-np.log(of_truth).mean())
    assert figures["brier"] == pytest.approx(((1 - of_truth) ** 2).mean())
    assert "confusion_matrix" not in figures


def test_calibration_of_several_labels():
    # In one bin 0.9, right for 3 of 4; in another 0.1, there for none of 4.
    y, p = np.array([[1, 0], [1, 0], [1, 0], [0, 0]]), np.tile([0.9, 0.1], (4, 1))
    figures = measure(Predictions(("a", "b"), y, p, np.full(4, 5), ()))
    assert figures["expected_calibration_error"] == pytest.approx((0.15 + 0.1) / 2)
    assert figures["roc_auc"] is None, "no text has b"


def test_certain_answers_have_a_finite_loss():
    figures = measure(
        Predictions(("a", "b"), np.array([[1, 0], [0, 1]]), np.array([[1.0, 0], [1.0, 0]]), np.ones(2), ())
    )
    assert 5 < figures["loss"] < 20


def test_class_without_texts():
    figures = measure(predictions([1, 1], [0.9, 0.2]))
    assert figures["accuracy"] == 0.5
    assert figures["roc_auc"] is None
    assert figures["average_precision"] is None
    assert figures["classes"]["neg"]["support"] == 0


def test_many_classes_have_no_matrix_of_zeros():
    draw = np.random.default_rng(3)
    names = tuple(f"class {number}" for number in range(100))
    labels, p = draw.integers(0, 100, 500), draw.dirichlet(np.ones(100), 500)
    figures = measure(predictions(labels, p, names))
    assert "confusion_matrix" not in figures
    dense = np.zeros((100, 100), dtype=int)
    for true, row in figures["confusion_counts"].items():
        for predicted, count in row.items():
            dense[names.index(true), names.index(predicted)] = count
    np.testing.assert_array_equal(dense, confusion_matrix(labels, p.argmax(axis=1), labels=range(100)))


class TestCompare:
    def test_mcnemar(self):
        labels = [1] * 20
        one = predictions(labels, [0.9] * 18 + [0.1] * 2)
        other = predictions(labels, [0.1] * 9 + [0.9] * 10 + [0.1])
        (test,) = compare({"one": one, "other": other}).tests
        assert (test.only_first, test.only_second) == (9, 1)
        # Two-sided binomial: 2 (C(10,0) + C(10,1)) / 2^10.
        assert test.p_value == pytest.approx(22 / 1024)

    def test_equal_models(self):
        one = predictions([0, 1], [0.1, 0.9])
        assert compare({"a": one, "b": one}).tests[0].p_value == 1

    def test_several_labels(self):
        y = np.array([[1, 0], [0, 1], [1, 1]])
        one = Predictions(("a", "b"), y, np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.2]]), np.ones(3), ())
        other = Predictions(("a", "b"), y, np.array([[0.9, 0.6], [0.2, 0.8], [0.7, 0.7]]), np.ones(3), ())
        (test,) = compare({"one": one, "other": other}).tests
        assert (test.only_first, test.only_second) == (1, 1)

    def test_other_texts(self):
        with pytest.raises(InputError, match="a and b cannot be compared"):
            compare({"a": predictions([0, 1], [0.1, 0.9]), "b": predictions([1, 1], [0.1, 0.9])})
