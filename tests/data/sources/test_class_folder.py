import pytest

from seqclass.data.sources import Reading, class_folder
from seqclass.data.sources.class_folder import ClassFolderInput, class_files
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


def read(folder, **reading):
    return list(ClassFolderInput(folder).rows(Reading(**reading)))


ROWS = [("/neg/a.txt", "dull\r\n", "neg"), ("/pos/10.TXT", "née", "pos"), ("/pos/b.txt", "fine", "pos")]


def test_sub_folders_are_classes_and_txt_files_their_texts(folder):
    assert read(folder) == ROWS


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
    rows = read(folder, pattern=pattern)
    assert [row.where.rpartition("/")[2] for row in rows if not row.where.endswith("p.md")] == names


def test_links_within_the_folder_are_followed(folder):
    (folder / "pos" / "c.txt").symlink_to(folder / "neg" / "a.txt")
    assert [row.where for row in read(folder)][-1] == "/pos/c.txt"


def test_links_that_leave_the_folder_are_refused(folder, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    link = folder / "pos" / "c.txt"
    for target in (outside / "secret.txt", "../../outside/secret.txt", "../../outside/lost.txt"):
        link.symlink_to(target)
        with pytest.raises(InputError, match=r"pos/c\.txt is a link that leaves the folder .*reviews"):
            read(folder)
        link.unlink()
    (folder / "other").symlink_to(outside)
    with pytest.raises(InputError, match="other is a link that leaves the folder"):
        class_files(folder, Reading())


def test_the_folder_itself_may_be_a_link(folder, tmp_path):
    (tmp_path / "link").symlink_to(folder)
    assert read(tmp_path / "link") == ROWS


def test_links_in_a_circle(folder):
    (folder / "pos" / "c.txt").symlink_to("c.txt")
    with pytest.raises(InputError, match=r"cannot read .*c\.txt: Too many levels of symbolic links"):
        class_files(folder, Reading())


def test_a_class_without_texts(folder):
    (folder / "train" / "pos").mkdir(parents=True)
    with pytest.raises(InputError, match=r"reviews/train holds no \*\.txt files; .*reviews has to hold one folder"):
        class_files(folder, Reading())


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
        read(folder)


def test_texts_without_labels_may_lie_in_the_folder_itself(folder):
    assert read(folder, label_column=None) == [
        ("/README.txt", "of no class", ""),
        *((where, text, "") for where, text, _ in ROWS),
    ]


class TestImdb:
    """What lies in `aclImdb`, given as anyone's own texts."""

    @pytest.fixture
    def root(self, tmp_path):
        for name in ("train/neg/0_1", "train/pos/0_9", "train/unsup/0_0", "test/neg/0_2", "test/pos/0_8"):
            path = tmp_path / "aclImdb" / f"{name}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("a film")
        (tmp_path / "aclImdb" / "train" / "urls_neg.txt").write_text("http")
        return tmp_path / "aclImdb"

    def test_unlabelled_reviews_are_not_a_class(self, root, capsys):
        given = ClassFolderInput(root / "train")
        assert [row.label for row in given.rows(Reading())] == ["neg", "pos"]
        printed = capsys.readouterr().err
        assert "train/unsup holds the unlabelled reviews of the IMDB data set" in printed
        assert printed.count("\n") == 1
        assert len(given.files(Reading())) == 2
        given.fingerprint(Reading())
        assert capsys.readouterr().err == ""

    def test_a_class_may_be_called_so(self, root):
        (root / "train" / "neg").rename(root / "train" / "bad")
        assert [row.label for row in ClassFolderInput(root / "train").rows(Reading())] == ["bad", "pos", "unsup"]

    def test_parts_are_not_classes(self, root):
        with pytest.raises(InputError, match=r"aclImdb holds the parts train and test .*; name .*aclImdb/train as"):
            read(root)
