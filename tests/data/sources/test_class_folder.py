import pytest

from seqclass.data.sources import Reading, class_folder
from seqclass.data.sources.class_folder import class_files, read_class_folder
from seqclass.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """Three texts of two classes, and what else lies about in folders."""
    root = tmp_path / "reviews"
    files = {
        "pos/b.txt": "fine",
        "pos/10.TXT": "née",
        "neg/a.txt": "\ufeffdull\r\n",
        "neg/notes.md": "no text",
        "neg/._a.txt": "what macOS adds",
        "neg/deeper.txt/a.txt": "no text of this class",
        ".git/a.txt": "hidden",
        "README.txt": "of no class",
    }
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content, encoding="utf-8", newline="")
    return root


ROWS = [("/neg/a.txt", "dull\r\n", "neg"), ("/pos/10.TXT", "née", "pos"), ("/pos/b.txt", "fine", "pos")]


def test_sub_folders_are_classes_and_txt_files_their_texts(folder):
    assert list(read_class_folder(folder, Reading())) == ROWS


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*", ["a.txt", "notes.md", "10.TXT", "b.txt"]),
        ("*.MD", ["notes.md"]),
        ("[ab].txt", ["a.txt", "b.txt"]),
    ],
)
def test_the_pattern_says_which_files_are_texts(folder, pattern, names):
    (folder / "pos" / "p.md").write_text("good")
    rows = list(read_class_folder(folder, Reading(pattern=pattern)))
    assert [row.where.rpartition("/")[2] for row in rows if not row.where.endswith("p.md")] == names


def test_links_within_the_folder_are_followed(folder):
    (folder / "pos" / "c.txt").symlink_to(folder / "neg" / "a.txt")
    assert [row.where for row in read_class_folder(folder, Reading())][-1] == "/pos/c.txt"


def test_links_that_leave_the_folder_are_refused(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    link = folder / "pos" / "c.txt"
    for target in (outside / "secret.txt", "../../outside/secret.txt", "../../outside/lost.txt"):
        link.symlink_to(target)
        with pytest.raises(InputError, match=r"pos/c\.txt is a link that leaves the folder .*reviews"):
            list(read_class_folder(folder, Reading()))
        link.unlink()
    (folder / "other").symlink_to(outside)
    with pytest.raises(InputError, match="other is a link that leaves the folder"):
        class_files(folder, "*.txt")


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert list(read_class_folder(tmp_path / "link", Reading())) == ROWS


def test_links_in_a_circle(folder):
    (folder / "pos" / "c.txt").symlink_to("c.txt")
    with pytest.raises(InputError, match=r"cannot read .*c\.txt: Too many levels of symbolic links"):
        class_files(folder, "*.txt")


def test_a_class_without_texts(folder):
    (folder / "train" / "pos").mkdir(parents=True)
    with pytest.raises(InputError, match=r"reviews/train holds no \*\.txt files; .*reviews has to hold one folder"):
        class_files(folder, "*.txt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"reviews/pos/c\.txt: the text is empty"),
        (b"caf\xe9", r"reviews/pos/c\.txt: this is not UTF-8 \(byte 0xe9\)"),
        (b"x" * 101, r"reviews/pos/c\.txt has 101 bytes; a text has at most 100"),
    ],
)
def test_what_cannot_be_used(folder, monkeypatch, content, message):
    monkeypatch.setattr(class_folder, "MAX_TEXT_BYTES", 100)
    (folder / "pos" / "c.txt").write_bytes(content)
    with pytest.raises(InputError, match=message):
        list(read_class_folder(folder, Reading()))
