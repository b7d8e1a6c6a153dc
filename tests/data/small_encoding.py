"""A small data set as ids, and a process that encodes it slowly."""

import os
import time

import numpy as np

from seqclass.data import EncodedPart, EncodedTexts, Names, cached_encoding
from seqclass.data.encoded import PartFiles, utf8, write_meta
from seqclass.text import TextPipeline, Tokenizer, Vocabulary

SETTINGS = {"source": "abc", "num_words": 9}


def encoded(word="good"):
    pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("bad", word)))
    part = EncodedPart(pipeline.encode_all(["bad", f"{word} bad"]), np.array([0, 1]), Names.of(["a", "é\nb"]))
    return EncodedTexts({"train": part, "test": part}, ("neg", "pos"), pipeline)


def write(texts, folder):
    """What an `encode` of `cached_encoding` does."""
    for name, part in texts.parts.items():
        with PartFiles(folder, name, num_ids=texts.pipeline.num_ids, num_classes=None) as files:
            files.append(part.ids, part.labels, utf8(part.names))
    write_meta(folder, texts.parts, texts.label_names, texts.pipeline)


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
        assert list(part.names) == list(other.names)


def encode_slowly(folder, log, ready):
    """Runs in a process of its own, which can import this module but not a test's."""

    def encode(folder):
        with log.open("a") as file:
            file.write(f"{os.getpid()}\n")
        time.sleep(0.5)
        write(encoded(), folder)

    ready.wait(300)
    same(cached_encoding(folder, SETTINGS, encode), encoded())
