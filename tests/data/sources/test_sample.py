import subprocess
import sys

from support.sources import read

from seqclass.data import SampleSource
from seqclass.text import Tokenizer, Vocabulary


def test_sizes_and_balance():
    parts = read(SampleSource())
    assert {name: (len(part.texts), sum(part.labels)) for name, part in parts.items()} == {
        "train": (6000, 3000),
        "test": (1000, 500),
    }
    assert len(set(parts["train"].texts)) > 5900


def test_lengths_vary():
    lengths = sorted(len(text.split()) for text in read(SampleSource())["train"].texts)
    assert lengths[0] < 10
    assert 50 < lengths[3000] < 80
    assert 290 < lengths[-1] < 330


def test_the_same_in_another_process():
    code = "from seqclass.data import SampleSource; print(list(SampleSource().texts()))"
    # Another hash seed, so that nothing can hang on the order of a set.
    other = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "5"},
    )
    assert other.stdout.strip() == str(list(SampleSource().texts()))


def test_it_speaks_of_films():
    train = read(SampleSource())["train"]
    words = set(Vocabulary.from_texts(train.texts, Tokenizer()).words)
    assert words >= {"a", "wonderful", "moving", "film", "dull", "lifeless", "not"}


def test_single_words_do_not_give_the_class_away():
    train = read(SampleSource())["train"]
    for word, side in (("wonderful", 1), ("dull", 0)):
        labels = [label for text, label in zip(train.texts, train.labels, strict=True) if word in text.lower()]
        share = sum(label == side for label in labels) / len(labels)
        assert 0.6 < share < 0.95
