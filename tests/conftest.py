"""Fixtures of several floors: the real reviews, and a few made-up ones that one short training can learn."""

import os
import random
import signal
import warnings

import pytest
import torch

# Triton reads it when it is first imported, which Lightning does.
if not torch.cuda.is_available():
    os.environ["TRITON_INTERPRET"] = "1"

# Where the tests run in the background, the shell has Ctrl-C ignored, and so would the commands that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from lightning.pytorch import seed_everything
from support.trainers import fast_adam, quiet_trainer

from seqclass.data import IMDBDataModule, TextDataModule
from seqclass.nn import LSTM
from seqclass.training import new_classifier

# Lightning 2.6 calls what jsonargparse 4.53 has deprecated; that is not for these tests to say.
os.environ["JSONARGPARSE_DEPRECATION_WARNINGS"] = "off"

GOOD = ("wonderful", "moving", "brilliant", "superb")
BAD = ("awful", "boring", "dull", "dreadful")
PLAIN = ("film", "story", "the", "a", "actor", "scene", "music", "ending")


@pytest.fixture(scope="session")
def easy_reviews(tmp_path_factory):
    """A folder in the layout of the IMDB reviews, whose classes differ in their adjectives: 400 and 90 texts."""
    root = tmp_path_factory.mktemp("reviews") / "aclImdb"
    draw = random.Random(5)
    for part, size in (("train", 200), ("test", 45)):
        for label, words in (("pos", GOOD), ("neg", BAD)):
            folder = root / part / label
            folder.mkdir(parents=True)
            for number in range(size):
                text = draw.choices(PLAIN, k=draw.randrange(4, 20)) + draw.choices(words, k=2)
                draw.shuffle(text)
                (folder / f"{number}_{9 if label == 'pos' else 2}.txt").write_text(" ".join(text))
    return root


@pytest.fixture(scope="session")
def imdb_path():
    """The archive or folder of the real reviews."""
    path = os.environ.get("SEQCLASS_IMDB")
    if not path:
        pytest.skip("lacks the IMDB reviews: set SEQCLASS_IMDB to the archive or the folder")
    return path


@pytest.fixture(scope="session")
def trained(easy_reviews, tmp_path_factory):
    """The trainer, the module and the DataModule of a short training."""
    folder = tmp_path_factory.mktemp("trained")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seed_everything(7)
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=16, cache_dir=str(folder / "cache"))
        module = new_classifier(data, stack="lstm", hidden_size=8, embedding_dim=8, optimizer=fast_adam)
        trainer = quiet_trainer(max_epochs=4)
        trainer.fit(module, data)
    return trainer, module, data


@pytest.fixture(scope="session")
def checkpoint(trained, tmp_path_factory):
    """That training's checkpoint, alone in a folder."""
    trainer, _, _ = trained
    path = tmp_path_factory.mktemp("elsewhere") / "model.ckpt"
    trainer.save_checkpoint(path)
    return path


@pytest.fixture(scope="session")
def labelled_rows():
    """400 texts with the label "good", "bad", both or none, by their adjectives: text, labels joined by a semicolon."""
    draw = random.Random(6)
    rows = []
    for number in range(400):
        labels = [label for bit, label in enumerate(("good", "bad")) if number >> bit & 1]
        words = draw.choices(PLAIN, k=8) + [draw.choice({"good": GOOD, "bad": BAD}[label]) for label in labels]
        draw.shuffle(words)
        rows.append((" ".join(words), ";".join(labels)))
    return rows


@pytest.fixture(scope="session")
def labels_checkpoint(labelled_rows, tmp_path_factory):
    """The checkpoint of a model that gives each of those texts any number of labels."""
    folder = tmp_path_factory.mktemp("labels")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        seed_everything(7)
        texts, labels = zip(*labelled_rows, strict=True)
        data = TextDataModule(
            train=(texts, labels), label_separator=";", maxlen=16, batch_size=16, cache_dir=str(folder / "cache")
        )
        module = new_classifier(data, stack="lstm", hidden_size=16, embedding_dim=8, optimizer=fast_adam)
        trainer = quiet_trainer(max_epochs=8)
        trainer.fit(module, data)
    trainer.save_checkpoint(folder / "labels.ckpt")
    return folder / "labels.ckpt"


@pytest.fixture
def lstm_paddings(monkeypatch):
    """What each LSTM is told of the padding."""
    seen = []
    forward = LSTM.forward

    def record(self, inputs, padding=None, **options):
        seen.append(padding)
        return forward(self, inputs, padding, **options)

    monkeypatch.setattr(LSTM, "forward", record)
    return seen
