"""A classifier that begins with word vectors of a file."""

import numpy as np
import pytest
import torch
from conftest import BAD, GOOD, PLAIN
from lightning.pytorch import seed_everything
from support.trainers import fast_adam, quiet_trainer

from seqclass.classifier import TextClassifier
from seqclass.data import IMDBDataModule
from seqclass.errors import InputError
from seqclass.models import StackOptions
from seqclass.training import SequenceClassifier, new_classifier

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")

DIMENSION = 6
KNOWN = (*GOOD[:3], *BAD[:3], *PLAIN)


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / "vectors.txt"
    draw = np.random.default_rng(3)
    rows = {word: draw.normal(size=DIMENSION) for word in (*KNOWN, "elsewhere")}
    path.write_text("".join(f"{word} {' '.join(f'{n:.5f}' for n in numbers)}\n" for word, numbers in rows.items()))
    return path


@pytest.fixture
def fit(easy_reviews, tmp_path, vectors):
    """Trains for some epochs, and returns the classifier and its DataModule."""

    def fit(epochs=1, resume=None, **options):
        seed_everything(7)
        data = IMDBDataModule(path=str(easy_reviews), maxlen=24, batch_size=16, cache_dir=str(tmp_path / "cache"))
        options = {"word_vectors": str(vectors), "hidden_size": 8, "optimizer": fast_adam, **options}
        module = new_classifier(data, stack="lstm", **options)
        trainer = quiet_trainer(max_epochs=epochs)
        trainer.fit(module, data, ckpt_path=resume)
        return trainer, module.classifier, data

    return fit


def expected_rows(vectors, data):
    given = dict(line.split(" ", 1) for line in vectors.read_text().splitlines())
    ids = data.pipeline.vocabulary.word_ids()
    return {ids[word]: [float(n) for n in given[word].split(" ")] for word in KNOWN}


def test_words_begin_with_their_vectors_and_the_others_as_they_would(fit, vectors, capsys):
    _, classifier, data = fit(epochs=0)
    weight = classifier.stack.embedding.weight.detach()
    assert weight.shape == (5000, DIMENSION)
    rows = expected_rows(vectors, data)
    for row, numbers in rows.items():
        np.testing.assert_array_equal(weight[row], np.array(numbers, dtype=np.float32))
    others = [row for row in range(5000) if row not in rows]
    _, plain, _ = fit(epochs=0, word_vectors=None, embedding_dim=DIMENSION)
    assert torch.equal(weight[others], plain.stack.embedding.weight.detach()[others])
    told = [line for line in capsys.readouterr().err.splitlines() if "vectors.txt" in line]
    (line,) = told
    assert line.startswith("vectors.txt: vectors of size 6 for 14 of the vocabulary's 16 words (87.5%), which make up ")


def test_trained_or_frozen(fit, vectors):
    _, trained, data = fit()
    trainer, frozen, _ = fit(freeze_embedding=True)
    rows = expected_rows(vectors, data)
    _, before, _ = fit(epochs=0)
    assert torch.equal(frozen.stack.embedding.weight, before.stack.embedding.weight)
    assert not torch.equal(trained.stack.embedding.weight[list(rows)], before.stack.embedding.weight[list(rows)])
    assert not torch.equal(frozen.stack.recurrent.weight_hh, before.stack.recurrent.weight_hh)
    assert frozen.stack.embedding.weight.grad is None
    in_optimizer = {id(p) for group in trainer.optimizers[0].param_groups for p in group["params"]}
    assert in_optimizer == {id(p) for p in frozen.parameters() if p is not frozen.stack.embedding.weight}


def test_learns_with_every_stack_frozen(fit):
    for stack in ("lstm_dropout", "lstm_gate_dropout", "cnn_lstm"):
        classifier = TextClassifier(StackOptions(stack=stack, num_embeddings=9, num_classes=2, hidden_size=4))
        module = SequenceClassifier(classifier, freeze_embedding=True)
        module.loss(module(torch.randint(0, 9, (3, 12))), torch.tensor([0, 1, 1])).backward()
        assert classifier.stack.embedding.weight.grad is None
        assert all(p.grad is not None for p in classifier.parameters() if p.requires_grad)


def test_the_checkpoint_needs_no_file_and_stays_frozen(fit, vectors, tmp_path):
    trainer, classifier, _ = fit(freeze_embedding=True)
    path = tmp_path / "model.ckpt"
    trainer.save_checkpoint(path)
    vectors.unlink()
    module = SequenceClassifier.load_from_checkpoint(path)
    again = module.classifier
    assert again.options.embedding_dim == DIMENSION
    assert not again.stack.embedding.weight.requires_grad
    assert again.classify(["a superb film"]) == classifier.classify(["a superb film"])
    assert str(vectors) not in str(torch.load(path, weights_only=True)["seqclass"])
    _, resumed, _ = fit(epochs=2, resume=path, word_vectors=None, embedding_dim=DIMENSION, freeze_embedding=True)
    assert torch.equal(resumed.stack.embedding.weight, classifier.stack.embedding.weight)


def test_sizes_that_do_not_fit(fit):
    with pytest.raises(InputError, match=r"vectors\.txt has vectors of size 6, but embedding_dim is 32"):
        fit(embedding_dim=32)
    with pytest.raises(InputError, match="5000 ids, but num_embeddings=10"):
        fit(num_embeddings=10)
    assert fit(embedding_dim=DIMENSION, num_embeddings=5001)[1].stack.embedding.num_embeddings == 5001
