"""Vectors of the training texts, where they are asked for and where they help."""

import random

import pytest
import torch
from support.trainers import fast_adam

from seqclass.data import TextDataModule
from seqclass.errors import InputError
from seqclass.pretraining import Pretrained
from seqclass.training import new_classifier, own_vectors

WORDS = [f"word{number}" for number in range(20)]


@pytest.fixture
def data(tmp_path):
    """20 texts for training, 11 ids each."""

    def data(words=10, vocabulary=WORDS, **options):
        draw = random.Random(1)
        texts = [" ".join(draw.choices(vocabulary, k=words)) for _ in range(20)]
        labels = ["good", "bad"] * 10
        options = {"num_words": "auto", "maxlen": 20, "validation": "test", **options}
        data = TextDataModule(
            train=(texts, labels), test=(["some text", "another"], ["good", "bad"]), cache_dir=str(tmp_path), **options
        )
        data.prepare_data()
        data.setup()
        return data

    return data


@pytest.fixture
def many(monkeypatch):
    """Says from how many ids on `auto` makes vectors, and how many it takes."""

    def many(ids, most=2**24):
        monkeypatch.setattr(own_vectors, "MANY_IDS", ids)
        monkeypatch.setattr(own_vectors, "MOST_IDS", most)

    return many


def made(data, pretrained="auto", dimension=4):
    return own_vectors.own_vectors(pretrained, data, embedding_dim=dimension)


def test_auto_makes_those_of_self_from_many_ids_alone(data, many):
    many(219)
    start = made(data())
    assert isinstance(start, Pretrained)
    assert start.pipeline == data().pipeline
    assert torch.equal(start.vectors, made(data(), "self").vectors)
    many(220)
    assert made(data()) is None
    assert made(data(), "self") is not None


def test_auto_makes_none_where_it_could_not(data, many):
    many(10)
    assert made(data(words=1)) is None  # two ids a text: no two words side by side
    with pytest.raises(InputError, match="hold no two words"):
        made(data(words=1), "self")
    assert made(data(), dimension=None) is None  # 24 ids, and 112 numbers
    with pytest.raises(InputError, match="embedding_dim=112 is too large"):
        made(data(), "self", dimension=None)


def test_auto_takes_a_sample_of_very_many(data, many):
    texts = data()
    many(10, most=110)
    every_second = texts.training_ids()[0][::2]
    assert len(every_second.values) == 110
    expected = own_vectors.vectors_of(every_second, texts.pipeline, embedding_dim=4)
    assert torch.equal(made(texts).vectors, expected)
    assert not torch.equal(made(texts, "self").vectors, expected)


def test_texts_without_labels_count(data, many, tmp_path):
    more = tmp_path / "more"
    more.mkdir()
    (more / "1.txt").write_text(" ".join(WORDS))
    many(220)
    assert made(data()) is None
    texts = data(unlabelled=str(more))
    assert len(own_vectors.all_ids(texts).values) > 220
    assert made(texts) is not None


@pytest.mark.parametrize("pretrained", [None, "vectors.safetensors"])
def test_nothing_else_asks_for_them(data, many, pretrained):
    many(10)
    assert made(data(), pretrained) is None


def test_training_begins_with_them_or_with_a_file_of_vectors(data, many, tmp_path):
    many(10)
    options = {"embedding_dim": 4, "pretrained": "auto", "optimizer": fast_adam}
    texts = data()
    weight = new_classifier(texts, **options).classifier.stack.embedding.weight
    assert torch.equal(weight, made(texts).vectors)
    file = tmp_path / "vectors.txt"
    file.write_text("word1 1 2 3 4\n")
    weight = new_classifier(data(), word_vectors=str(file), **options).classifier.stack.embedding.weight
    assert weight[texts.pipeline.vocabulary.word_ids()["word1"]].tolist() == [1, 2, 3, 4]
    assert not torch.equal(weight[:4], made(texts).vectors[:4])


def test_they_take_the_place_of_affixes_unless_these_are_asked_for(data, many):
    def affixes(**options):
        return new_classifier(data(), stack="pooled", embedding_dim=4, pretrained="auto", **options).classifier.options

    many(10)
    assert affixes().affix_buckets == 0
    assert affixes(affix_buckets=8).affix_buckets == 8
    many(220)
    assert affixes().affix_buckets == 2**14
