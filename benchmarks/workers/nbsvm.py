"""``nbsvm``: logistic regression over naive Bayes' log-count ratios of word n-grams (Wang & Manning, 2012)."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.protocol import serve
from benchmarks.workers.texts import METHODS, TextWorker, are_long


class NbsvmWorker(TextWorker):
    """All 1,2,3-grams that at least two texts have, as present or absent, times their ratios; one class vs the rest.

    C = 1, and for documents C = 0.1. Snippets of two classes have the paper's interpolation between the mean weight and
    the learnt one, beta = 0.25; in a cross-validation of the training texts of TREC it did harm to more classes.
    """

    distributions = ("scikit-learn", "scipy", "numpy")

    def __init__(self) -> None:
        self.vectorizer = CountVectorizer(
            ngram_range=(1, 3), min_df=2, binary=True, token_pattern=r"\w+|[^\w\s]", dtype=np.float32
        )
        self.weights = np.zeros((0, 0))  # (n-grams, classes), or (n-grams, 1) for two classes

    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        present = self.vectorizer.fit_transform(texts)
        long = are_long(texts)
        self.classes = np.unique(labels)
        apart = self.classes[1:] if len(self.classes) == 2 else self.classes
        strength, beta = 0.1 if long else 1.0, 0.25 if len(apart) == 1 and not long else 1.0
        found = [_weights(present, labels == each, strength=strength, beta=beta) for each in apart]
        self.weights = np.stack([weights for weights, _ in found], axis=1)
        self.intercepts = np.array([intercept for _, intercept in found])

    def predict(self, texts: list[str]) -> np.ndarray:
        scores = self.vectorizer.transform(texts) @ self.weights + self.intercepts
        return self.classes[scores.argmax(axis=1) if len(self.classes) > 2 else (scores[:, 0] > 0).astype(int)]

    def numbers(self, texts: list[str]) -> None:
        self.vectorizer.fit_transform(texts)

    def parameters(self) -> int:
        return self.weights.size + self.weights.shape[1]


def _weights(
    present: sparse.csr_matrix, positive: np.ndarray, *, strength: float, beta: float
) -> tuple[np.ndarray, float]:
    """The weight of each n-gram's presence, and the intercept, for the texts that are positive against the others."""
    inside, outside = (
        1 + np.asarray(present[chosen].sum(axis=0, dtype=float)).ravel() for chosen in (positive, ~positive)
    )
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    model = LogisticRegression(C=strength, solver="liblinear", max_iter=1000)
    model.fit(present.multiply(ratio).tocsr(), positive)
    learnt = model.coef_.ravel()
    return ratio * ((1 - beta) * np.abs(learnt).mean() + beta * learnt), float(model.intercept_[0])


if __name__ == "__main__":
    serve(NbsvmWorker(), METHODS)
