import copy
import pickle

import numpy as np
import pytest
import torch

from seqclass.errors import InputError
from seqclass.text import TextPipeline, Tokenizer, Vocabulary

TEXTS = ["A good film, a GOOD one.", "a bad film<br />", "née one"]


def pipeline(**options):
    tokenizer = Tokenizer()
    vocabulary = Vocabulary.from_texts(TEXTS, tokenizer, num_words=8)
    return TextPipeline(tokenizer=tokenizer, vocabulary=vocabulary, **{"maxlen": 6, **options})


def test_encode_decode():
    p = pipeline()
    assert p.vocabulary.words == ("a", "good", "film", "one", "bad", "br", "née")
    assert p.encode("A good, unheard-of film; bad!") == [1, 4, 5, 6, 2]
    assert p.decode([0, 0, 1, 4, 5, 6, 2]) == "<start> a good film <oov>"
    assert p.decode([0, 0, 1, 4, 5, 6, 2], marks=False) == "a good film"
    assert p.num_ids == 8


def test_encode_all_is_encode_for_each_and_to_array_pads_it():
    p = pipeline()
    ids = p.encode_all(TEXTS)
    assert [row.tolist() for row in ids] == [p.encode(text) for text in TEXTS]
    matrix = p.to_array(iter(TEXTS))
    assert matrix.dtype == np.int32
    assert matrix.tolist() == [[4, 5, 6, 4, 5, 7], [0, 0, 1, 4, 2, 6, 2][1:], [0, 0, 0, 1, 2, 7]]
    assert pipeline(padding="post", truncating="post").to_array(TEXTS)[[0, 2]].tolist() == [
        [1, 4, 5, 6, 4, 5],
        [1, 2, 7, 0, 0, 0],
    ]
    assert p.to_array([]).shape == (0, 6)


@pytest.mark.parametrize("wrong", [None, 3, b"bytes", ["a"]])
def test_what_is_no_text_is_refused_with_its_position(wrong):
    with pytest.raises(InputError, match=f"text 1 has to be a str, not {type(wrong).__name__}"):
        pipeline().to_array(["fine", wrong])


def test_state_round_trip_in_plain_values_only(tmp_path):
    p = pipeline(padding="post")
    state = p.state()

    def plain(value):
        if isinstance(value, dict):
            return all(type(key) is str and plain(item) for key, item in value.items())
        return type(value) in (str, int, bool, type(None))

    assert plain(state)
    torch.save(state, tmp_path / "state.pt")
    again = TextPipeline.from_state(torch.load(tmp_path / "state.pt", weights_only=True))
    assert again == p
    assert again.fingerprint() == p.fingerprint()
    assert state == p.state(), "from_state does not change what it is given"


@pytest.mark.parametrize(
    ("how", "decoded"),
    [
        ({"kind": "characters", "filters": ""}, "<start> a ▁ g o o d ▁ f i l m !"),
        ({"kind": "regex", "token_pattern": r"\w+|!", "filters": ""}, "<start> a good film !"),
    ],
)
def test_other_tokenizers_come_back_from_their_state(how, decoded):
    tokenizer = Tokenizer(**how)
    p = TextPipeline(tokenizer=tokenizer, vocabulary=Vocabulary.from_texts(["A good film!"], tokenizer))
    again = TextPipeline.from_state(p.state())
    assert again == p
    assert again.decode(again.encode("A good film!")) == decoded


def test_a_state_of_version_1_is_of_words():
    p = pipeline()
    state = {**p.state(), "version": 1}
    state["tokenizer"] = {name: state["tokenizer"][name] for name in ("lower", "filters", "strip_html")}
    assert TextPipeline.from_state(state) == p


def test_fingerprint_changes_with_every_part():
    p = pipeline()
    others = [
        pipeline(maxlen=7),
        pipeline(padding="post"),
        pipeline(truncating="post"),
        TextPipeline(tokenizer=Tokenizer(lower="none"), vocabulary=p.vocabulary, maxlen=6),
        TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(p.vocabulary.words), maxlen=6),
    ]
    assert len({p.fingerprint(), *(other.fingerprint() for other in others)}) == 6
    assert len(p.fingerprint()) == 64


def test_a_used_pipeline_can_be_copied_and_pickled():
    p = pipeline()
    p.encode("a")
    assert pickle.loads(pickle.dumps(p)) == copy.deepcopy(p) == p


def changed(path, value):
    state = pipeline().state()
    *parents, last = path
    inner = state
    for key in parents:
        inner = inner[key]
    inner[last] = value
    return state


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (None, "the state of a text pipeline has to be a dict, not None"),
        ({}, r"the state of a text pipeline has the keys \[\]; expected are \['maxlen', "),
        ({**pipeline().state(), "more": 1}, "'more'"),
        (changed(["version"], 3), "version 3; this seqclass reads 1 to 2"),
        (changed(["tokenizer", "kind"], "regex"), "token_pattern is None and the tokenizer 'regex'"),
        ({**pipeline().state(), "version": 1, "tokenizer": []}, r"the state of a tokenizer has to be a dict, not \[\]"),
        (changed(["maxlen"], "6"), "maxlen is '6'"),
        (changed(["padding"], ["pre"]), r"padding is \['pre'\]"),
        (changed(["tokenizer"], []), r"the state of a tokenizer has to be a dict, not \[\]"),
        (changed(["tokenizer", "lower"], {}), r"lower is \{\}"),
        (changed(["tokenizer", "x"], 1), "the state of a tokenizer has the keys"),
        (changed(["vocabulary", "words"], ["a"]), r"have to be one str, not \['a'\]"),
        (changed(["vocabulary", "words"], ""), "word 1 of the vocabulary is ''"),
        (changed(["vocabulary", "words"], "a  b"), "word 2 of the vocabulary is ''"),
        (changed(["vocabulary", "words"], "a b a"), "contains the word 'a' 2 times"),
        (changed(["vocabulary", "num_words"], -1), "num_words is -1"),
    ],
)
def test_a_wrong_state_is_refused(state, message):
    with pytest.raises(InputError, match=message):
        TextPipeline.from_state(state)


@pytest.mark.imdb
def test_the_known_review_has_keras_ids(imdb_texts, keras_word_index):
    train = imdb_texts["train"]
    text = train.texts[train.names.index("train/pos/576_10.txt")]
    p = TextPipeline(
        tokenizer=Tokenizer(),
        vocabulary=Vocabulary.from_keras_word_index(keras_word_index, num_words=10_000),
    )
    ids = p.encode(text)
    assert len(ids) == 218
    assert ids[:12] == [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65, 458, 4468]
    assert ids[-6:] == [15, 16, 5345, 19, 178, 32]


@pytest.mark.imdb
def test_decode_undoes_encode_on_real_reviews(imdb_texts):
    tokenizer = Tokenizer()
    vocabulary = Vocabulary.from_texts(imdb_texts["train"].texts, tokenizer, num_words=5000)
    p = TextPipeline(tokenizer=tokenizer, vocabulary=vocabulary)
    kept = set(vocabulary.words[:4996])
    seen = set(vocabulary.words)
    for text in imdb_texts["test"].texts[::100]:
        words = [word if word in kept else "<oov>" for word in tokenizer(text) if word in seen]
        assert p.decode(p.encode(text)) == " ".join(["<start>", *words])
        assert p.decode(p.to_array([text])[0]) == " ".join(["<start>", *words][-500:])


def test_texts_without_a_known_word():
    for options in ({}, {"start_char": None, "oov_char": None}, {"unseen_words": "oov", "num_words": 5}):
        pipeline = TextPipeline(tokenizer=Tokenizer(), vocabulary=Vocabulary(("good", "bad"), **options))
        ids = pipeline.encode_all(["good zebra", "", "zebra ?!", "zebra good", " "])
        assert pipeline.without_words(ids).tolist() == [False, True, True, False, True]
    assert pipeline.without_words(pipeline.encode_all([])).tolist() == []
