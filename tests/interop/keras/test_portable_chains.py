"""Imported chains as ONNX models: what they compute, what Keras computes; or refused by name."""

import numpy as np
import onnxruntime
import pytest
import torch

from seqclass.interop import import_keras, torch_export
from seqclass.interop.onnx import export_onnx
from seqclass.interop.torch_export import export_torch

NAMES = [
    "imdb_cnn_lstm", "imdb_bidirectional_lstm", "toxic_mask", "toxic_conv", "tutorial_stacked", "kim", "masking",
    "gru_before", "gru_no_bias", "gru_hard", "lstm_relu", "simple_rnn", "backwards_mask", "backwards_sequences",
    "stacked_mask", "average_mask", "merge_mul", "own_backward", "convolutions", "normalized", "flatten", "two_classes",
    "three_labels", "dense",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_onnx(name, keras_models, tmp_path):
    model = keras_models["keras3"][name]
    classifier, _ = import_keras(model.files[0])
    export_onnx(classifier, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    texts = model.inputs.dtype.kind == "U"
    ids = torch.from_numpy(classifier.pipeline.to_array(model.texts()) if texts else model.inputs).long()
    # Other sizes than those the model was built with; a row of padding alone has no mean of masked steps in Keras.
    batches = [ids, ids[:1], torch.zeros_like(ids[:2])] + ([] if name == "flatten" else [ids[1:4, 3:]])
    for batch in batches:
        with torch.no_grad():
            logits, probabilities = classifier.logits(batch), classifier.probabilities(batch)
        found = session.run(["logits", "probabilities"], {"ids": batch.numpy()})
        np.testing.assert_allclose(found[0], logits.numpy(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(found[1], probabilities.numpy(), rtol=0, atol=1e-5)


@pytest.mark.skipif(torch_export.scan is None, reason="this PyTorch has no scan, which is there from 2.6 on")
@pytest.mark.filterwarnings("ignore")  # those of torch.export are its own
@pytest.mark.parametrize("name", ["imdb_cnn_lstm", "toxic_mask", "gru_before", "merge_mul", "flatten"])
def test_torch_export(name, keras_models, tmp_path):
    model = keras_models["keras3"][name]
    classifier, _ = import_keras(model.files[0])
    export_torch(classifier, tmp_path / "m.pt2")
    program = torch.export.load(tmp_path / "m.pt2").module()
    ids = torch.from_numpy(model.inputs).long()
    for batch in [ids, ids[:1]] + ([] if name == "flatten" else [ids[1:4, 3:]]):
        with torch.no_grad():
            torch.testing.assert_close(program(batch), classifier.logits(batch), rtol=0, atol=1e-5)
