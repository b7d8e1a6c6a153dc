"""From texts without labels to a file that training starts from."""

import csv
import random
from pathlib import Path

import pytest
import torch
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import TextDataModule
from seqclass.errors import InputError
from seqclass.pretraining import Pretrained
from seqclass.training import new_classifier

GOOD, BAD, PLAIN = ("superb", "moving", "brilliant"), ("awful", "dull", "boring"), ("film", "story", "scene")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


def texts(count, seed=0):
    """Words of one kind occur together, and never with those of the other."""
    draw = random.Random(seed)
    for number in range(count):
        words = draw.choices(PLAIN, k=4) + draw.choices(GOOD if number % 2 else BAD, k=3)
        draw.shuffle(words)
        yield " ".join(words), "good" if number % 2 else "bad"


def write(path, rows):
    with Path(path).open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def vectors():
    write("many.csv", texts(400))
    options = ["--data.train", "many.csv", "--model.embedding_dim", "4", "--model.window", "6"]
    assert main(["pretrain", *options, "--out", "vectors.safetensors"]) == 0
    return "vectors.safetensors"


def test_words_of_a_kind_have_vectors_of_a_kind(vectors):
    pretrained = Pretrained.load(vectors)
    ids = pretrained.pipeline.vocabulary.word_ids()
    assert set(ids) == {*GOOD, *BAD, *PLAIN}
    directions = torch.nn.functional.normalize(pretrained.vectors, dim=1)
    alike = (directions @ directions.t())[ids["superb"]]
    assert min(alike[ids[word]] for word in GOOD) > max(alike[ids[word]] for word in BAD)
    assert not pretrained.vectors[:4].any()


def test_training_starts_from_them(vectors):
    start = Pretrained.load(vectors)
    data = TextDataModule(train=write("few.csv", texts(40, seed=1)), maxlen=9)
    module = new_classifier(data, stack="pooled", hidden_size=4, ngrams=0, pretrained=vectors)
    classifier = module.classifier
    assert torch.equal(classifier.stack.embedding.weight, start.vectors)
    assert classifier.options.embedding_dim == 4
    assert classifier.pipeline == start.pipeline
    assert "maxlen=1000 (given: 9)" in data.overridden_options
    quiet_trainer(max_epochs=1).fit(module, data)
    classifier.save("model.ckpt")
    assert TextClassifier.load("model.ckpt").pipeline == start.pipeline


def test_from_the_training_texts_themselves():
    data = TextDataModule(train=write("many.csv", texts(200)), num_words="auto")
    module = new_classifier(data, stack="pooled", hidden_size=4, embedding_dim=3, ngrams=0, pretrained="self")
    weight = module.classifier.stack.embedding.weight
    assert weight.shape == (data.pipeline.num_ids, 3)
    assert weight[4:].norm(dim=1).min() > 0


def test_a_config_and_the_command_line(vectors):
    Path("pretrain.yaml").write_text("data: {train: many.csv, num_words: 9}\nmodel: {embedding_dim: 3}\n")
    options = ["--data.num_words", "8", "--model.window", "2"]
    assert main(["pretrain", "--config", "pretrain.yaml", *options, "--out", "b.safetensors"]) == 0
    assert Pretrained.load("b.safetensors").vectors.shape == (8, 3)


class TestFiles:
    @pytest.mark.parametrize("content", [b"", b"nothing", None])
    def test_broken(self, vectors, content):
        path = Path(vectors)
        path.write_bytes(path.read_bytes()[:-9] if content is None else content)
        with pytest.raises(InputError, match="is not a safetensors file, or is damaged"):
            Pretrained.load(path)

    def test_of_another_kind(self, checkpoint):
        TextClassifier.load(checkpoint).save("model.safetensors")
        with pytest.raises(InputError, match=r"model\.safetensors was not written by seqclass pretrain"):
            Pretrained.load("model.safetensors")
        with pytest.raises(InputError, match=r"there is no pretrained file at nowhere\.safetensors"):
            Pretrained.load("nowhere.safetensors")

    def test_vectors_that_do_not_fit_the_vocabulary(self, vectors):
        pipeline = Pretrained.load(vectors).pipeline
        Pretrained(pipeline, torch.zeros(3, 4)).save("few.safetensors")
        with pytest.raises(InputError, match=r"holds vectors of shape \(3, 4\)"):
            Pretrained.load("few.safetensors")

    def test_wrong_targets(self, vectors, capsys):
        assert main(["pretrain", "--data.train", "many.csv", "--out", "many.csv"]) == 2
        assert main(["pretrain", "--data.train", "many.csv", "--out", "vectors.bin"]) == 2
        told = capsys.readouterr().err
        assert "many.csv" in told
        assert "has to end in .safetensors" in told


def test_contradictions(vectors):
    data = TextDataModule(train=write("few.csv", texts(40)))
    with pytest.raises(InputError, match="the pretrained vectors have 4 numbers, but embedding_dim=5"):
        new_classifier(data, pretrained=vectors, embedding_dim=5)
    with pytest.raises(InputError, match="not both"):
        new_classifier(data, pretrained=vectors, word_vectors="glove.txt", optimizer=fast_adam)
