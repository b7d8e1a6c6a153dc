"""ONNX and torch.export models against the classifier, at sizes other than those they were made with."""

import json

import numpy as np
import onnxruntime
import pytest
import torch
from support.versions import OLD_PYTORCH

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.errors import InputError
from seqclass.interop import torch_export
from seqclass.interop.onnx import export_onnx
from seqclass.interop.torch_export import export_torch
from seqclass.models import StackOptions

SIZES = {"num_embeddings": 30, "embedding_dim": 5, "hidden_size": 4}
MODELS = {
    "lstm": {"stack": "lstm", "num_classes": 2},
    "hard_sigmoid": {"stack": "lstm", "num_classes": 3, "recurrent_activation": "hard_sigmoid"},
    "hard_sigmoid_keras3": {"stack": "lstm_dropout", "num_classes": 2, "recurrent_activation": "hard_sigmoid_keras3"},
    "mask": {"stack": "lstm_gate_dropout", "num_classes": 2, "mask_padding": True},
    "cnn": {"stack": "cnn_lstm", "num_classes": 2, "channels": 3, "kernel_size": 4, "pool_size": 3},
    "cnn_hard": {"stack": "cnn_lstm", "num_classes": 3, "channels": 3, "recurrent_activation": "hard_sigmoid"},
    "labels": {"stack": "lstm", "num_classes": 3, "multi_label": True},
    "two_layers": {"stack": "lstm_dropout", "num_classes": 2, "num_layers": 2},
    "gru": {"stack": "lstm", "num_classes": 2, "cell": "gru"},
    "gru_hard_mask": {
        "stack": "lstm_gate_dropout",
        "num_classes": 2,
        "cell": "gru",
        "recurrent_activation": "hard_sigmoid",
        "mask_padding": True,
    },
    "both_ways": {"stack": "lstm", "num_classes": 2, "bidirectional": True},
    "both_ways_mask": {"stack": "lstm", "num_classes": 2, "bidirectional": True, "mask_padding": True},
    "mean": {"stack": "lstm", "num_classes": 2, "pooling": "mean"},
    "mean_mask": {"stack": "lstm", "num_classes": 2, "pooling": "mean", "mask_padding": True},
    "widths": {"stack": "cnn_lstm", "num_classes": 2, "channels": 3, "kernel_size": [2, 3, 5], "pooling": "max"},
    "all": {
        "stack": "cnn_lstm",
        "num_classes": 3,
        "channels": 3,
        "kernel_size": [3, 4],
        "cell": "gru",
        "num_layers": 2,
        "bidirectional": True,
        "pooling": "max",
    },
    "all_mask": {
        "stack": "lstm",
        "num_classes": 3,
        "num_layers": 2,
        "bidirectional": True,
        "pooling": "max",
        "mask_padding": True,
    },
}

# Tracing takes seconds: what other models hold too is left to them there.
PARTS = ("hard_sigmoid_keras3", "cnn_hard", "labels", "two_layers", "gru", "both_ways", "both_ways_mask", "mean_mask")


def new(name):
    torch.manual_seed(1)
    return TextClassifier(StackOptions(**MODELS[name], **SIZES)).eval()


def inputs(name):
    draw = torch.Generator().manual_seed(2)
    for batch, steps in ((1, 6), (1, 50), (7, 21)):
        ids = torch.randint(1, 30, (batch, steps), generator=draw)
        ids[0, : steps // 2] = 0
        if batch > 3:
            ids[1] = 0  # padding alone
            ids[2, 3:5] = 0  # in the middle
            ids[3, -4:] = 0
        yield ids


@pytest.mark.parametrize("name", MODELS)
def test_onnx(name, tmp_path):
    classifier = new(name)
    export_onnx(classifier, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    for ids in inputs(name):
        with torch.no_grad():
            logits, probabilities = classifier(ids), classifier.probabilities(ids)
        found = session.run(["logits", "probabilities"], {"ids": ids.numpy()})
        np.testing.assert_allclose(found[0], logits.numpy(), rtol=0, atol=1e-5)
        np.testing.assert_allclose(found[1], probabilities.numpy(), rtol=0, atol=1e-5)


@pytest.mark.skipif(torch_export.scan is None, reason="this PyTorch has no scan, which is there from 2.6 on")
@pytest.mark.parametrize("name", [name for name in MODELS if name not in PARTS])
@pytest.mark.filterwarnings("ignore")  # those of torch.export are its own
def test_torch_export(name, tmp_path):
    classifier = new(name)
    export_torch(classifier, tmp_path / "m.pt2")
    extra = {"seqclass.json": ""}
    program = torch.export.load(tmp_path / "m.pt2", extra_files=extra).module()
    assert json.loads(extra["seqclass.json"]) == {"labels": [], "pipeline": None}
    for ids in inputs(name):
        with torch.no_grad():
            torch.testing.assert_close(program(ids), classifier(ids), rtol=0, atol=1e-5)


def test_a_pytorch_without_scan_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(torch_export, "scan", None)
    with pytest.raises(InputError, match=r"^torch-export needs PyTorch 2\.6 or newer, and this is "):
        export_torch(new("lstm"), tmp_path / "m.pt2")
    assert not (tmp_path / "m.pt2").exists()


def test_onnx_carries_labels_and_vocabulary(checkpoint, tmp_path):
    classifier = TextClassifier.load(checkpoint)
    export_onnx(classifier, tmp_path / "m.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    about = json.loads(session.get_modelmeta().custom_metadata_map["seqclass"])
    assert about["labels"] == ["neg", "pos"]
    assert about["pipeline"] == classifier.pipeline.state()


LEFT_OUT = {
    "segments": {},
    "n-grams": {"segment_length": 0},
    "prefixes and suffixes": {"segment_length": 0, "ngrams": 0},
    "maxima and means": {"segment_length": 0, "ngrams": 0, "affix_buckets": 0},
}


@pytest.mark.parametrize("part", LEFT_OUT)
@pytest.mark.parametrize("form", ["onnx", "torch-export"])
def test_what_an_exporter_would_leave_out_is_refused(form, part, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    sizes = {"num_embeddings": 9, "hidden_size": 2, "ngram_buckets": 9}
    TextClassifier(StackOptions(stack="pooled", **{**sizes, **LEFT_OUT[part]})).save("pooled.ckpt")
    assert main(["export", "pooled.ckpt", "--format", form, "--out", "model.out"]) == 2
    told = capsys.readouterr().err
    if form == "torch-export" and OLD_PYTORCH:
        assert "torch-export needs PyTorch 2.6 or newer" in told
    else:
        assert "cannot be written for " in told
        assert part in told
    assert [path.name for path in tmp_path.iterdir()] == ["pooled.ckpt"]
