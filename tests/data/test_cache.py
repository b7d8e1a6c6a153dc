import errno
import json
from multiprocessing import get_context

import numpy as np
import pytest
from data.small_encoding import SETTINGS, encode_slowly, encoded, same, write

from seqclass.data import EncodedPart, EncodedTexts, Names, cached_encoding, earlier_encoding
from seqclass.errors import InputError
from seqclass.text import RaggedIds


class Counted:
    """An `encode` that counts its calls."""

    def __init__(self, result=None):
        self.calls = 0
        self.result = result or encoded()

    def __call__(self, folder):
        self.calls += 1
        write(self.result, folder)


def folders(cache):
    return [path for path in cache.iterdir() if path.is_dir()]


def only_folder(cache):
    (folder,) = folders(cache)
    return folder


def test_encoded_once_then_read(tmp_path):
    encode = Counted()
    same(cached_encoding(tmp_path / "new" / "folder", SETTINGS, encode), encoded())
    same(cached_encoding(tmp_path / "new" / "folder", dict(reversed(SETTINGS.items())), encode), encoded())
    assert encode.calls == 1


def test_other_settings_other_folder(tmp_path):
    for settings in (SETTINGS, {**SETTINGS, "num_words": 10}, {**SETTINGS, "num_words": None}, {}):
        cached_encoding(tmp_path, settings, Counted())
    assert len(folders(tmp_path)) == 4


def test_ids_are_compact_and_nothing_is_pickled(tmp_path):
    cached_encoding(tmp_path, SETTINGS, Counted())
    folder = only_folder(tmp_path)
    for file in folder.glob("*.npy"):
        np.load(file, allow_pickle=False)
    assert np.load(folder / "train.ids.values.npy").dtype == np.uint16
    assert json.loads((folder / "meta.json").read_bytes())["label_names"] == ["neg", "pos"]


def test_the_texts_are_in_the_files_not_in_memory(tmp_path):
    cached_encoding(tmp_path, SETTINGS, Counted())
    part = earlier_encoding(tmp_path, SETTINGS).parts["train"]
    for array in (part.ids.values, part.ids.offsets, part.labels):
        while array.base is not None and not hasattr(array, "filename"):
            array = array.base
        assert str(array.filename).startswith(str(only_folder(tmp_path)))


@pytest.mark.parametrize("damage", ["empty", "cut", "header", "flipped", "foreign", "pickle", "lacking", "text"])
def test_a_damaged_or_foreign_folder_is_made_anew(tmp_path, damage):
    cached_encoding(tmp_path, SETTINGS, Counted())
    folder = only_folder(tmp_path)
    values, meta = folder / "train.ids.values.npy", folder / "meta.json"
    if damage == "empty":
        values.write_bytes(b"")
    elif damage == "cut":
        values.write_bytes(values.read_bytes()[:-1])
    elif damage == "header":
        values.write_bytes(values.read_bytes()[:20])
    elif damage == "flipped":
        meta.write_bytes(meta.read_bytes().replace(b"label_names", b"Label_names"))
    elif damage == "foreign":
        np.save(values, np.arange(3))
    elif damage == "pickle":
        np.save(values, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif damage == "lacking":
        (folder / "test.labels.npy").unlink()
    else:
        meta.write_text("not JSON")
    encode = Counted()
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    assert encode.calls == 1


@pytest.mark.parametrize(
    ("array", "value"),
    [
        ("train.labels", np.array([0, 2])),
        ("train.labels", np.array([0])),
        ("train.labels", np.array([0.0, 1.0])),
        ("train.labels", np.array([[0, 1, 1], [0, 1, 0]])),
        ("train.ids.offsets", np.array([0, 9, 5])),
        ("train.names.offsets", np.array([0, 4])),
    ],
)
def test_files_whose_numbers_do_not_fit_are_made_anew(tmp_path, array, value):
    cached_encoding(tmp_path, SETTINGS, Counted())
    np.save(only_folder(tmp_path) / f"{array}.npy", value)
    encode = Counted()
    same(cached_encoding(tmp_path, SETTINGS, encode), encoded())
    assert encode.calls == 1


def half(error):
    """An `encode` that fails between the files."""

    def encode(folder):
        (folder / "train.ids.values.npy").write_bytes(b"half")
        raise error

    return encode


def test_an_interrupted_write_leaves_nothing_behind(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        cached_encoding(tmp_path, SETTINGS, half(KeyboardInterrupt()))
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".lock"])
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())


def test_what_a_killed_run_left_is_overwritten(tmp_path):
    cached_encoding(tmp_path, SETTINGS, Counted())
    folder = only_folder(tmp_path)
    partial = folder.rename(folder.with_suffix(".part"))
    (partial / "meta.json").unlink()
    (partial / "more").write_bytes(b"half")
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())
    assert only_folder(tmp_path) == folder
    assert not (folder / "more").exists()


def test_a_failed_encode_can_be_tried_again(tmp_path):
    with pytest.raises(InputError, match="no reviews"):
        cached_encoding(tmp_path, SETTINGS, half(InputError("no reviews")))
    same(cached_encoding(tmp_path, SETTINGS, Counted()), encoded())


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write the encoded texts to .*file: .*SEQCLASS_CACHE"):
        cached_encoding(tmp_path / "file", SETTINGS, Counted())


def test_a_full_disk_is_one_clear_error_and_leaves_nothing(tmp_path):
    full = half(OSError(errno.ENOSPC, "No space left on device"))
    with pytest.raises(InputError, match=r"cannot write the encoded texts to .*: No space left on device; choose"):
        cached_encoding(tmp_path / "cache", SETTINGS, full)
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
    part = EncodedPart(RaggedIds.from_lists([]), np.array([], dtype=np.int64), Names.of([]))
    empty = EncodedTexts({"train": part}, ("neg",), pipeline)
    cached_encoding(tmp_path, SETTINGS, Counted(empty))
    same(cached_encoding(tmp_path, SETTINGS, Counted()), empty)
