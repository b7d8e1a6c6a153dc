"""Ordinary models, written by the real Keras 3 and tf_keras 2, predict here what they predict there."""

import io
import tarfile
import warnings

import numpy as np
import pytest
import torch
from support.keras_models import ARCHIVES

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.interop import import_keras
from seqclass.interop.keras import hdf5, hdf5_worker
from seqclass.models import options_from

# What is a stack of the notebook's stays one.
NAMED = {
    "imdb_lstm": "lstm_gate_dropout",
    "two_classes": "lstm",
    "two_labels": "lstm",
    "three_labels": "lstm",
    "tutorial_functional": "lstm",
    "lookup": "lstm",
    "lookup_mask": "lstm",
    "cudnn_lstm": "lstm",
}


def packed_names(archive):
    with tarfile.open(ARCHIVES / f"{archive}.tar.xz") as packed:
        return packed.getnames()


FILES = {archive: packed_names(archive) for archive in ("keras3", "tf_keras2")}
MODELS = [
    (archive, name)
    for archive, files in FILES.items()
    for name in sorted({file.partition(".")[0].removesuffix("_weights") for file in files} - {"predictions"})
]


@pytest.fixture(autouse=True)
def read_in_this_process(monkeypatch):
    """Spare hundreds of processes; `test_hdf5.py` reads in one of its own, as everybody does."""

    def read(file, source):
        out = io.BytesIO()
        hdf5_worker.read(io.BytesIO(file) if isinstance(file, bytes) else str(file), out, hdf5.MAX_BYTES)
        return out.getvalue()

    monkeypatch.setattr(hdf5, "_read_apart", read)


def answers(classifier, model):
    """In the form of Keras' predictions: probabilities, or logits where it has logits."""
    if model.inputs.dtype.kind == "U":
        ids = torch.from_numpy(classifier.pipeline.to_array(model.texts()))
    else:
        ids = torch.from_numpy(model.inputs)
    with torch.no_grad():
        logits, probabilities = classifier.logits(ids), classifier.probabilities(ids)
    if classifier.record["keras"]["output_activation"] == "linear":
        return logits.reshape(len(ids), -1).numpy()
    return probabilities.numpy()[:, -model.predictions.shape[1] :]


@pytest.mark.parametrize(("archive", "name"), MODELS)
def test_predicts_as_keras(archive, name, keras_models, tmp_path):
    model = keras_models[archive][name]
    assert model.files
    for path in model.files:
        weights = path.name.endswith("weights.h5")
        options = {"architecture": str(model.architecture)} if weights else {}
        classifier, report = import_keras(path, **options)
        assert report.keras == (3 if archive == "keras3" else 2) or weights
        assert report.stack == NAMED.get(name, "chain")
        if weights and model.inputs.dtype.kind == "U" and classifier.pipeline is None:
            assert "lost the vocabulary" in "".join(report.notes)
            continue
        found = answers(classifier, model)
        np.testing.assert_allclose(found, model.predictions, rtol=0, atol=1e-6, err_msg=path.name)
        if path.suffix == ".keras":
            classifier.save(tmp_path / "model.safetensors")
            again = TextClassifier.load(tmp_path / "model.safetensors")
            np.testing.assert_array_equal(answers(again, model), found)
            assert again.options.values() == classifier.options.values()
            assert options_from(classifier.options.values()) == classifier.options


def test_raw_texts(keras_models):
    """One call from a file to answers, each text by itself as in a batch."""
    model = keras_models["keras3"]["tutorial"]
    classifier, _ = import_keras(model.files[0], labels=["neg", "pos"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some have no word that is known
        together = classifier.classify(model.texts())
        alone = [classifier.classify([text])[0] for text in model.texts()]
    probabilities = 1 / (1 + np.exp(-model.predictions[:, 0]))
    for answer, other, expected in zip(together, alone, probabilities, strict=True):
        assert answer.probabilities["pos"] == pytest.approx(expected, abs=1e-6)
        assert other.probabilities["pos"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", ["imdb_cnn_lstm", "toxic", "stacked_mask", "kim", "gru_before", "convolutions"])
def test_a_chain_learns(name, keras_models):
    """Gradients reach every weight: the chain can be trained, if by no recipe."""
    model = keras_models["keras3"][name]
    classifier, _ = import_keras(model.files[0])
    classifier.train()
    classifier.logits(torch.from_numpy(model.inputs)).square().sum().backward()
    for key, parameter in classifier.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, key
            assert parameter.grad.abs().sum() > 0, key


# What a file of weights does not say, where it is not what is assumed.
UNSAID = {
    "imdb_lstm": {"stack": "lstm_gate_dropout"},
    "imdb_cnn_lstm": {"conv_padding": "valid", "pool_size": 4},
    "imdb_bidirectional_lstm": {},
    "bidirectional_lstm_imdb": {},
    "imdb_cnn": {"conv_padding": "valid"},
    "tutorial": {"mask_padding": True, "output_activation": "linear"},
    "tutorial_stacked": {"mask_padding": True, "output_activation": "linear"},
    "toxic": {"output_activation": "sigmoid"},
    "toxic_mask": {"output_activation": "sigmoid", "mask_padding": True},
    "toxic_conv": {"output_activation": "sigmoid", "conv_padding": "valid", "conv_activation": "linear"},
    "gru_after": {},
    "gru_before": {"mask_padding": True},
    "gru_no_bias": {},
    "gru_hard": {"mask_padding": True, "recurrent_activation": "hard_sigmoid_keras3"},
    "lstm_no_bias": {"output_activation": "linear"},
    "lstm_relu": {"mask_padding": True, "activation": "relu"},
    "simple_rnn": {"mask_padding": True},
    "backwards": {"go_backwards": True},
    "average": {},
    "average_mask": {"mask_padding": True},
    "merge_sum": {"merge_mode": "sum"},
    "three_labels": {"output_activation": "sigmoid"},
    "cudnn_lstm": {},
    "cudnn_gru": {},
}
GUESSED = [
    (archive, name, kind)
    for archive, name in MODELS
    for kind in (".weights.h5", "_weights.h5")
    if name in UNSAID and f"{name}{kind}" in FILES[archive]
]


@pytest.mark.parametrize(("archive", "name", "kind"), GUESSED)
def test_weights_without_an_architecture(archive, name, kind, keras_models):
    model = keras_models[archive][name]
    path = model.architecture.with_name(f"{name}{kind}")
    options = dict(UNSAID[name])
    if archive == "tf_keras2" and "recurrent_activation" in options:
        options["recurrent_activation"] = "hard_sigmoid"
    if name == "gru_no_bias" and kind == "_weights.h5":
        pytest.skip("a GRU without bias does not show whether it resets before or behind")
    classifier, report = import_keras(path, **options)
    if name.startswith("tutorial"):
        encoder, _ = import_keras(path.with_name(f"{name}.keras"))
        ids = torch.from_numpy(encoder.pipeline.to_array(model.texts()))
        with torch.no_grad():
            found = classifier.logits(ids).reshape(len(ids), -1).numpy()
    else:
        found = answers(classifier, model)
    np.testing.assert_allclose(found, model.predictions, rtol=0, atol=1e-6)
    assert report.assumed
    for option in options:
        if option != "stack":
            assert not any(f"--{option} " in line for line in report.assumed), option


def test_low_precision_is_said(keras_models):
    _, report = import_keras(keras_models["keras3"]["mixed_bfloat16"].files[0])
    assert "the file's policy is mixed_bfloat16; here all is float32" in report.notes


@pytest.mark.parametrize("setting", ["conv_padding", "architecture", "output_activation"])
def test_a_whole_model_is_not_overruled(setting, keras_models):
    path = keras_models["keras3"]["imdb_cnn_lstm"].files[0]
    value = {"conv_padding": "same", "architecture": "x.json", "output_activation": "softmax"}[setting]
    with pytest.raises(InputError, match=f"^{setting}='{value}' is for files of weights alone"):
        import_keras(path, **{setting: value})
