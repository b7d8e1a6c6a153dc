"""Exported files in the real Keras 3, where the environment of the benchmark's peers has it."""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.implementations import PEERS_ENVIRONMENT
from seqclass.classifier import TextClassifier
from seqclass.interop import export_keras, import_keras
from seqclass.models import StackOptions

# `SEQCLASS_PEERS_PYTHON` may name another environment's.
PYTHON = os.environ.get("SEQCLASS_PEERS_PYTHON", str(PEERS_ENVIRONMENT / "bin" / "python"))

pytestmark = [
    pytest.mark.peers,
    pytest.mark.skipif(not Path(PYTHON).exists(), reason="no environment of the peers: python -m benchmarks peers"),
]

SIZES = {"num_embeddings": 30, "embedding_dim": 5, "hidden_size": 4, "num_classes": 2}
MODELS = {
    "lstm": {"stack": "lstm", "recurrent_activation": "hard_sigmoid_keras3"},
    "classes": {"stack": "lstm", "num_classes": 4, "mask_padding": True},
    "dropout": {"stack": "lstm_dropout"},
    "gates": {"stack": "lstm_gate_dropout"},
    "cnn": {"stack": "cnn_lstm", "channels": 3},
    "two_layers": {"stack": "lstm_dropout", "num_layers": 2},
    "gru": {"stack": "lstm_gate_dropout", "cell": "gru", "recurrent_activation": "hard_sigmoid_keras3"},
    "both_ways": {"stack": "lstm", "bidirectional": True, "num_layers": 2, "mask_padding": True},
    "mean": {"stack": "lstm", "cell": "gru", "bidirectional": True, "pooling": "mean", "mask_padding": True},
}

# Each whole model; then its weights, into the model that Keras has made of that file, with all weights at zero.
SCRIPT = """
import sys, keras, numpy as np
folder, *names = sys.argv[1:]
ids = np.load(f"{folder}/ids.npy")
for name in names:
    model = keras.saving.load_model(f"{folder}/{name}.keras")
    np.save(f"{folder}/{name}.whole.npy", model.predict(ids, verbose=0))
    model.set_weights([0 * weight for weight in model.get_weights()])
    model.load_weights(f"{folder}/{name}.weights.h5")
    np.save(f"{folder}/{name}.weights.npy", model.predict(ids, verbose=0))
"""


@pytest.mark.slow
def test_keras3_predicts_the_same(tmp_path):
    torch.manual_seed(3)
    ids = torch.randint(1, 30, (6, 20))
    ids[1, :7] = 0
    np.save(tmp_path / "ids.npy", ids.numpy().astype("int32"))
    classifiers = {
        name: TextClassifier(StackOptions(**{**SIZES, **options})).eval() for name, options in MODELS.items()
    }
    for name, classifier in classifiers.items():
        export_keras(classifier, tmp_path / f"{name}.keras")
        export_keras(classifier, tmp_path / f"{name}.weights.h5")
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([PYTHON, "-c", SCRIPT, str(tmp_path), *MODELS], check=True, env=environment)
    for name, classifier in classifiers.items():
        with torch.no_grad():
            expected = classifier.probabilities(ids).numpy()
        for kind in ("whole", "weights"):
            found = np.load(tmp_path / f"{name}.{kind}.npy")
            expected_here = expected if found.shape[1] > 1 else expected[:, 1:]
            np.testing.assert_allclose(found, expected_here, rtol=0, atol=1e-6, err_msg=f"{name}, {kind}")


# Models that were imported, against what they predicted before they came here.
BACK = """
import sys, keras, numpy as np, tensorflow as tf
folder = sys.argv[1]
with np.load(f"{folder}/inputs.npz") as inputs:
    for name, x in inputs.items():
        texts = x.dtype.kind == "U"
        x = tf.constant([[" ".join(row)] if row.ndim else [str(row)] for row in x]) if texts else x
        model = keras.saving.load_model(f"{folder}/{name}.keras")
        np.save(f"{folder}/{name}.whole.npy", model(x))
        for weight in model.weights:
            if "float" in str(weight.dtype):
                weight.assign(0 * weight)
        model.load_weights(f"{folder}/{name}.weights.h5")
        np.save(f"{folder}/{name}.weights.npy", model(x))
"""
# Its ids are not those of a TextVectorization; its gates have Keras 2's hard_sigmoid.
NOT_BACK = {("keras3", "lookup"), ("tf_keras2", "lookup"), ("tf_keras2", "gru_hard")}


@pytest.mark.slow
@pytest.mark.parametrize("archive", ["keras3", "tf_keras2"])
def test_imported_models_go_back(archive, keras_models, tmp_path):
    models = {name: model for name, model in keras_models[archive].items() if (archive, name) not in NOT_BACK}
    for name, model in models.items():
        classifier, _ = import_keras(model.files[0])
        export_keras(classifier, tmp_path / f"{name}.keras")
        export_keras(classifier, tmp_path / f"{name}.weights.h5")
    np.savez(tmp_path / "inputs.npz", **{name: model.inputs for name, model in models.items()})
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([PYTHON, "-c", BACK, str(tmp_path)], check=True, env=environment)
    for name, model in models.items():
        for kind in ("whole", "weights"):
            found = np.load(tmp_path / f"{name}.{kind}.npy")
            np.testing.assert_allclose(found, model.predictions, rtol=0, atol=1e-6, err_msg=f"{name}, {kind}")
