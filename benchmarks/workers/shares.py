"""``seqclass:shares``: what `seqclass classify --input FILE` does with a file, with a clock between its parts."""

from __future__ import annotations

import time
from collections import defaultdict

from benchmarks.protocol import serve

BATCH_SIZE = 250
"""The command's default."""


class SharesWorker:
    """Classifies batch by batch, as the command does."""

    def shares(self, *, model: str, texts: str) -> dict[str, float]:
        """Seconds for loading the model, reading, tokenizing, numbering the words and padding, and the network."""
        import torch

        from seqclass.classifier import TextClassifier
        from seqclass.evaluation.texts import batches, unlabelled_texts
        from seqclass.text import PieceIds

        seconds: defaultdict[str, float] = defaultdict(float)
        last = time.perf_counter()

        def lap(part: str) -> None:
            nonlocal last
            now = time.perf_counter()
            seconds[part] += now - last
            last = now

        classifier = TextClassifier.load(model)
        pipeline = classifier.text_pipeline
        lap("load")
        with torch.inference_mode():
            for batch in batches(unlabelled_texts(texts), BATCH_SIZE):
                lap("read")
                pieces = pipeline.tokenizer.pieces(batch)
                words = pipeline.tokenizer.words_of_pieces(pieces.words)
                lap("tokenize")
                ids = pipeline.pad(PieceIds(pipeline.vocabulary, words).encode(pieces.numbers))
                lap("encode")
                classifier.probabilities(torch.from_numpy(ids)).tolist()
                lap("network")
        return dict(seconds)


if __name__ == "__main__":
    serve(SharesWorker(), ("shares",))
