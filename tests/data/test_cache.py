import errno
import json
from multiprocessing import get_context

import numpy as np
import pytest
from data.small_encoding import SETTINGS, encode_slowly, encoded, same

from seqclass.data import EncodedPart, EncodedTexts, cached_encoding
from seqclass.errors import InputError
from seqclass.text import RaggedIds


class Counted:
    """An `encode` that counts its calls."""

    def __init__(self, result=None):
        self.calls = 0
        self.result = result or encoded()

    def __call__(self):
        self.calls += 1
        return self.result


def only_file(folder):
    (file,) = folder.glob("*.npz")
    return file


def test_encoded_once_then_read(tmp_path):
    encode = Counted()
    same(cached_encoding(tmp_path / "new" / "folder", SETTINGS, encode), encoded())
    same(cached_encoding(tmp_path / "new" / "folder", dict(reversed(SETTINGS.items())), encode), encoded())
    assert encode.calls == 1


def test_other_settings_other_file(tmp_path):
    for settings in (SETTINGS, {**SETTINGS, "num_words": 10}, {**SETTINGS, "num_words": None}, {}):
        cached_encoding(tmp_path, settings, Counted())
    assert len(list(tmp_path.glob("*.npz"))) == 4


def test_ids_are_compact_and_nothing_is_pickled(tmp_path):
    cached_encoding(tmp_path, SETTINGS, Counted())
    with np.load(only_file(tmp_path), allow_pickle=False) as arrays:
        assert arrays["train_values"].dtype == np.uint16
        assert json.loads(arrays["meta"].tobytes())["label_names"] == ["neg", "pos"]


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "foreign", "pickle", "lacking", "text"])
def test_a_damaged_or_foreign_file_is_made_anew(tmp_path, damage):
    cached_encoding(tmp_path, SETTINGS, Counted())
    file = only_file(tmp_path)
    content = file.read_bytes()
    if damage == "empty":
        file.write_bytes(b"")
    elif damage == "cut":
        file.write_bytes(content[:-200])
    elif damage == "flipped":
        at = content.index(b"label_names")
        file.write_bytes(content[:at] + b"L" + content[at + 1 :])
    elif damage == "foreign":
        np.savez(file, other=np.arange(3))
    elif damage == "pickle":
        np.savez(file, meta=np.array([{"a": 1}], dtype=object))
    elif damage == "lacking":
        with np.load(file) as arrays:
            np.savez(file, **{name: array for name, array in arrays.items() if name != "test_labels"})
    else:
        file.write_text("not a zip file")
    encode = Counted()
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    assert encode.calls == 1


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("train_values", np.array([9, 9, 9, 9, 9], dtype=np.uint16)),
        ("train_labels", np.array([0, 2])),
        ("train_labels", np.array([0])),
        ("train_labels", np.array([0.0, 1.0])),
        ("train_offsets", np.array([0, 9, 5])),
    ],
)
def test_a_file_whose_numbers_do_not_fit_is_made_anew(tmp_path, array, value):
    cached_encoding(tmp_path, SETTINGS, Counted())
    file = only_file(tmp_path)
    with np.load(file) as arrays:
        np.savez(file, **{**arrays, array: value})
    encode = Counted()
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    assert encode.calls == 1


def test_an_interrupted_write_leaves_nothing_behind(tmp_path, monkeypatch):
    def interrupted(file, **arrays):
        file.write(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            cached_encoding(tmp_path, SETTINGS, Counted())
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".lock"])
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())


def test_what_a_killed_run_left_is_overwritten(tmp_path):
    cached_encoding(tmp_path, SETTINGS, Counted())
    file = only_file(tmp_path)
    file.rename(file.with_suffix(".tmp"))
    file.with_suffix(".tmp").write_bytes(b"half")
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())
    assert not file.with_suffix(".tmp").exists()


def test_a_failed_encode_can_be_tried_again(tmp_path):
    def fail():
        raise InputError("no reviews")

    with pytest.raises(InputError, match="no reviews"):
        cached_encoding(tmp_path, SETTINGS, fail)
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write the encoded texts to .*file: .*SEQCLASS_CACHE"):
        cached_encoding(tmp_path / "file", SETTINGS, Counted())


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path, monkeypatch):
    def fill(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", fill)
    with pytest.raises(InputError, match=r"cannot write the encoded texts to .*: No space left on device; choose"):
        cached_encoding(tmp_path / "cache", SETTINGS, encoded)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] in ([], [".lock"])


def test_of_two_processes_one_encodes(tmp_path):
    context = get_context("spawn")
    ready = context.Barrier(2)
    log = tmp_path / "log"
    processes = [context.Process(target=encode_slowly, args=(tmp_path / "cache", log, ready)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 0
    assert len(log.read_text().split()) == 1


def test_empty_parts_are_kept(tmp_path):
    pipeline = encoded().pipeline
    part = EncodedPart(RaggedIds.from_lists([]), np.array([], dtype=np.int64), [])
    empty = EncodedTexts({"train": part}, ("neg",), pipeline)
    cached_encoding(tmp_path, SETTINGS, Counted(empty))
    same(cached_encoding(tmp_path, SETTINGS, Counted()), empty)
