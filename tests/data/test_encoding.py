"""One pass and files, held against what the text pipeline makes of whole lists in memory."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sources import read

from seqclass.data import OwnTexts, SampleSource, encode_source
from seqclass.data import encoding as encoding_module
from seqclass.data.encoded import load_encoded
from seqclass.data.sources.rows import Reading
from seqclass.data.split import label_array
from seqclass.text import RaggedIds, TextPipeline, Tokenizer, Vocabulary
from seqclass.text import pieces as pieces_module


def in_memory(source, options):
    """The same by the shortest way: everything in lists."""
    tokenizer, parts = Tokenizer(), read(source)
    pipeline = TextPipeline(
        tokenizer=tokenizer, vocabulary=Vocabulary.from_texts(parts["train"].texts, tokenizer, **options)
    )
    return parts, pipeline


def encode(source, folder, options, pipeline=None):
    def new_pipeline(counts):
        return pipeline or TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary.from_counts(counts, **options))

    folder.mkdir()
    encode_source(source, Tokenizer(), new_pipeline, folder)
    return load_encoded(folder)


def assert_same(encoded, source, parts, pipeline):
    assert encoded.pipeline == pipeline
    assert encoded.label_names == source.label_names
    assert list(encoded.parts) == list(parts)
    for name, part in parts.items():
        ids = RaggedIds.from_lists(map(pipeline.encode, part.texts))
        found = encoded.parts[name]
        np.testing.assert_array_equal(found.ids.values, ids.values)
        np.testing.assert_array_equal(found.ids.offsets, ids.offsets)
        np.testing.assert_array_equal(found.labels, label_array(part.labels, len(source.label_names)))
        assert list(found.names) == part.names


WORDS = st.sampled_from(["a", "b", "c", "d", "e", "ß", "?!", ""])
TEXTS = st.lists(st.lists(WORDS, max_size=6).map(" ".join), min_size=12, max_size=30)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "num_words": st.integers(4, 9),
        "start_char": st.none(),
        "oov_char": st.none(),
        "skip_top": st.integers(0, 5),
        "unseen_words": st.just("oov"),
        "min_count": st.integers(1, 2),
    },
)


@settings(max_examples=60, deadline=None)
@given(texts=TEXTS, options=OPTIONS, apart=st.booleans(), small=st.booleans())
def test_the_same_as_in_memory(tmp_path_factory, texts, options, apart, small):
    texts = [*texts, "a b", "b a", "a", "b"] * 2  # words enough for a vocabulary, and texts enough for the test part
    labels = ["xyz"[number % 3] for number in range(len(texts))]
    source = OwnTexts((texts, labels), test=(texts[-5:], labels[-5:]) if apart else None, empty_texts="skip")
    folder = tmp_path_factory.mktemp("data") / "encoded"
    with pytest.MonkeyPatch.context() as patch:
        if small:  # as many chunks as there can be
            patch.setattr(encoding_module, "CHUNK_PIECES", 3)
            patch.setattr(encoding_module, "CHUNK_TEXTS", 2)
            patch.setattr(pieces_module, "CHUNK_TEXTS", 3)
        encoded = encode(source, folder, options)
    assert_same(encoded, source, *in_memory(source, options))


def test_the_sample(tmp_path):
    source = SampleSource()
    parts, pipeline = in_memory(source, {"num_words": 300})
    assert_same(encode(source, tmp_path / "encoded", {"num_words": 300}), source, parts, pipeline)


def test_a_given_vocabulary(tmp_path):
    source = SampleSource()
    pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("film", "zebra", "wonderful")))
    assert_same(encode(source, tmp_path / "encoded", {}, pipeline), source, read(source), pipeline)


def test_several_labels(tmp_path):
    texts = [f"text {number}" for number in range(20)]
    source = OwnTexts((texts, ["x;y", "", "y", "z;x"] * 5), reading=Reading(label_separator=";"))
    encoded = encode(source, tmp_path / "encoded", {})
    assert_same(encoded, source, *in_memory(source, {}))
    assert encoded.parts["train"].labels.dtype == np.uint8


def test_small_vocabularies_have_small_ids(tmp_path):
    source = SampleSource()
    for num_words, dtype in ((65_536, np.uint16), (65_537, np.int32)):
        encoded = encode(source, tmp_path / str(num_words), {"num_words": num_words})
        assert encoded.parts["train"].ids.values.dtype == dtype


def test_texts_without_known_words_are_told_of(tmp_path, capsys):
    texts = ["good", "?", "bad", "!"] * 5
    source = OwnTexts((texts, ["x", "x", "y", "y"] * 5), test=(["good", "other"], ["x", "y"]))
    encode(source, tmp_path / "encoded", {})
    assert capsys.readouterr().err.splitlines() == [
        "Warning: 10 texts of train hold no word of the vocabulary; the first is train[1]",
        "Warning: 1 texts of test hold no word of the vocabulary; the first is test[1]",
    ]


def test_nothing_but_the_data_set_stays(tmp_path):
    encode(SampleSource(), tmp_path / "encoded", {})
    kinds = {"ids.values", "ids.offsets", "labels", "names.values", "names.offsets"}
    expected = {f"{part}.{kind}.npy" for part in ("train", "test") for kind in kinds}
    assert {path.name for path in (tmp_path / "encoded").iterdir()} == {*expected, "meta.json"}
