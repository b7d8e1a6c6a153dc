import gzip
import random
import tarfile

import pytest
from data.small_imdb import REVIEWS, with_members
from support.sources import read

from seqclass.data import ImdbSource, MissingDataError, find_imdb
from seqclass.data.sources import imdb
from seqclass.errors import InputError


def test_archive_and_folder_read_the_same_in_order_of_class_and_name(small_archive, small_folder):
    parts = read(ImdbSource(small_archive))
    assert list(parts) == ["train", "test"]
    train = parts["train"]
    # Names sort as strings: 10_3 stands before 1_2.
    assert train.names == [name for name in sorted(REVIEWS) if name.startswith("train")]
    assert train.labels == [0, 0, 0, 0, 1, 1, 1, 1]
    assert train.texts == [REVIEWS[name] for name in train.names]
    assert parts["test"].labels == [0, 1, 1]
    assert read(ImdbSource(small_folder)) == parts
    assert read(ImdbSource(small_folder.parent)) == parts, "the folder that aclImdb is in"


def test_labels_follow_the_names_not_the_order_of_the_archive(tmp_path, small_archive):
    reordered = with_members(tmp_path / "b.tar.gz", reviews=dict(sorted(REVIEWS.items(), key=lambda x: x[1])))
    assert read(ImdbSource(reordered)) == read(ImdbSource(small_archive))
    assert ImdbSource.label_names == ("neg", "pos")


def test_hostile_members_are_passed_over_and_nothing_is_written(tmp_path, small_archive, monkeypatch):
    outside = tmp_path / "outside.txt"
    outside.write_text("secret")
    link = {"type": tarfile.SYMTYPE, "linkname": str(outside)}
    path = with_members(
        tmp_path / "hostile.tar.gz",
        ("../../evil/train/pos/1_1.txt", "evil", {}),
        ("aclImdb/train/neg/../pos/5_5.txt", "evil", {}),
        ("/absolute/train/unsup/5_5.txt", "evil", {}),
        ("aclImdb/train/pos/6_6.txt", "", link),
        ("aclImdb/train/pos/7_7.txt", "", {**link, "type": tarfile.LNKTYPE}),
        ("aclImdb/train/pos/8_8.txt", "", {"type": tarfile.CHRTYPE}),
        ("aclImdb/train/pos/9_9.txt", "", {"type": tarfile.FIFOTYPE}),
        ("aclImdb/train/pos/dir.txt", "", {"type": tarfile.DIRTYPE}),
    )
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    assert read(ImdbSource(path)) == read(ImdbSource(small_archive))
    assert sorted(tmp_path.rglob("*")) == before


def test_a_member_too_large_to_be_a_review(tmp_path, monkeypatch):
    monkeypatch.setattr(imdb, "_MAX_BYTES", 100)
    path = with_members(tmp_path / "a.tar.gz", ("aclImdb/train/pos/5_5.txt", "x" * 101, {}))
    with pytest.raises(InputError, match=r"aclImdb/train/pos/5_5\.txt in .* has 101 bytes; .* at most 100"):
        read(ImdbSource(path))


def test_what_is_not_utf8_is_named(tmp_path, small_folder):
    path = with_members(tmp_path / "a.tar.gz", ("aclImdb/train/pos/5_5.txt", b"caf\xe9", {}))
    with pytest.raises(InputError, match=r"aclImdb/train/pos/5_5\.txt in .*a\.tar\.gz .*is not UTF-8"):
        read(ImdbSource(path))
    (small_folder / "test" / "neg" / "9_1.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match=r"9_1\.txt in .* is not UTF-8"):
        read(ImdbSource(small_folder))


def test_a_class_without_reviews_is_counted(tmp_path):
    lacking = {name: text for name, text in REVIEWS.items() if not name.startswith("test/pos")}
    path = with_members(tmp_path / "a.tar.gz", reviews=lacking)
    with pytest.raises(InputError, match="holds 4 in train/neg, 4 in train/pos, 1 in test/neg, 0 in test/pos"):
        read(ImdbSource(path))


@pytest.mark.parametrize("share", [0.02, 0.5, 0.98])
def test_a_truncated_archive(tmp_path, small_archive, share):
    content = small_archive.read_bytes()
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match=r"cannot read .*cut\.tar\.gz \(from path\): .*complete"):
        read(ImdbSource(path))


@pytest.mark.parametrize(
    "content",
    [b"", b"not an archive", gzip.compress(b"no tar" * 1000, mtime=0), random.Random(7).randbytes(5000)],
    ids=["empty", "text", "another gzip file", "noise"],
)
def test_what_is_no_archive(tmp_path, content):
    path = tmp_path / "other.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"other\.tar\.gz \(from path\)"):
        read(ImdbSource(path))


def test_a_corrupt_archive(tmp_path, small_archive):
    content = bytearray(small_archive.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20] = bytes(20)
    path = tmp_path / "corrupt.tar.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"corrupt\.tar\.gz"):
        read(ImdbSource(path))


def test_a_folder_without_the_reviews(tmp_path):
    (tmp_path / "train" / "neg").mkdir(parents=True)
    with pytest.raises(InputError, match=r"does not hold the IMDB reviews: there is no folder .*train/pos"):
        read(ImdbSource(tmp_path))


def test_fingerprint_follows_the_content(small_archive, small_folder):
    archive, folder = ImdbSource(small_archive), ImdbSource(small_folder)
    prints = {archive.fingerprint(), folder.fingerprint()}
    assert len(prints) == 2
    assert archive.fingerprint() in prints
    assert folder.fingerprint() in prints, "the parent of aclImdb or a second call change nothing"
    assert ImdbSource(small_folder.parent).fingerprint() in prints
    (small_folder / "test" / "neg" / "9_1.txt").write_text("new")
    assert folder.fingerprint() not in prints
    small_archive.write_bytes(small_archive.read_bytes() + b"\0")
    assert archive.fingerprint() not in prints


class TestFindImdb:
    def test_a_path_wins_over_the_variable_and_the_cache(self, small_archive, small_folder, cache, monkeypatch):
        cache.mkdir()
        (cache / "aclImdb_v1.tar.gz").write_bytes(b"")
        assert find_imdb().path == cache / "aclImdb_v1.tar.gz"
        monkeypatch.setenv("SEQCLASS_IMDB", str(small_folder))
        assert find_imdb().path == small_folder
        assert find_imdb(small_archive).path == small_archive

    def test_cache_dir_wins_over_the_variable(self, tmp_path, cache):
        (tmp_path / "aclImdb_v1.tar.gz").write_bytes(b"")
        assert find_imdb(cache_dir=tmp_path).path == tmp_path / "aclImdb_v1.tar.gz"

    def test_what_is_named_has_to_be_there(self, tmp_path, small_archive, monkeypatch):
        monkeypatch.setenv("SEQCLASS_IMDB", str(tmp_path / "gone"))
        with pytest.raises(InputError, match=r"not at .*gone \(from SEQCLASS_IMDB\)") as error:
            find_imdb()
        assert not isinstance(error.value, MissingDataError)
        with pytest.raises(InputError, match=r"not at .*lost \(from path\)"):
            find_imdb(tmp_path / "lost")

    def test_the_error_names_the_three_ways_out(self, cache):
        with pytest.raises(MissingDataError) as error:
            find_imdb(allow_download=False)
        for way in ("`path`", "SEQCLASS_IMDB", str(cache / "aclImdb_v1.tar.gz"), imdb.URL, "on_missing: sample"):
            assert way in str(error.value)

    def test_a_failed_download_is_the_reason_in_the_same_error(self, cache, monkeypatch):
        def refuse(url, target, *, md5):
            raise InputError("cannot download: no network")

        monkeypatch.setattr(imdb, "download", refuse)
        with pytest.raises(MissingDataError, match="no network") as error:
            find_imdb()
        assert "on_missing: sample" in str(error.value)

    def test_a_download_goes_into_the_cache(self, cache, monkeypatch):
        def fetch(url, target, *, md5):
            assert (url, md5) == (imdb.URL, "7c2ac02c03563afcf9b574c7e56c153a")
            target.parent.mkdir(parents=True)
            target.write_bytes(b"archive")

        monkeypatch.setattr(imdb, "download", fetch)
        assert find_imdb().path.read_bytes() == b"archive"


@pytest.mark.imdb
def test_the_real_reviews(imdb_path, capsys):
    parts = read(ImdbSource(imdb_path))
    assert {name: (len(part.texts), sum(part.labels)) for name, part in parts.items()} == {
        "train": (25_000, 12_500),
        "test": (25_000, 12_500),
    }
    assert len(set(parts["train"].texts)) == 24_904
    assert capsys.readouterr().err == "", "nothing is missing"


class TestIncomplete:
    """Fewer reviews than the data set has are no error, since a part of it may be meant, but are told."""

    @pytest.fixture
    def root(self, small_folder, monkeypatch):
        monkeypatch.setattr(imdb, "REVIEWS_OF_A_CLASS", 4)
        return small_folder

    def test_what_is_missing_is_told_once(self, root, capsys):
        source = ImdbSource(root, origin="SEQCLASS_IMDB")
        source.fingerprint()
        read(source)
        (printed,) = capsys.readouterr().err.splitlines()
        assert printed.startswith(f"Warning: {root} (from SEQCLASS_IMDB) is not the whole IMDB data set, which has 4 ")
        assert "each part: test/neg has 1 reviews, test/pos has 2 reviews. Was it extracted completely?" in printed

    def test_an_archive_is_counted_when_it_is_read(self, root, small_archive, capsys):
        source = ImdbSource(small_archive)
        source.fingerprint()
        assert capsys.readouterr().err == ""
        read(source)
        assert "test/neg has 1 reviews" in capsys.readouterr().err

    def test_the_whole_is_nothing_to_tell(self, root, capsys):
        for name in ("neg/1_1", "neg/2_1", "neg/3_1", "pos/2_7", "pos/3_7"):
            (root / "test" / f"{name}.txt").write_text("a film")
        read(ImdbSource(root))
        assert capsys.readouterr().err == ""
        (root / "train" / "pos" / "9_9.txt").write_text("one too many")
        read(ImdbSource(root))
        assert "train/pos has 5 reviews" in capsys.readouterr().err
