"""The checks before timing: what a stack must weigh and predict, and that a wrong one is found out."""

import numpy as np
import pytest
import torch

from benchmarks import checks
from benchmarks.checks import CheckError
from benchmarks.notebook import STACKS, parameter_count
from benchmarks.workers.torch_naive import TorchNaiveWorker

SIZES = {"num_embeddings": 40, "embedding_dim": 8, "hidden_size": 6}
NOTEBOOK = {"num_embeddings": 5000, "embedding_dim": 32, "hidden_size": 100}


def test_the_notebooks_parameter_counts():
    counts = {stack: parameter_count(stack) for stack in STACKS}
    assert counts == {
        "lstm": 213_301,
        "lstm_dropout": 213_301,
        "lstm_gate_dropout": 213_301,
        "cnn_lstm": 216_405,
    }


@pytest.mark.parametrize("stack", ["lstm", "cnn_lstm"])
def test_neutral_weights_are_all_of_the_model(stack):
    weights = checks.neutral_weights(stack, **SIZES)
    assert sum(value.size for value in weights.values()) == parameter_count(stack, **SIZES)
    assert {value.dtype for value in weights.values()} == {np.dtype("float32")}


@pytest.mark.parametrize("steps", [20, 21])
@pytest.mark.parametrize("stack", ["lstm", "lstm_dropout", "cnn_lstm"])
def test_the_numpy_reference_and_nn_lstm_agree(stack, steps, tmp_path):
    weights = checks.neutral_weights(stack, **SIZES)
    ids = np.random.default_rng(0).integers(0, 40, (5, steps)).astype(np.int32)
    np.savez(tmp_path / "weights.npz", **weights)
    np.save(tmp_path / "ids.npy", ids)
    worker = TorchNaiveWorker()
    threads = torch.get_num_threads()
    built = worker.build(stack=stack, length=steps, sizes=SIZES, device="cpu", seed=0, threads=threads, options={})
    checks.check_parameters("torch-naive", stack, built["parameters"], SIZES)
    own = [parameter.clone() for parameter in worker.model.parameters()]
    paths = {"weights": "weights.npz", "ids": "ids.npy", "probabilities": "probabilities.npy"}
    worker.check(**{name: str(tmp_path / path) for name, path in paths.items()})
    found = np.load(tmp_path / "probabilities.npy")
    expected = checks.predict(weights, ids)
    assert checks.check_predictions("torch-naive", found, expected) < 1e-6
    assert np.ptp(expected) > 0.02
    assert all(map(torch.equal, own, worker.model.parameters()))


def test_a_second_bias_is_forgiven_to_nn_lstm_alone():
    checks.check_parameters("torch-naive", "lstm", 213_701, NOTEBOOK)
    checks.check_parameters("torch-naive:bf16", "lstm", 213_701, NOTEBOOK)
    with pytest.raises(CheckError, match="seqclass has 213,701 parameters for lstm, should have 213,301"):
        checks.check_parameters("seqclass", "lstm", 213_701, NOTEBOOK)


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([0.5, 0.50002], "differs from the reference by up to 2.0e-05, allowed is 1e-05"),
        ([0.5, float("nan")], "by up to nan"),
        ([[0.5, 0.5]], r"predicts shape \(1, 2\), should be \(2,\)"),
    ],
)
def test_a_wrong_prediction_is_found_out(found, message):
    with pytest.raises(CheckError, match=message):
        checks.check_predictions("keras-jax", np.array(found), np.array([0.5, 0.5]))
