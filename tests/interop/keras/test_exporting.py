"""What was imported goes back, into files that read alike here. What Keras makes of them: `test_peer.py`."""

import json
import zipfile

import h5py
import numpy as np
import pytest
import torch

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop import export_keras, import_keras
from seqclass.models import StackOptions

NAMES = [
    "imdb_cnn_lstm", "imdb_bidirectional_lstm", "bidirectional_lstm_imdb", "toxic_mask", "kim", "convolutions",
    "own_backward", "gru_before", "normalized", "two_classes", "nested_functional", "flatten", "dense", "lookup_mask",
]  # fmt: skip


def logits(classifier, model):
    ids = model.inputs if model.inputs.dtype.kind != "U" else classifier.pipeline.to_array(model.texts())
    with torch.no_grad():
        return classifier.probabilities(torch.from_numpy(ids))


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back(name, keras_models, tmp_path):
    model = keras_models["keras3"][name]
    first, _ = import_keras(model.files[0])
    export_keras(first, tmp_path / "m.keras")
    second, report = import_keras(tmp_path / "m.keras")
    assert report.keras == 3
    torch.testing.assert_close(logits(second, model), logits(first, model), rtol=0, atol=0)
    assert second.options == first.options
    # The same model gives the same bytes.
    export_keras(second, tmp_path / "again.keras")
    if second.record == first.record:
        assert (tmp_path / "again.keras").read_bytes() == (tmp_path / "m.keras").read_bytes()


@pytest.mark.parametrize("name", ["imdb_cnn_lstm", "toxic_mask"])
def test_weights_alone(name, keras_models, tmp_path):
    model = keras_models["keras3"][name]
    first, _ = import_keras(model.files[0])
    export_keras(first, tmp_path / "m.weights.h5")
    second, _ = import_keras(tmp_path / "m.weights.h5", architecture=str(model.architecture))
    torch.testing.assert_close(logits(second, model), logits(first, model), rtol=0, atol=0)


class TestOutput:
    """An imported model ends as it did, one that was trained here in probabilities."""

    def activation(self, path):
        with zipfile.ZipFile(path) as archive:
            last = json.loads(archive.read("config.json"))["config"]["layers"][-1]["config"]
        return last["units"], last["activation"]

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("tutorial", (1, "linear")),
            ("two_classes", (2, "softmax")),
            ("two_labels", (2, "sigmoid")),
            ("gru_no_bias", (3, "softmax")),
            ("imdb_cnn_lstm", (1, "sigmoid")),
        ],
    )
    def test_imported(self, name, expected, keras_models, tmp_path):
        classifier, _ = import_keras(keras_models["keras3"][name].files[0])
        lines = export_keras(classifier, tmp_path / "m.keras")
        assert self.activation(tmp_path / "m.keras") == expected
        assert any("ends in logits" in line for line in lines) == (expected[1] == "linear")

    def test_trained_here(self, tmp_path):
        classifier = TextClassifier(StackOptions(stack="lstm", num_embeddings=9, embedding_dim=3, hidden_size=2))
        export_keras(classifier, tmp_path / "m.keras")
        assert self.activation(tmp_path / "m.keras") == (1, "sigmoid")


class TestTextLayer:
    def kinds(self, path):
        with zipfile.ZipFile(path) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        return [layer["class_name"] for layer in layers][:2]

    @pytest.mark.parametrize("name", ["tutorial_stacked", "tutorial_fixed", "tutorial_characters", "tutorial_ngrams"])
    def test_it_goes_back(self, name, keras_models, tmp_path):
        classifier, _ = import_keras(keras_models["keras3"][name].files[0])
        lines = export_keras(classifier, tmp_path / "m.keras")
        assert lines[0] == "the labels stay behind: a Keras file has no place for them"
        assert self.kinds(tmp_path / "m.keras") == ["InputLayer", "TextVectorization"]
        again, _ = import_keras(tmp_path / "m.keras")
        assert again.pipeline == classifier.pipeline

    def test_it_may_stay(self, keras_models, tmp_path):
        classifier, _ = import_keras(keras_models["keras3"]["tutorial"].files[0])
        export_keras(classifier, tmp_path / "m.keras", text=False)
        assert self.kinds(tmp_path / "m.keras") == ["InputLayer", "Embedding"]
        again, _ = import_keras(tmp_path / "m.keras")
        assert again.pipeline is None

    @pytest.mark.parametrize(
        ("name", "reason"),
        [("lookup", "its ids are not those of a TextVectorization"), ("toxic", "the model has no text pipeline")],
    )
    def test_wanted_and_impossible(self, name, reason, keras_models, tmp_path):
        classifier, _ = import_keras(keras_models["keras3"][name].files[0])
        with pytest.raises(InputError, match=f"^text=True does not fit: {reason}"):
            export_keras(classifier, tmp_path / "m.keras", text=True)
        export_keras(classifier, tmp_path / "m.keras")
        assert "TextVectorization" not in self.kinds(tmp_path / "m.keras")


@pytest.mark.parametrize(
    ("name", "keras", "message"),
    [
        ("toxic", 1, "layer 1, a dropout with kind='features', cannot be exported: only the notebook's layers"),
        ("kim", 1, "layer 1, a branches, cannot be exported to Keras 1: only the notebook's layers"),
        ("imdb_cnn_lstm", 1, "layer 2, a convolution with padding='valid', cannot be exported: only the notebook's"),
    ],
)
def test_keras1_is_written_the_notebooks_layers(name, keras, message, keras_models, tmp_path):
    classifier, _ = import_keras(keras_models["keras3"][name].files[0])
    with pytest.raises(InputError, match=f"^{message}"):
        export_keras(classifier, tmp_path / "m.h5", keras=keras)


def test_hard_sigmoid_of_keras2_is_not_that_of_keras3(keras_models, tmp_path):
    classifier, _ = import_keras(keras_models["tf_keras2"]["gru_hard"].files[0])
    with pytest.raises(InputError, match=r"^Keras 3 has no recurrent_activation 'hard_sigmoid', clip\(0.2 x"):
        export_keras(classifier, tmp_path / "m.keras")


def test_names_in_a_weights_file_are_those_of_the_layers(keras_models, tmp_path):
    classifier, _ = import_keras(keras_models["keras3"]["imdb_bidirectional_lstm"].files[0])
    export_keras(classifier, tmp_path / "m.weights.h5")
    with h5py.File(tmp_path / "m.weights.h5") as file:
        assert set(file["layers"]) == {"bidirectional", "bidirectional_1", "dense", "dropout", "embedding"}
        assert file["layers/bidirectional_1/vars"].attrs["name"] == "bidirectional_1"
        array = file["layers/bidirectional/backward_layer/cell/vars/1"][()]
    own = classifier.stack.layers[1].backward_layer.layer.weight_hh
    np.testing.assert_array_equal(array, own.T.detach().numpy())
