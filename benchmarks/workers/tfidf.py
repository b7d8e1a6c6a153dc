"""``tfidf``: TF-IDF over words and pairs of words, with logistic regression, from scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from benchmarks.protocol import serve
from benchmarks.workers.texts import METHODS, TextWorker, are_long


class TfidfWorker(TextWorker):
    """The usual recipe: all words and bigrams, of documents those that at least two have, sublinear counts, C = 30."""

    distributions = ("scikit-learn", "numpy")

    def __init__(self) -> None:
        self.model = make_pipeline(
            TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32),
            LogisticRegression(C=30.0, max_iter=1000),
        )

    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        self.model[0].set_params(min_df=2 if are_long(texts) else 1)
        self.model.fit(texts, labels)

    def predict(self, texts: list[str]) -> np.ndarray:
        return self.model.predict(texts)

    def numbers(self, texts: list[str]) -> None:
        self.model[0].set_params(min_df=2 if are_long(texts) else 1).fit_transform(texts)

    def parameters(self) -> int:
        regression = self.model[-1]
        return regression.coef_.size + regression.intercept_.size if hasattr(regression, "coef_") else 0


if __name__ == "__main__":
    serve(TfidfWorker(), METHODS)
