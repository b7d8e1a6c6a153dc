"""Files that appear whole or not at all."""

import errno
from pathlib import Path

import pytest
from support.disk import nearly_full_disk

from seqclass.errors import InputError
from seqclass.files import check_not_source, written_whole


def test_appears_when_all_is_written(tmp_path):
    with written_whole(tmp_path / "new" / "file.txt") as part:
        part.write_text("all")
        assert not (tmp_path / "new" / "file.txt").exists()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file.txt"]
    assert (tmp_path / "new" / "file.txt").read_text() == "all"


def fail_while_writing(path: Path) -> None:
    with written_whole(path) as part:
        part.write_text("half")
        raise ValueError("no more")


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="no more"):
        fail_while_writing(tmp_path / "a" / "b" / "file.txt")
    assert list(tmp_path.iterdir()) == []


def test_the_older_file_stays(tmp_path):
    (tmp_path / "file.txt").write_text("older")
    with pytest.raises(ValueError, match="no more"):
        fail_while_writing(tmp_path / "file.txt")
    assert (tmp_path / "file.txt").read_text() == "older"
    assert len(list(tmp_path.iterdir())) == 1


def test_folder_in_the_way(tmp_path):
    with pytest.raises(InputError, match="it is a folder"), written_whole(tmp_path):
        pass


class TestAFullDisk:
    """The error names the file that was wanted, not the one beside it that was written to."""

    def test_while_writing(self, tmp_path):
        (tmp_path / "file.txt").write_text("older")
        with (
            nearly_full_disk(100),
            pytest.raises(InputError, match=r"^cannot write .*/file\.txt: File too large$"),
            written_whole(tmp_path / "file.txt") as part,
        ):
            part.write_bytes(b"x" * 1000)
        assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]
        assert (tmp_path / "file.txt").read_text() == "older"

    def test_as_another_library_tells_it(self, tmp_path):
        with pytest.raises(InputError) as raised, written_whole(tmp_path / "file.h5") as part:
            raise OSError(f"unable to write (file name = '{part}', errno = 28)")
        assert str(raised.value) == (
            f"cannot write {tmp_path / 'file.h5'}: unable to write (file name = '{tmp_path / 'file.h5'}', errno = 28)"
        )

    def test_found_out_when_the_bytes_reach_the_disk(self, tmp_path, monkeypatch):
        def fail(descriptor):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr("os.fsync", fail)
        with pytest.raises(InputError, match="No space left"), written_whole(tmp_path / "file.txt") as part:
            part.write_text("all")
        assert list(tmp_path.iterdir()) == []


class TestSources:
    @pytest.fixture(autouse=True)
    def texts(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for name in ("texts.csv", "classes/pos/1.txt"):
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).write_text("text")
        Path("soft.csv").symlink_to("texts.csv")
        Path("hard.csv").hardlink_to("texts.csv")
        Path("link").symlink_to("classes")

    @pytest.mark.parametrize(
        ("target", "source"),
        [
            ("texts.csv", "texts.csv"),
            ("classes/../texts.csv", "texts.csv"),
            ("soft.csv", "texts.csv"),
            ("texts.csv", "soft.csv"),
            ("hard.csv", "texts.csv"),
            ("texts.csv", "te*.csv"),
            ("classes/pos/1.txt", "classes"),
            ("link/pos/1.txt", "classes"),
            ("classes/pos/1.txt", "link"),
        ],
    )
    def test_the_same_file_is_refused(self, target, source):
        message = r"^cannot write .*: it is read, as .*, and would be lost; give another --out$"
        with pytest.raises(InputError, match=message):
            check_not_source(target, [None, source], option="--out")

    @pytest.mark.parametrize(
        ("target", "source"),
        [
            ("new.csv", "texts.csv"),
            ("texts.csv", "classes"),
            ("classes/new.txt", "classes"),
            ("texts.csv", "te*.tsv"),
            ("texts.csv", "lost.csv"),
            ("texts.csv/new.csv", "texts.csv"),
        ],
    )
    def test_another_file_is_not(self, target, source):
        check_not_source([Path(target)], [source], option="--out")
