"""HDF5 from anyone: read in a process that can be ended, bounded, and without following what it refers to."""

import io
import json
import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from seqclass.errors import InputError
from seqclass.interop import import_keras
from seqclass.interop.keras import hdf5, hdf5_worker
from seqclass.interop.keras.hdf5 import read_hdf5

# A file over whose attribute HDF5 never ends stands beside the golden files.
GOLDEN = os.environ.get("SEQCLASS_GOLDEN")
HANGS = Path(GOLDEN or ".").parent / "damaged" / "hang_1.h5"


@pytest.fixture
def path(tmp_path):
    """Groups, arrays of several types, and attributes as Keras writes them."""
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = b"2.15.0"
        file.attrs["names"] = np.array([b"a", "é".encode()], dtype="S2")
        file.attrs["none"] = np.array([], dtype="S1")
        file.attrs["number"] = 3
        for part, names in enumerate((["x", "y"], ["z"])):
            file.attrs.create(f"split{part}", names, dtype=h5py.string_dtype())
        group = file.create_group("layers/lstm/cell/vars")
        for number in range(12):
            group[str(number)] = np.full((2, number), number, dtype="float64")
        file["layers/half"] = np.array([1.5, -2.0], dtype="float16")
        file["layers/scalar"] = np.float32(7)
        file["layers/seed"] = np.array([1, 2], dtype="uint32")
        file["optimizer/vars/0"] = np.zeros(3)
        # bfloat16: the upper halves of 1.0 and -2.5.
        file["layers/bfloat16"] = np.array([0x3F80, 0xC020], dtype="<u2").view("V2")
    return path


@pytest.mark.parametrize("content", [False, True])
def test_plain_values(content, path):
    file = read_hdf5(path.read_bytes() if content else path, source="m.h5")
    assert file.text("keras_version", "layers", "") == "2.15.0"
    assert file.texts("", "names") == ["a", "é"]
    assert file.texts("", "none") == []
    assert file.texts("", "split") == ["x", "y", "z"]
    assert file.texts("", "missing") is None
    assert file.children("") == ["layers"]
    assert [name.rpartition("/")[2] for name in file.below("layers/lstm")] == [str(number) for number in range(12)]
    np.testing.assert_array_equal(file.array("layers/lstm/cell/vars/3"), np.full((2, 3), 3, np.float32))
    np.testing.assert_array_equal(file.array("/layers/half"), np.array([1.5, -2], np.float32))
    np.testing.assert_array_equal(file.array("layers/bfloat16"), np.array([1, -2.5], np.float32))
    assert file.array("layers/scalar").shape == ()
    with pytest.raises(InputError, match="'layers/seed' is not an array of floating-point numbers"):
        file.array("layers/seed")
    with pytest.raises(InputError, match="it has no array 'optimizer/vars/0'"):
        file.array("optimizer/vars/0")


@pytest.mark.skipif(not HANGS.exists(), reason="lacks a file that hangs HDF5: damaged/hang_1.h5 beside SEQCLASS_GOLDEN")
def test_a_file_that_hangs_hdf5(monkeypatch):
    monkeypatch.setattr(hdf5, "SECONDS", 3)
    with pytest.raises(
        InputError, match=r"hang_1\.h5 is damaged: HDF5 had not read it after 3 seconds, and was stopped"
    ):
        import_keras(HANGS)


def test_a_reader_that_hangs(path, monkeypatch, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text("while True: pass")
    monkeypatch.setattr(hdf5, "_WORKER", script)
    monkeypatch.setattr(hdf5, "SECONDS", 0.5)
    with pytest.raises(InputError, match=r"had not read it after 0\.5 seconds"):
        read_hdf5(path)


def test_a_reader_that_crashes(path, monkeypatch, tmp_path):
    script = tmp_path / "worker.py"
    script.write_text("import os; os.abort()")
    monkeypatch.setattr(hdf5, "_WORKER", script)
    with pytest.raises(InputError, match=r"is damaged, .*: HDF5 ended with status -6"):
        read_hdf5(path)


@pytest.mark.parametrize(
    ("add", "message"),
    [
        (lambda file: file.__setitem__("soft", h5py.SoftLink("/layers")), "'soft' is a link, which is not followed"),
        (lambda file: file.__setitem__("out", h5py.ExternalLink("/etc/x.h5", "/a")), "'out' is a link"),
        (
            lambda file: file.create_dataset("d", (1,), "f4", external=[("/etc/hostname", 0, 4)]),
            "'d' is stored in another file",
        ),
        (
            # Takes no room in the file, and 400 GB in memory.
            lambda file: file.create_dataset("big", (10**10, 10), "f4", chunks=(1000, 10)),
            "its arrays have more than 2,147,483,648 bytes",
        ),
        (lambda file: file.create_group("/".join("g" * 50)), "it has groups more than 40 deep"),
        (lambda file: file.__setitem__("circle", file["/"]), "it has groups more than 40 deep"),
    ],
)
def test_refused(add, message, path):
    with h5py.File(path, "r+") as file:
        add(file)
    with pytest.raises(InputError, match=rf"m\.h5: {message}"):
        read_hdf5(path)


@pytest.mark.parametrize(
    ("limit", "message"),
    [("MAX_OBJECTS", "it holds more than 10 groups and arrays"), ("MAX_TEXT", "its texts have more than 10 bytes")],
)
def test_limits(limit, message, path, monkeypatch):
    monkeypatch.setattr(hdf5_worker, limit, 10)
    with pytest.raises(hdf5_worker.RefusedError, match=message):
        hdf5_worker.read(str(path), io.BytesIO(), hdf5.MAX_BYTES)


def test_lambda_is_never_run(tmp_path):
    """What CVE-2025-9905 loads: a Lambda within `.h5`, which Keras ran in spite of its safe mode."""
    ran = tmp_path / "ran"
    code = f"__import__('pathlib').Path({str(ran)!r}).touch()"
    layers = [
        {"class_name": "Embedding", "config": {"name": "embedding", "input_dim": 5, "output_dim": 2}},
        {"class_name": "Lambda", "config": {"name": "lambda", "function": code, "function_type": "raw"}},
        {"class_name": "Dense", "config": {"name": "dense", "units": 1, "activation": "sigmoid"}},
    ]
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2.15.0"
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})
        weights = file.create_group("model_weights")
        weights.attrs["layer_names"] = [layer["config"]["name"] for layer in layers]
        arrays = {"embedding": [("e", (5, 2))], "lambda": [], "dense": [("k", (2, 1)), ("b", (1,))]}
        for name, own in arrays.items():
            group = weights.create_group(name)
            group.attrs["weight_names"] = np.array([key for key, _ in own], dtype="S1")
            for key, shape in own:
                group[key] = np.zeros(shape, "f4")
    with pytest.raises(
        InputError, match=r"layer 'lambda' \(Lambda\) cannot be represented: a Lambda is code, which is"
    ):
        import_keras(path)
    assert not ran.exists()
