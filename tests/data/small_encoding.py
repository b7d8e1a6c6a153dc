"""A small data set as ids, and a process that encodes it slowly."""

import os
import time

import numpy as np

from seqclass.data import EncodedPart, EncodedTexts, cached_encoding
from seqclass.text import TextPipeline, Tokenizer, Vocabulary

SETTINGS = {"source": "abc", "num_words": 9}


def encoded(word="good"):
    pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("bad", word)))
    part = EncodedPart(pipeline.encode_all(["bad", f"{word} bad"]), np.array([0, 1]), ["a", "é\nb"])
    return EncodedTexts({"train": part, "test": part}, ("neg", "pos"), pipeline)


def same(left, right):
    assert left.label_names == right.label_names
    assert left.pipeline == right.pipeline
    assert left.parts.keys() == right.parts.keys()
    for name, part in left.parts.items():
        other = right.parts[name]
        np.testing.assert_array_equal(part.ids.values, other.ids.values)
        np.testing.assert_array_equal(part.ids.offsets, other.ids.offsets)
        np.testing.assert_array_equal(part.labels, other.labels)
        assert part.ids.values.dtype == other.ids.values.dtype
        assert part.names == other.names


def encode_slowly(folder, log, ready):
    """Runs in a process of its own, which can import this module but not a test's."""

    def encode():
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        return encoded()

    ready.wait(300)
    same(cached_encoding(folder, SETTINGS, encode), encoded())
