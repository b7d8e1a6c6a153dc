"""From raw texts to the ids of Keras: word indices, Tokenizers, and layers that have lost their vocabulary."""

import json

import numpy as np
import pytest
import torch

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop import export_keras, import_keras
from seqclass.models import StackOptions

WORDS = {"the": 1, "film": 2, "good": 3, "bad": 4, "it's": 5}


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(1)
    options = StackOptions(stack="lstm", num_embeddings=7, embedding_dim=3, hidden_size=2)
    export_keras(TextClassifier(options).eval(), tmp_path / "m.keras")
    return tmp_path / "m.keras"


@pytest.fixture
def index(tmp_path):
    (tmp_path / "index.json").write_text(json.dumps(WORDS))
    return str(tmp_path / "index.json")


def ids(pipeline, text):
    return pipeline.encode(text)


class TestWordIndex:
    def test_of_imdb(self, file, index):
        classifier, report = import_keras(file, word_index=index)
        # Rank + 3 below 7, and 2 for what is beyond.
        assert ids(classifier.pipeline, "The film, GOOD!") == [1, 4, 5, 6]
        assert ids(classifier.pipeline, "bad unseen") == [1, 2]
        assert (classifier.pipeline.maxlen, classifier.pipeline.padding) == (500, "pre")
        assert report.assumed[0].startswith(
            "ids of words, taken as those of imdb.load_data: rank + 3 below 7, 1 starts a text, words beyond that 2, "
        )
        assert "--word_index_kind tokenizer otherwise" in report.assumed[0]
        assert "length of texts, taken as 500 (--maxlen otherwise)" in report.assumed

    def test_of_a_tokenizer(self, file, index):
        """As `Tokenizer.texts_to_sequences`: the rank itself, other words left out."""
        classifier, report = import_keras(file, word_index=index, word_index_kind="tokenizer", maxlen=4)
        assert ids(classifier.pipeline, "The film it's UNSEEN bad") == [1, 2, 5, 4]
        assert "taken as those of Tokenizer.texts_to_sequences: rank + 0 below 7, no start" in report.assumed[0]
        assert "otherwise" not in report.assumed[0]

    def test_options_one_by_one(self, file, index):
        classifier, report = import_keras(file, word_index=index, index_from=1, start_char=-1, oov_char=0, num_words=5)
        assert ids(classifier.pipeline, "the film good bad") == [2, 3, 4, 0]
        assert "rank + 1 below 5, no start mark, words beyond that 0" in report.assumed[0]

    def test_index_from_0_is_a_tokenizers(self, file, index):
        classifier, _ = import_keras(file, word_index=index, index_from=0)
        assert ids(classifier.pipeline, "the bad film") == [1, 4, 2]

    def test_oov_token_is_found(self, file, tmp_path):
        """`Tokenizer(oov_token="<OOV>")` gives it rank 1, and its id to all words that are unknown."""
        (tmp_path / "oov.json").write_text(json.dumps({"<OOV>": 1, "the": 2, "film": 3}))
        classifier, report = import_keras(file, word_index=str(tmp_path / "oov.json"))
        assert ids(classifier.pipeline, "the unseen film") == [2, 1, 3]
        assert "Tokenizer.texts_to_sequences" in report.assumed[0]

    def test_tokenizer_of_to_json(self, file, tmp_path):
        settings = {"num_words": 4, "filters": "!", "lower": False, "split": " ", "char_level": False}
        config = {**settings, "oov_token": None, "word_index": json.dumps({"The": 1, "the": 2, "a,b": 3, "z": 4})}
        (tmp_path / "tokenizer.json").write_text(json.dumps({"class_name": "Tokenizer", "config": config}))
        classifier, _ = import_keras(file, word_index=str(tmp_path / "tokenizer.json"))
        assert ids(classifier.pipeline, "The the! a,b z") == [1, 2, 3]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("no json", "is not JSON"),
            ("[1]", "has to be an object of words and ranks"),
            ('{"a": 1, "b": 1}', "have the same rank 1"),
            ('{"class_name": "Tokenizer", "config": {}}', "has no word index"),
            ('{"class_name": "Tokenizer", "config": {"char_level": true}}', "splits into characters"),
        ],
    )
    def test_wrong_file(self, content, message, file, tmp_path):
        (tmp_path / "wrong.json").write_text(content)
        with pytest.raises(InputError, match=message):
            import_keras(file, word_index=str(tmp_path / "wrong.json"))

    @pytest.mark.parametrize(
        ("option", "value"), [("index_from", 0), ("maxlen", 5), ("word_index_kind", "imdb"), ("padding", "post")]
    )
    def test_option_without_an_index(self, option, value, file):
        with pytest.raises(InputError, match=f"^{option}={value!r} goes with word_index, which is not given"):
            import_keras(file, **{option: value})


class TestTextLayer:
    def test_lost_vocabulary_is_given(self, keras_models, tmp_path):
        """Keras' `.h5` and weights hold no vocabulary: a line for each item of `get_vocabulary()` is as good."""
        model = keras_models["keras3"]["tutorial_stacked"]
        whole, _ = import_keras(model.files[0])
        vocabulary = tmp_path / "vocabulary.txt"
        vocabulary.write_text("\n".join(["", "[UNK]", *whole.pipeline.vocabulary.words]), encoding="utf-8")
        weights = next(path for path in model.files if path.name.endswith(".weights.h5"))
        classifier, _ = import_keras(weights, architecture=str(model.architecture), vocabulary=str(vocabulary))
        assert classifier.pipeline == whole.pipeline

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"word_index": "x"}, r"^word_index='x' does not fit: .* has a text layer"),
            ({"vocabulary": "x"}, r"^vocabulary='x' does not fit: .* has its own"),
        ],
    )
    def test_it_has_its_own(self, options, message, keras_models):
        with pytest.raises(InputError, match=message):
            import_keras(keras_models["keras3"]["tutorial"].files[0], **options)

    def test_maxlen_in_place_of_the_longest(self, keras_models):
        model = keras_models["keras3"]["tutorial"]
        classifier, report = import_keras(model.files[0], maxlen=5)
        assert classifier.pipeline.to_array(model.texts()).shape == (8, 5)
        assert not any("longest" in line for line in report.assumed)
        longest, report = import_keras(model.files[0])
        assert longest.pipeline.to_array(["one", "one two three"]).shape == (2, 3)
        assert longest.pipeline.to_array([""]).shape == (1, 1)
        assert any("as long as the longest of a batch" in line for line in report.assumed)

    def test_characters_with_a_line_break(self, keras_models):
        """The token of a line break makes two empty lines of a vocabulary's file."""
        classifier, _ = import_keras(keras_models["keras3"]["tutorial_characters"].files[0])
        assert "\n" in classifier.pipeline.vocabulary.words
        assert len(np.unique(classifier.pipeline.encode("a\nb"))) == 3
