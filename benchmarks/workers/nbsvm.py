"""``nbsvm``: logistic regression over naive Bayes' log-count ratios of word n-grams (Wang & Manning, 2012)."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from benchmarks.protocol import serve
from benchmarks.workers.base import EPOCH_METHODS
from benchmarks.workers.texts import TextWorker

LONG = 100
"""Words of the mean text from which on texts are documents, not snippets."""


class NbsvmWorker(TextWorker):
    """All 1-3-grams that at least two texts have, present or not, each times its log-count ratio; one against the rest.

    Snippets have the paper's C = 1 and its interpolation between the mean weight and the learnt one, beta = 0.25.
    Documents have C = 0.1 and the weights as they are learnt (Mesnil et al., 2014).
    """

    distributions = ("scikit-learn", "scipy", "numpy")

    def __init__(self) -> None:
        self.vectorizer = CountVectorizer(
            ngram_range=(1, 3), min_df=2, binary=True, token_pattern=r"\w+|[^\w\s]", dtype=np.float32
        )
        self.weights = np.zeros((0, 0))  # (n-grams, classes), or (n-grams, 1) for two classes

    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        present = self.vectorizer.fit_transform(texts)
        long = np.mean([len(text.split()) for text in texts]) >= LONG
        self.classes = np.unique(labels)
        apart = self.classes[1:] if len(self.classes) == 2 else self.classes
        found = [_weights(present, labels == each, long=long) for each in apart]
        self.weights = np.stack([weights for weights, _ in found], axis=1)
        self.intercepts = np.array([intercept for _, intercept in found])

    def predict(self, texts: list[str]) -> np.ndarray:
        scores = self.vectorizer.transform(texts) @ self.weights + self.intercepts
        return self.classes[scores.argmax(axis=1) if len(self.classes) > 2 else (scores[:, 0] > 0).astype(int)]

    def parameters(self) -> int:
        return self.weights.size + self.weights.shape[1]


def _weights(present: sparse.csr_matrix, positive: np.ndarray, *, long: bool) -> tuple[np.ndarray, float]:
    """The weight of each n-gram's presence, and the intercept, for the texts that are positive against the others."""
    inside, outside = (1 + np.asarray(present[chosen].sum(axis=0)).ravel() for chosen in (positive, ~positive))
    ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    model = LogisticRegression(C=0.1 if long else 1.0, solver="liblinear", max_iter=1000)
    model.fit(present.multiply(ratio).tocsr(), positive)
    learnt = model.coef_.ravel()
    beta = 1.0 if long else 0.25
    return ratio * ((1 - beta) * np.abs(learnt).mean() + beta * learnt), float(model.intercept_[0])


if __name__ == "__main__":
    serve(NbsvmWorker(), EPOCH_METHODS)
