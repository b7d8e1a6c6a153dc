"""The workers that run in the main environment, on data small enough to be exact about."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from benchmarks.environment import ROOT
from benchmarks.workers import base
from benchmarks.workers.seqclass import SeqclassWorker
from benchmarks.workers.torch_naive import TorchNaiveWorker

SIZES = {"num_embeddings": 20, "embedding_dim": 4, "hidden_size": 5}


@pytest.fixture
def folder(tmp_path):
    """Prepared data of two classes that a single word tells apart."""
    generator = np.random.default_rng(0)
    for part in ("train", "test"):
        labels = np.arange(40, dtype=np.float32) % 2
        ids = generator.integers(4, 20, (40, 8)).astype(np.int32)
        ids[:, -1] = 2 + labels
        ids[:, :3] = 0
        np.save(tmp_path / f"{part}_ids.npy", ids)
        np.save(tmp_path / f"{part}_labels.npy", labels)
    np.save(tmp_path / "order.npy", generator.permutation(40))
    np.save(tmp_path / "batch_ids.npy", np.load(tmp_path / "train_ids.npy").reshape(4, 10, 8))
    np.save(tmp_path / "batch_labels.npy", np.load(tmp_path / "train_labels.npy").reshape(4, 10))
    return tmp_path


@pytest.fixture(params=[SeqclassWorker, TorchNaiveWorker])
def worker(request, folder):
    worker = request.param()
    threads = torch.get_num_threads()
    worker.build(stack="lstm", length=8, sizes=SIZES, device="cpu", seed=1, threads=threads, options={})
    worker.load(folder=str(folder))
    return worker


@pytest.mark.parametrize("kind", [SeqclassWorker, TorchNaiveWorker])
def test_steps_in_bfloat16_round_and_learn(kind, folder):
    trained = {}
    for precision in ("float32", "bf16"):
        worker = kind()
        options = {} if precision == "float32" else {"precision": precision}
        worker.build(stack="lstm", length=8, sizes=SIZES, device="cpu", seed=1, threads=1, options=options)
        batch = {"ids": str(folder / "batch_ids.npy"), "labels": str(folder / "batch_labels.npy")}
        worker.train_steps(**batch, start=0, count=8)
        trained[precision] = torch.cat([parameter.detach().flatten() for parameter in worker.model.parameters()])
    difference = (trained["bf16"] - trained["float32"]).abs().max()
    assert 0 < difference < 0.02  # eight steps of Adam, each of up to 0.001


# Between two evaluations of its own, `fit` is meant to have none.
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning")  # Lightning's own
@pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no `val_dataloader`")
@pytest.mark.parametrize("kind", [SeqclassWorker, TorchNaiveWorker])
def test_epochs_and_evaluations_in_bfloat16_round(kind, folder):
    """A row that is called bf16 has to be: steps and epochs reach the model by different ways."""
    figures = {}
    for precision in ("float32", "bf16"):
        worker = kind()
        options = {} if precision == "float32" else {"precision": precision}
        worker.build(stack="lstm", length=8, sizes=SIZES, device="cpu", seed=1, threads=1, options=options)
        worker.load(folder=str(folder))
        evaluated = worker.evaluate(batch_size=16)
        trained = worker.epoch(order=str(folder / "order.npy"), start=0, stop=40, batch_size=8)
        figures[precision] = evaluated["loss"], trained["loss"]
    for exact, rounded in zip(figures["float32"], figures["bf16"], strict=True):
        assert exact != rounded
        assert rounded == pytest.approx(exact, rel=2**-6)  # bfloat16 has 8 bits, and a loss here is about 0.7


# Between two evaluations of its own, `fit` is meant to have none.
@pytest.mark.filterwarnings("ignore:`isinstance.treespec, LeafSpec.` is deprecated:FutureWarning")  # Lightning's own
@pytest.mark.filterwarnings("ignore:You defined a `validation_step` but have no `val_dataloader`")
def test_epochs_go_on_where_the_last_one_ended(worker, folder):
    def epoch(start, stop):
        return worker.epoch(order=str(folder / "order.npy"), start=start, stop=stop, batch_size=8)

    before = worker.evaluate(batch_size=16)
    for _ in range(5):
        epoch(0, 24)
        figures = epoch(24, 40)
    assert worker.evaluate(batch_size=16)["loss"] < before["loss"]
    assert set(figures) == set(before) == {"loss", "accuracy"}
    assert {int(state["step"]) for state in worker.optimizer.state.values()} == {5 * (3 + 2)}


def test_each_step_is_timed(worker, folder):
    paths = {"ids": str(folder / "batch_ids.npy"), "labels": str(folder / "batch_labels.npy")}
    before = [parameter.clone() for parameter in worker.model.parameters()]
    evaluated = worker.eval_steps(**paths, start=0, count=3)
    assert all(map(torch.equal, before, worker.model.parameters()))
    trained = worker.train_steps(**paths, start=3, count=2)
    assert not any(map(torch.equal, before, worker.model.parameters()))
    assert (len(evaluated), len(trained)) == (3, 2)
    assert min(*evaluated, *trained) > 0


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", ["tfidf", "nbsvm"])
def test_text_classifiers_learn_any_number_of_classes(name, classes, tmp_path):
    worker_class = {"tfidf": "TfidfWorker", "nbsvm": "NbsvmWorker"}[name]
    worker = getattr(pytest.importorskip(f"benchmarks.workers.{name}"), worker_class)()
    random = np.random.default_rng(0)
    for part in ("train", "test"):
        labels = np.arange(60, dtype=np.float32) % classes
        noise = random.integers(0, 10, (60, 5))
        lines = [f"noise{a} noise{b} Class{label:.0f}!" for label, (a, b, *_) in zip(labels, noise, strict=True)]
        (tmp_path / f"{part}_texts.txt").write_text("\n".join(lines) + "\n")
        np.save(tmp_path / f"{part}_labels.npy", labels)
    np.save(tmp_path / "order.npy", random.permutation(60))
    worker.build(stack="any", length=8, sizes={}, device="cpu", seed=1, threads=1, options={})
    worker.load(folder=str(tmp_path))
    worker.epoch(order=str(tmp_path / "order.npy"), start=0, stop=60, batch_size=1)
    assert worker.evaluate(batch_size=1) == {"accuracy": 1.0}
    assert worker.parameters() > classes


def test_log_count_ratios_are_those_of_naive_bayes():
    nbsvm = pytest.importorskip("benchmarks.workers.nbsvm")
    from scipy.sparse import csr_matrix
    from sklearn.naive_bayes import MultinomialNB

    random = np.random.default_rng(0)
    present = csr_matrix((random.random((40, 12)) < 0.4).astype(np.float32))
    positive = random.random(40) < 0.5
    weights, _ = nbsvm._weights(present, positive, strength=1.0, beta=0.0)  # the ratios alone, times one mean weight
    bayes = MultinomialNB().fit(present, positive)
    ratios = bayes.feature_log_prob_[1] - bayes.feature_log_prob_[0]
    np.testing.assert_allclose(weights / weights[0], ratios / ratios[0], rtol=1e-9, atol=1e-12)


def test_batches_go_round(folder):
    ids, labels = base.batches(str(folder / "batch_ids.npy"), str(folder / "batch_labels.npy"), 3, 2)
    everything = np.load(folder / "batch_ids.npy")
    assert (ids == everything[[3, 0]]).all()
    assert labels.shape == (2, 10)


def test_peak_memory_is_the_workers_own():
    ballast = np.ones(60 * 2**20, dtype=np.uint8)
    code = "from benchmarks.workers.base import _peak_bytes; print(_peak_bytes())"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    completed = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert ballast.nbytes < base._peak_bytes()
    assert int(completed.stdout) < base._peak_bytes() - ballast.nbytes


@pytest.mark.parametrize(
    ("options", "word_dropout", "initializer", "eps"),
    [({}, 0.2, "keras", 1e-8), ({"as_keras3": True}, 0.0, "keras", 1e-7)],
)
def test_settings_are_those_of_the_recipe_or_of_keras_3(options, word_dropout, initializer, eps):
    worker = SeqclassWorker()
    threads = torch.get_num_threads()
    worker.build(
        stack="lstm_gate_dropout", length=8, sizes=SIZES, device="cpu", seed=1, threads=threads, options=options
    )
    assert worker.model.embedding.dropout == word_dropout
    assert worker.model.recurrent.initializer == initializer
    assert worker.optimizer.defaults["eps"] == eps
