"""torchtext's tokenizers by name: as torchtext splits, in every place where a tokenizer is used."""

import importlib.util

import pytest
from support.torchtext import needs_torchtext

from seqclass.errors import InputError
from seqclass.text import TextPipeline, TorchtextTokenizer, Vocabulary
from seqclass.text.torchtext_library import import_torchtext

TEXTS = ["It's \"good\",<br />isn't it?", "A film: dull; slow (very).", " \t two  spaces ", "", "née Ä ß 日本"]


def test_an_unknown_name_is_named():
    for name in ("spacy", "revtok", "os.system", 3, None):
        with pytest.raises(InputError, match=r"_tokenizer is .*; allowed are 'basic_english', 'moses', 'toktok'"):
            TorchtextTokenizer(torchtext=name)


@needs_torchtext
class TestBesideTorchtext:
    def test_splits_as_torchtext_does(self):
        tokenizer = TorchtextTokenizer(torchtext="basic_english")
        split = import_torchtext("data").get_tokenizer("basic_english")
        assert list(tokenizer.map(TEXTS)) == [split(text) for text in TEXTS]
        assert tokenizer(TEXTS[0]) == ["it", "'", "s", "good", ",", "isn", "'", "t", "it", "?"]

    @pytest.mark.parametrize(("name", "package"), [("moses", "sacremoses"), ("toktok", "nltk")])
    def test_what_another_needs_is_named(self, name, package):
        if importlib.util.find_spec(package):
            assert TorchtextTokenizer(torchtext=name)("A dull film.") == ["A", "dull", "film", "."]
        else:
            with pytest.raises(InputError, match=f"this needs {package}, which is not installed"):
                TorchtextTokenizer(torchtext=name)

    def test_what_is_no_text_is_named(self):
        tokenizer = TorchtextTokenizer(torchtext="basic_english")
        with pytest.raises(InputError, match="a text has to be a str, not int: 3"):
            tokenizer(3)
        with pytest.raises(InputError, match="text 1 has to be a str, not NoneType"):
            list(tokenizer.map(["a", None]))

    def test_a_pipeline_comes_back_from_its_state(self):
        tokenizer = TorchtextTokenizer(torchtext="basic_english")
        pipeline = TextPipeline(tokenizer=tokenizer, vocabulary=Vocabulary.from_texts(TEXTS, tokenizer), maxlen=9)
        assert pipeline.state()["tokenizer"] == {"torchtext": "basic_english"}
        again = TextPipeline.from_state(pipeline.state())
        assert again == pipeline
        assert again.encode(TEXTS[1]) == pipeline.encode(TEXTS[1])
        assert again.fingerprint() == pipeline.fingerprint()


def test_a_state_that_is_not_its_own_is_refused():
    tokenizer = {"torchtext": "basic_english", "lower": "none"}
    state = {
        **{"version": 1, "tokenizer": tokenizer, "vocabulary": {}, "maxlen": 5},
        **{"padding": "pre", "truncating": "pre"},
    }
    with pytest.raises(InputError, match="the state of a tokenizer has the keys"):
        TextPipeline.from_state(state)
