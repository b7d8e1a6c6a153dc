"""Texts without labels from tables, folders and archives."""

import tarfile
from pathlib import Path

import pytest

from seqclass.data.sources.corpus import corpus_texts
from seqclass.errors import InputError


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def reviews():
    for name in ("train/pos/1.txt", "train/unsup/2.txt", "test/pos/3.txt", "train/pos/notes.md"):
        path = Path("reviews", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {path.stem}")
    with tarfile.open("reviews.tar.gz", "w:gz") as archive:
        archive.add("reviews")


@pytest.mark.usefixtures("reviews")
@pytest.mark.parametrize("path", ["reviews", "reviews.tar.gz"])
def test_folders_and_archives_but_for_the_test_texts(path):
    assert sorted(corpus_texts([path])) == ["text 1", "text 2"]


def test_tables_and_several_paths():
    Path("a.csv").write_text("text,label\none,\ntwo,x\n")
    assert list(corpus_texts(["a.csv", "a.csv"])) == ["one", "two"] * 2


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty", None, "there are no texts in empty"),
        ("broken.tar.gz", b"no archive", r"broken\.tar\.gz"),
        ("nowhere.csv", None, r"nowhere\.csv"),
        ("latin/1.txt", b"caf\xe9", r"latin/1\.txt is not utf-8"),
    ],
)
def test_what_cannot_be_read(name, content, message):
    path = Path(name)
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    elif not path.suffix:
        path.mkdir()
    with pytest.raises(InputError, match=message):
        list(corpus_texts([path.parts[0]]))
