import tarfile

import pytest
from data.small_imdb import REVIEWS, add


@pytest.fixture
def small_archive(tmp_path):
    """Eleven reviews in an archive, with what else the official one holds."""
    path = tmp_path / "small.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "aclImdb/README")
        add(archive, "aclImdb/train/unsup/0_0.txt", "unlabelled")
        add(archive, "aclImdb/train/urls_pos.txt", "http://")
        add(archive, "aclImdb/train/pos/._0_9.txt", b"\x00\x05\x16\x07\xff")
        for name, text in reversed(REVIEWS.items()):
            add(archive, f"aclImdb/{name}", text)
    return path


@pytest.fixture
def small_folder(tmp_path):
    """The same reviews in a folder; the fixture is the folder `aclImdb`."""
    root = tmp_path / "reviews" / "aclImdb"
    for name, text in {**REVIEWS, "train/unsup/0_0.txt": "unlabelled", "train/pos/notes.md": "x"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache; no test sees this machine's own, or its reviews but through `imdb_path`."""
    monkeypatch.delenv("SEQCLASS_IMDB", raising=False)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
