"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from seqclass.errors import InputError
from seqclass.files import written_whole


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
