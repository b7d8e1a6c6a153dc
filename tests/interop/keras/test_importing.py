"""The notebook's stacks in and out: golden files of Keras 1, 2 and 3, round trips, and what is refused."""

import io
import json
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from support import golden

from seqclass.classifier import TextClassifier, probabilities
from seqclass.errors import InputError
from seqclass.interop import export_keras, import_keras
from seqclass.interop.keras import files
from seqclass.interop.keras.names import snake_case
from seqclass.models import StackOptions

KERAS2 = Path(__file__).parent / "keras2"
# The golden files themselves; the repository has the arrays alone.
FILES = sorted(path.name for path in golden.FOLDER.glob("keras*") if path.suffix in (".h5", ".keras"))
# What a file without a configuration does not say.
UNSAID = {
    "keras3_lstm_hard_sigmoid.weights.h5": {"recurrent_activation": "hard_sigmoid_keras3"},
    "keras3_lstm_mask_zero.weights.h5": {"mask_padding": True},
}

SIZES = {"num_embeddings": 30, "embedding_dim": 5, "hidden_size": 4}
MODELS = {
    "lstm": {"stack": "lstm", "num_classes": 2},
    "classes": {"stack": "lstm", "num_classes": 4},
    "mask": {"stack": "lstm", "num_classes": 2, "mask_padding": True},
    "dropout": {"stack": "lstm_dropout", "num_classes": 2, "word_dropout": 0.0, "dropout": 0.3},
    "gates": {
        "stack": "lstm_gate_dropout",
        "num_classes": 2,
        "word_dropout": 0.0,
        "dropout": 0.1,
        "recurrent_dropout": 0.4,
    },
    "cnn": {"stack": "cnn_lstm", "num_classes": 2, "channels": 3, "kernel_size": 4, "pool_size": 3},
}


def new(name, **options):
    torch.manual_seed(1)
    return TextClassifier(StackOptions(**{**MODELS[name], **SIZES, **options})).eval()


@pytest.mark.skipif(not FILES, reason="no Keras files beside the golden arrays: set SEQCLASS_GOLDEN")
@pytest.mark.parametrize("file", FILES or ["none"])
def test_golden_file_predicts_as_keras(file, tmp_path):
    classifier, report = import_keras(golden.FOLDER / file, **UNSAID.get(file, {}))
    classifier.save(tmp_path / "model.ckpt")
    model = golden.load(file.partition(".")[0])
    with torch.no_grad():
        logits = TextClassifier.load(tmp_path / "model.ckpt")(model.ids)
    assert logits.shape == (len(model.ids),)
    torch.testing.assert_close(logits.sigmoid(), model.prediction, rtol=0, atol=1e-6)
    assert report.keras == model.keras
    # Gate dropout leaves no trace in weights.
    expected = model.stack_name if "weights" not in file or "gate" not in file else "lstm"
    if not (file.startswith("keras1") and "gate" in file):
        assert report.stack == expected


@pytest.mark.parametrize(
    ("name", "stack", "activation"),
    [
        ("lstm", "lstm", "sigmoid"),
        ("mask", "lstm", "sigmoid"),
        ("hard", "lstm", "hard_sigmoid"),
        ("drop", "lstm_dropout", "sigmoid"),
        ("gate", "lstm_gate_dropout", "sigmoid"),
        ("cnn", "cnn_lstm", "sigmoid"),
    ],
)
def test_keras2_file_predicts_as_keras(name, stack, activation):
    classifier, report = import_keras(KERAS2 / f"{name}.h5")
    assert (report.keras, report.stack, report.assumed) == (2, stack, [])
    assert report.options["recurrent_activation"] == activation
    with np.load(KERAS2 / "predictions.npz") as values:
        ids, expected = torch.from_numpy(values[f"{name}/x"]), torch.from_numpy(values[f"{name}/p"])
    with torch.no_grad():
        found = probabilities(classifier(ids))
    torch.testing.assert_close(found if expected.shape[1] > 1 else found[:, 1:], expected, rtol=0, atol=1e-6)


def test_report_names_every_array():
    _, report = import_keras(KERAS2 / "cnn.h5")
    assert [(shape, target) for _, shape, target in report.arrays] == [
        ((50, 8), "embedding.weight"),
        ((3, 8, 7), "convolution.weight"),
        ((7,), "convolution.bias"),
        ((7, 24), "recurrent.weight_ih"),
        ((6, 24), "recurrent.weight_hh"),
        ((24,), "recurrent.bias"),
        ((6, 1), "output.weight"),
        ((1,), "output.bias"),
    ]


class TestRoundTrip:
    @pytest.mark.parametrize("activation", ["sigmoid", "hard"])
    @pytest.mark.parametrize("name", MODELS)
    @pytest.mark.parametrize(("keras", "file"), [(3, "m.keras"), (1, "m.h5")])
    def test_whole_model(self, name, keras, file, activation, tmp_path):
        hard = "hard_sigmoid" if keras == 1 else "hard_sigmoid_keras3"
        before = new(name, recurrent_activation="sigmoid" if activation == "sigmoid" else hard)
        export_keras(before, tmp_path / file, keras=keras)
        after, report = import_keras(tmp_path / file)
        assert report.keras == keras
        assert report.assumed == []
        for option in (*MODELS[name], *SIZES, "recurrent_activation"):
            assert getattr(after.options, option) == getattr(before.options, option), option
        assert all(torch.equal(value, after.state_dict()[key]) for key, value in before.state_dict().items())

    @pytest.mark.parametrize("name", MODELS)
    def test_weights_of_keras3(self, name, tmp_path):
        before = new(name)
        export_keras(before, tmp_path / "m.weights.h5")
        options = {"stack": "lstm_gate_dropout"} if name == "gates" else {}
        options |= {"mask_padding": True} if name == "mask" else {}
        options |= {"pool_size": 3} if name == "cnn" else {}
        after, _ = import_keras(tmp_path / "m.weights.h5", **options)
        assert after.options.stack == before.options.stack
        assert all(torch.equal(value, after.state_dict()[key]) for key, value in before.state_dict().items())

    def test_theano_kernel_is_reversed(self, tmp_path):
        before = new("cnn")
        for backend in ("theano", "tensorflow"):
            export_keras(before, tmp_path / f"{backend}.h5", keras=1, backend=backend)
            after, _ = import_keras(tmp_path / f"{backend}.h5")
            assert torch.equal(after.stack.convolution.weight, before.stack.convolution.weight)
        with h5py.File(tmp_path / "theano.h5") as one, h5py.File(tmp_path / "tensorflow.h5") as other:
            name = "model_weights/convolution1d/convolution1d_W"
            assert np.array_equal(one[name][()][::-1], other[f"{name}:0"][()])

    @pytest.mark.parametrize("backend", ["theano", "tensorflow"])
    def test_names_of_arrays_tell_what_keras1_ran_on(self, tmp_path, backend):
        before = new("cnn")
        export_keras(before, tmp_path / "m.h5", keras=1, backend=backend)
        with h5py.File(tmp_path / "m.h5", "r+") as file:
            del file["model_weights"].attrs["backend"]
        after, _ = import_keras(tmp_path / "m.h5")
        assert torch.equal(after.stack.convolution.weight, before.stack.convolution.weight)
        other, _ = import_keras(tmp_path / "m.h5", backend="theano" if backend == "tensorflow" else "tensorflow")
        assert torch.equal(other.stack.convolution.weight, before.stack.convolution.weight.flip(2))

    def test_two_softmax_outputs_become_one_logit(self, tmp_path):
        three = new("lstm", num_classes=3)
        export_keras(three, tmp_path / "m.weights.h5")
        with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
            for key in ("0", "1"):
                data = file[f"layers/dense/vars/{key}"][..., :2]
                del file[f"layers/dense/vars/{key}"]
                file[f"layers/dense/vars/{key}"] = data
        two, _ = import_keras(tmp_path / "m.weights.h5")
        ids = torch.arange(1, 11).view(2, 5)
        with torch.no_grad():
            torch.testing.assert_close(probabilities(two(ids)), three(ids)[:, :2].softmax(dim=1))


@pytest.mark.parametrize(("keras", "activation"), [(3, "hard_sigmoid"), (1, "hard_sigmoid_keras3")])
def test_another_versions_hard_sigmoid_is_not_swapped(keras, activation, tmp_path):
    with pytest.raises(InputError, match=f"Keras {keras} has no recurrent_activation '{activation}'"):
        export_keras(new("lstm", recurrent_activation=activation), tmp_path / "m.h5", keras=keras)


@pytest.mark.parametrize(
    ("options", "keras", "message"),
    [
        ({"cell": "gru"}, 1, "cell='gru' cannot be exported to Keras 1: Keras 1's GRU is another function"),
        ({"num_layers": 2}, 1, "num_layers=2 cannot be exported to Keras 1: only the notebook's layers"),
        ({"bidirectional": True, "mask_padding": True}, 1, "bidirectional=True cannot be exported to Keras 1: only"),
        ({"pooling": "mean", "mask_padding": True}, 1, "pooling='mean' cannot be exported to Keras 1: Keras takes"),
        ({"bidirectional": True}, 3, "bidirectional=True cannot be exported to Keras 3: backward, Keras reads"),
        ({"pooling": "mean"}, 3, "pooling='mean' cannot be exported to Keras 3: .* padding too, unless it is masked"),
        ({"pooling": "max", "mask_padding": True}, 3, "pooling='max' cannot be exported to Keras 3: Keras takes"),
        ({"stack": "cnn_lstm", "kernel_size": [3, 4]}, 3, r"kernel_size=\[3, 4\] cannot be exported to Keras 3: a"),
    ],
)
def test_what_keras_would_compute_otherwise_is_not_written(options, keras, message, tmp_path):
    path = tmp_path / ("m.h5" if keras == 1 else "m.keras")
    with pytest.raises(InputError, match=f"^{message}"):
        export_keras(new("lstm", **options), path, keras=keras)
    assert not path.exists()


def test_options_in_a_weights_file_of_keras3(tmp_path):
    """Groups as the real Keras 3 names them; what they predict there is `test_keras_peer.py`'s."""
    classifier = new("lstm", cell="gru", bidirectional=True, num_layers=2, mask_padding=True)
    export_keras(classifier, tmp_path / "m.weights.h5")
    arrays = {}
    with h5py.File(tmp_path / "m.weights.h5") as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    cells = {name: array.shape for name, array in arrays.items() if "bidirectional" in name}
    assert cells == {
        f"layers/{layer}/{way}/cell/vars/{number}": shape
        for layer, size in (("bidirectional", 5), ("bidirectional_1", 8))
        for way in ("forward_layer", "backward_layer")
        for number, shape in enumerate([(size, 12), (4, 12), (2, 12)])
    }
    gru = classifier.stack.recurrent.layers[1].backward_layer
    z_of_the_state = arrays["layers/bidirectional_1/backward_layer/cell/vars/1"][:, :4]
    assert np.array_equal(z_of_the_state, gru.weight_hh[4:8].T.detach().numpy())


def test_several_labels_a_text_are_sigmoids(tmp_path):
    export_keras(new("classes", multi_label=True), tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        config = json.loads(archive.read("config.json"))
    assert config["config"]["layers"][-1]["config"]["activation"] == "sigmoid"


class TestRefused:
    @pytest.mark.parametrize(
        ("layer", "setting", "value", "message"),
        [
            ("LSTM", "activation", "no_such", r"layer 'lstm' \(LSTM\) .*: activation is 'no_such', which is not among"),
            ("LSTM", "activation", {"class_name": "Own", "config": {}}, "layer 'lstm' .*: activation is 'Own'"),
            ("LSTM", "return_sequences", True, "the chain ends in a sequence of 1 features"),
            ("LSTM", "stateful", True, "layer 'lstm' .*: stateful is True, and here always False"),
            ("LSTM", "recurrent_activation", "no_such", "layer 'lstm' .*: recurrent_activation is 'no_such'"),
            ("Conv1D", "padding", "reflect", "layer 'conv1d' .*: padding is 'reflect', and here valid, same or causal"),
            ("Conv1D", "data_format", "channels_first", "layer 'conv1d' .*: data_format is 'channels_first'"),
            ("Conv1D", "use_bias", False, r"layer 'conv1d' .*: its arrays have the shapes .*, and a Conv1D with these"),
            (
                "MaxPooling1D",
                "padding",
                "causal",
                "layer 'max_pooling1d' .*: padding is 'causal', and here valid or same",
            ),
            ("LSTM", "dropout", "much", r"layer 'lstm' .*: one of its settings is not what Keras writes \(ValueError"),
            ("Conv1D", "strides", {}, r"layer 'conv1d' .*: one of its settings is not what Keras writes \(TypeError"),
            ("Dense", "activation", "tanh", "ends in a dense layer and 'tanh': a classifier ends in a dense layer"),
        ],
    )
    def test_setting(self, layer, setting, value, message, tmp_path):
        with pytest.raises(InputError, match=message):
            import_keras(changed(tmp_path, layer, setting, value))

    @pytest.mark.parametrize("kind", ["Attention", "ConvLSTM1D", "UpSampling1D", "MyOwn>MaxPooling1D"])
    def test_other_layer(self, kind, tmp_path):
        path = changed(tmp_path, "MaxPooling1D", "class_name", kind)
        with pytest.raises(InputError, match=f"layer 'max_pooling1d' .*: a {kind} is not among the layers"):
            import_keras(path)

    def test_a_class_of_the_same_name_from_elsewhere(self, tmp_path):
        path = changed(tmp_path, "MaxPooling1D", "module", "my_package.layers")
        with pytest.raises(InputError, match=r"a my_package\.layers\.MaxPooling1D is not among the layers"):
            import_keras(path)

    def test_missing(self, tmp_path):
        with pytest.raises(InputError, match=r"^there is no file .*none\.keras$"):
            import_keras(tmp_path / "none.keras")

    def test_folder(self, tmp_path):
        with pytest.raises(InputError, match="is a folder; Keras' SavedModel is not read"):
            import_keras(tmp_path)

    @pytest.mark.parametrize("file", ["m.keras", "m.weights.h5"])
    @pytest.mark.parametrize("part", [0.0, 0.3, 0.9])
    def test_truncated(self, file, part, tmp_path):
        path = tmp_path / file
        export_keras(new("cnn"), path)
        path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])
        said = "is damaged" if part else "is not a zip archive" if file == "m.keras" else "is neither HDF5 nor"
        with pytest.raises(InputError, match=said):
            import_keras(path)

    def test_hdf5_under_the_name_of_an_archive(self, tmp_path):
        """As `model.save("m.h5")` and a renaming leave it: read, and said."""
        export_keras(new("lstm"), tmp_path / "m.h5", keras=1)
        (tmp_path / "m.h5").rename(tmp_path / "m.keras")
        _, report = import_keras(tmp_path / "m.keras")
        assert report.notes[0] == "the file is HDF5, as .h5 files are, under the name of a .keras archive"

    def test_another_program(self, tmp_path):
        (tmp_path / "m.h5").write_text("no model")
        with pytest.raises(InputError, match=r"is neither HDF5 nor a \.keras archive"):
            import_keras(tmp_path / "m.h5")
        (tmp_path / "m.h5").rename(tmp_path / "m.keras")
        with pytest.raises(InputError, match=r"is not a zip archive, as \.keras files are"):
            import_keras(tmp_path / "m.keras")

    def test_link_out_of_the_file(self, tmp_path):
        export_keras(new("lstm"), tmp_path / "secret.weights.h5")
        export_keras(new("lstm"), tmp_path / "m.weights.h5")
        with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = h5py.ExternalLink("secret.weights.h5", "layers/dense/vars/0")
        with pytest.raises(InputError, match="'layers/dense/vars/0' is a link, which is not followed"):
            import_keras(tmp_path / "m.weights.h5")

    def test_array_in_another_file(self, tmp_path):
        export_keras(new("lstm"), tmp_path / "m.weights.h5")
        (tmp_path / "secret").write_bytes(bytes(400))
        with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
            del file["layers/dense/vars/1"]
            external = [(str(tmp_path / "secret"), 0, 4)]
            file["layers/dense/vars"].create_dataset("1", (1,), "f4", external=external)
        with pytest.raises(InputError, match="'layers/dense/vars/1' is stored in another file, which is not read"):
            import_keras(tmp_path / "m.weights.h5")

    def test_too_large(self, tmp_path, monkeypatch):
        export_keras(new("lstm"), tmp_path / "m.weights.h5")
        with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
            del file["layers/embedding/vars/0"]
            # Takes no room in the file, and 400 GB in memory.
            file["layers/embedding/vars"].create_dataset("0", (10**10, 10), "f4", chunks=(1000, 10))
        with pytest.raises(InputError, match="its arrays have more than 2,147,483,648 bytes"):
            import_keras(tmp_path / "m.weights.h5")
        monkeypatch.setattr(files, "MAX_CONFIG_BYTES", 100)
        export_keras(new("lstm"), tmp_path / "m.keras")
        with pytest.raises(InputError, match=r"config\.json has .* bytes; at most 100 are read"):
            import_keras(tmp_path / "m.keras")

    def test_sizes_that_do_not_fit_each_other(self, tmp_path):
        export_keras(new("lstm"), tmp_path / "m.weights.h5")
        with h5py.File(tmp_path / "m.weights.h5", "r+") as file:
            del file["layers/dense/vars/0"]
            file["layers/dense/vars/0"] = np.zeros((7, 1), "f4")
        with pytest.raises(InputError, match="do not fit each other in any order"):
            import_keras(tmp_path / "m.weights.h5")


def changed(folder, layer, setting, value):
    """A file of `cnn_lstm` with one setting of one layer changed."""
    export_keras(new("cnn"), folder / "m.keras")
    with zipfile.ZipFile(folder / "m.keras") as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(files["config.json"])
    (entry,) = (entry for entry in config["config"]["layers"] if entry["class_name"] == layer)
    if setting == "class_name":
        # A known name in the file's groups, another class.
        entry["class_name"] = value
        with h5py.File(content := io.BytesIO(files["model.weights.h5"]), "r+") as file:
            file["layers"].copy("max_pooling1d", snake_case(value))
        files["model.weights.h5"] = content.getvalue()
    else:
        (entry if setting == "module" else entry["config"])[setting] = value
    files["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(folder / "m.keras", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return folder / "m.keras"
