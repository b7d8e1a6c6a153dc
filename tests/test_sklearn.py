"""The estimator among scikit-learn's own tools, and under its own checks."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

pytest.importorskip("sklearn", reason="lacks scikit-learn: pip install 'seqclass[sklearn]'")

from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import parametrize_with_checks
from sklearn.utils.validation import validate_data

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.sklearn import TextEstimator
from seqclass.training.default_recipe import default_recipe

SMALL = {
    "stack": "lstm",
    "hidden_size": 8,
    "embedding_dim": 8,
    "maxlen": 24,
    "max_steps": 120,
    "batch_size": 16,
    "learning_rate": 0.02,
    "random_state": 5,
}


class NumbersAsTexts(TextEstimator):
    """Reads each row of numbers as a text of as many words, so that scikit-learn's checks can try what is behind it."""

    def fit(self, X, y):
        X, y = validate_data(self, X, y)
        return super().fit(as_texts(X), y)

    def predict_proba(self, X):
        return super().predict_proba(as_texts(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = tags.input_tags.one_d_array = False
        tags.input_tags.two_d_array = True
        return tags


def as_texts(rows):
    return [" ".join(f"c{column}n{value:.0f}" for column, value in enumerate(row)) for row in rows]


with warnings.catch_warnings():
    # It says that most of its checks want numbers; those run over the second.
    warnings.simplefilter("ignore", SkipTestWarning)
    of_both = parametrize_with_checks([TextEstimator(**SMALL), NumbersAsTexts(**SMALL)])
    # A list, for scikit-learn 1.7 makes them only when they are asked for.
    all_checks = pytest.mark.parametrize(of_both.args[0], list(of_both.args[1]), **of_both.kwargs)


@all_checks
@pytest.mark.filterwarnings("ignore:.*have no word that the model knows:UserWarning")
def test_scikit_learn_s_own_checks(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def texts(easy_reviews):
    files = sorted((easy_reviews / "train").rglob("*.txt"))
    return [file.read_text() for file in files], [file.parent.name for file in files]


@pytest.fixture(scope="module")
def fitted(texts):
    return TextEstimator(**SMALL).fit(*texts)


def test_learns_and_predicts(fitted, texts):
    X, y = texts
    assert fitted.classes_.tolist() == ["neg", "pos"]
    assert fitted.score(X, y) > 0.9
    p = fitted.predict_proba(X[:7])
    assert p.shape == (7, 2)
    assert p.sum(axis=1) == pytest.approx(np.ones(7), abs=1e-12)
    assert fitted.predict(X[:7]).tolist() == fitted.classes_[p.argmax(axis=1)].tolist()


def test_the_trained_model_is_one_of_the_commands(fitted, texts, tmp_path):
    fitted.classifier_.save(tmp_path / "model.ckpt")
    loaded = TextClassifier.load(tmp_path / "model.ckpt")
    assert loaded.label_names == ("neg", "pos")
    assert [result.labels[0] for result in loaded.classify(texts[0])] == fitted.predict(texts[0]).tolist()


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [([10, 2], "i"), ([True, False], "b"), (["b", "a"], "U"), ([1.0, 0.0], "f"), (["", "  "], "U"), ([-1, 1], "i")],
)
def test_labels_keep_their_kind_and_order(labels, dtype, texts):
    X, y = texts
    of = dict(zip(("neg", "pos"), labels, strict=True))
    given = np.array([of[label] for label in y])
    estimator = TextEstimator(**SMALL).fit(X, given)
    assert estimator.classes_.tolist() == sorted(labels)
    found = estimator.predict(X)
    assert found.dtype.kind == dtype
    assert (found == given).mean() > 0.9


def test_same_random_state_same_model_and_the_global_one_is_left_alone(fitted, texts):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    again = TextEstimator(**SMALL).fit(*texts)
    assert torch.equal(torch.rand(3), expected)
    assert np.array_equal(again.predict_proba(texts[0]), fitted.predict_proba(texts[0]))
    other = TextEstimator(**{**SMALL, "random_state": 6}).fit(*texts)
    assert not np.allclose(other.predict_proba(texts[0]), fitted.predict_proba(texts[0]))


def test_pickle_holds_the_model_in_another_process(fitted, texts, tmp_path):
    (tmp_path / "estimator.pickle").write_bytes(pickle.dumps(fitted))
    code = "import pickle, sys; print(pickle.load(open(sys.argv[1], 'rb')).predict_proba([sys.argv[2]]).tolist())"
    command = [sys.executable, "-c", code, str(tmp_path / "estimator.pickle"), texts[0][0]]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert np.array(eval(done.stdout)) == pytest.approx(fitted.predict_proba(texts[0][:1]), abs=1e-6)


def test_a_clone_is_not_fitted(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "classifier_")


def test_in_a_pipeline_with_a_grid_search(texts):
    X, y = texts
    lower = FunctionTransformer(lambda column: [text.lower() for text in column])
    pipeline = Pipeline([("lower", lower), ("classify", TextEstimator(**SMALL))])
    search = GridSearchCV(pipeline, {"classify__max_steps": [1, 120]}, cv=2).fit(X, y)
    assert search.best_params_ == {"classify__max_steps": 120}
    assert search.best_score_ > 0.8
    assert search.predict(["WONDERFUL superb film", "DULL awful film"]).tolist() == ["pos", "neg"]


def test_cross_validation(texts):
    scores = cross_val_score(TextEstimator(**SMALL), *map(np.array, texts), cv=3)
    assert scores.min() > 0.8


def test_beside_scikit_learn_s_own(texts):
    from sklearn.ensemble import VotingClassifier

    linear = make_pipeline(TfidfVectorizer(), LogisticRegression())
    vote = VotingClassifier([("linear", linear), ("network", TextEstimator(**SMALL))], voting="soft").fit(*texts)
    assert vote.score(*texts) > 0.95


def test_class_weights(texts):
    X, y = texts
    share = [
        (TextEstimator(**SMALL, class_weight=weights).fit(X, y).predict(X) == "neg").mean()
        for weights in (
            {"neg": 1000.0},
            {"pos": 1000.0},
        )
    ]
    assert share[0] > 0.5 > share[1]
    assert TextEstimator(**SMALL, class_weight="balanced").fit(X, y).score(X, y) > 0.9
    with pytest.raises(ValueError, match="class_weight has 'good', which is not a class"):
        TextEstimator(**SMALL, class_weight={"good": 1.0}).fit(X, y)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ("a film", ["pos"], "X is a single text, 'a film'"),
        ([], [], "0 sample"),
        (["a", 3], ["pos", "neg"], r"X\[1\] is 3, of int; texts are str"),
        (np.zeros((4, 2)), [0, 1, 0, 1], r"X has the shape \(4, 2\)"),
        (["a", "b"], ["pos"], "inconsistent numbers of samples"),
        (["a", "b"], ["pos", "pos"], "one class only, 'pos'"),
        (["a", "b", "c"], [0.1, 0.2, 0.7], "Unknown label type: continuous"),
        (["a", "b"], None, "requires y to be passed"),
    ],
)
def test_what_cannot_be_learnt_from(X, y, message):
    with pytest.raises(ValueError, match=message):
        TextEstimator(**SMALL).fit(X, y)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"stack": "transformer"}, "transformer"),
        ({"hidden_size": 0}, "hidden_size is 0"),
        ({"maxlen": 0}, "maxlen is 0"),
        ({"validation": 2.0}, "validation is 2.0"),
    ],
)
def test_wrong_options(options, message, texts):
    with pytest.raises(InputError, match=message):
        TextEstimator(**{**SMALL, **options}).fit(*texts)


def test_fits_and_predicts_without_a_word(texts, capfd, recwarn):
    TextEstimator(**SMALL).fit(*texts).predict(texts[0])
    assert capfd.readouterr() == ("", "")
    assert not recwarn.list


@pytest.mark.filterwarnings("default")
def test_what_a_command_would_print_of_the_texts_is_a_warning(texts):
    X, y = texts
    with pytest.warns(UserWarning, match="empty texts of train are kept") as warned:
        TextEstimator(**SMALL).fit([*X, "", " "], [*y, "pos", "neg"])
    assert all(warning.filename == __file__ for warning in warned)


def test_unset_options_are_the_recipe_s(texts):
    options = {"max_steps": 2, "model_options": {"hidden_size": 3}, "data_options": {"maxlen": 7}}
    estimator = TextEstimator(**options, random_state=0).fit(*texts)
    classifier, recipe = estimator.classifier_, default_recipe()
    assert classifier.options.stack == recipe.model["stack"]
    assert classifier.options.hidden_size == 3
    assert classifier.pipeline.maxlen == 7
    assert classifier.pipeline.tokenizer.kind == recipe.data["tokenizer"]
    assert classifier.record == {}
