"""Who can be asked for, and that all are started alike."""

import sys
from pathlib import Path

import pytest

from benchmarks import implementations
from benchmarks.protocol import WorkerError


def test_names_and_workers_belong_together():
    workers = Path(implementations.__file__).parent / "workers"
    names = [*implementations.NETWORKS, *implementations.TEXT_CLASSIFIERS, "seqclass:fused"]
    for name in names:
        assert (workers / f"{implementations.named(name).module}.py").exists()
    assert implementations.named("seqclass:fused").options == {"kernel": "fused"}
    assert implementations.named("torch-naive:bf16").options == {"precision": "bf16"}
    with pytest.raises(ValueError, match="no implementation is named 'keras'; there are seqclass, "):
        implementations.named("keras")


def test_everyone_gets_the_same_threads():
    for name in ("seqclass", "keras-jax"):
        implementation = implementations.named(name)
        variables = implementations.worker_environment(implementation, threads=3, device="cpu")
        for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "NPROC"):
            assert variables[variable] == "3"
        assert variables["CUDA_VISIBLE_DEVICES"] == ""
    assert variables["KERAS_BACKEND"] == "jax"


@pytest.mark.parametrize("threads", [0, 10_000])
def test_there_must_be_cpus_for_the_threads(threads):
    with pytest.raises(ValueError, match=f"got {threads}"):
        implementations.start(implementations.named("torch-naive"), threads=threads, device="cpu")


def test_peers_without_their_environment_say_how_it_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(implementations, "PEERS_ENVIRONMENT", tmp_path)
    with pytest.raises(WorkerError, match="python -m benchmarks peers makes it"):
        implementations.start(implementations.named("fasttext"), threads=1, device="cpu")


def test_without_their_environment_peers_run_where_their_packages_are(monkeypatch, tmp_path):
    monkeypatch.setattr(implementations, "PEERS_ENVIRONMENT", tmp_path)
    here = {"keras", "jax"}
    monkeypatch.setattr(implementations.importlib.util, "find_spec", lambda name: name if name in here else None)
    assert implementations.python_of(implementations.named("keras-jax")) == Path(sys.executable)
    for name in ("keras-torch", "fasttext"):
        with pytest.raises(WorkerError, match="python -m benchmarks peers makes it"):
            implementations.python_of(implementations.named(name))


def test_who_has_no_stack_comes_once():
    assert implementations.by_stack(["tfidf", "seqclass"], ["lstm", "cnn_lstm"]) == {
        "lstm": ["seqclass"],
        "cnn_lstm": ["seqclass"],
        "any": ["tfidf"],
    }
    assert implementations.by_stack(["seqclass"], ["lstm"]) == {"lstm": ["seqclass"]}
    assert implementations.need_texts(["seqclass", "fasttext"])
    assert not implementations.need_texts(["seqclass"])
    assert [implementations.has_stack(name) for name in ("seqclass", "nbsvm")] == [True, False]
