"""``fasttext``: fastText's supervised classifier with pairs of words."""

from __future__ import annotations

import tempfile
from pathlib import Path

import fasttext
import numpy as np

from benchmarks.protocol import serve
from benchmarks.workers.texts import METHODS, TextWorker

PUNCTUATION = str.maketrans({mark: f" {mark} " for mark in '!"#$%&()*,./:;<=>?@[]^_`{|}~'})
"""fastText splits on spaces alone; its own examples set punctuation apart and lower-case first."""


class FasttextWorker(TextWorker):
    """Bigrams, 100 dimensions, five epochs (its default)."""

    distributions = ("fasttext-wheel", "numpy")
    model: fasttext.FastText._FastText | None = None

    def fit(self, texts: list[str], labels: np.ndarray) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "train.txt"
            lines = (f"__label__{label:.0f} {_words(text)}" for label, text in zip(labels, texts, strict=True))
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            self.model = fasttext.train_supervised(
                str(path), wordNgrams=2, lr=0.5, thread=self.threads, seed=self.seed, verbose=0
            )

    def predict(self, texts: list[str]) -> np.ndarray:
        # FastText.predict fails with NumPy 2; the extension below it does not.
        predictions = (self.model.f.predict(_words(text) + "\n", 1, 0.0, "strict") for text in texts)
        return np.array([int(best[0][1].removeprefix("__label__")) for best in predictions])

    def numbers(self, texts: list[str]) -> None:
        raise NotImplementedError("has no numbers of texts apart from its training")

    def save(self, path: str) -> None:
        self.model.save_model(path)

    def restore(self, path: str) -> None:
        self.model = fasttext.load_model(path)

    def parameters(self) -> int:
        if self.model is None:
            return 0
        return self.model.get_input_matrix().size + self.model.get_output_matrix().size


def _words(text: str) -> str:
    return " ".join(text.lower().translate(PUNCTUATION).split())


if __name__ == "__main__":
    serve(FasttextWorker(), METHODS)
