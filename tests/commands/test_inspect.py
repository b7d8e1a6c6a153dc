import pytest

from seqclass.cli import main


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "tickets.csv"
    lines = [f"text {n} of the [b]kind,{'billing' if n % 8 else 'other'}" for n in range(64)]
    path.write_text("\n".join(["body,team", *lines, "lost,single"]))
    return path


def run(capsys, *arguments):
    status = main(["inspect", *map(str, arguments)])
    return status, capsys.readouterr()


def test_shows_figures_classes_and_sizes(table, tmp_path, capsys):
    test = tmp_path / "test.csv"
    test.write_text("body,team\ntext 5 of the [b]kind,[new]\n ,billing\n")
    columns = ("--text_column", "body", "--label_column", "team")
    status, printed = run(capsys, table, "--test", test, *columns)
    assert status == 0
    for expected in (
        *("billing", "56 (86.2%)", "other", "8 (12.3%)", "[new]", "1 (50.0%)"),
        "Recommended: --data.num_words 74 --data.maxlen 10",
        "Class 'single' has only one text",
        "Labels of test that do not occur in train: '[new]'",
        "1 texts of test are also in train",
        "Empty texts are errors in training",
        "--model.class_weights balanced",
    ):
        assert expected in " ".join(printed.out.split())


def test_one_class(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("text,label\nfine,pos\n")
    status, printed = run(capsys, tmp_path / "a.csv")
    assert status == 0
    assert "There is only one class" in printed.out


def test_what_cannot_be_read_is_one_error(table, capsys):
    status, printed = run(capsys, table)
    assert status == 2
    assert "tickets.csv:1: there is no column 'text'; the columns are 'body', 'team'" in printed.err


def test_another_encoding_is_told_with_those_that_fit(tmp_path, capsys):
    (tmp_path / "a.csv").write_bytes("text,label\nna\xefve caf\xe9 – dull,x\n".encode("cp1252"))
    (tmp_path / "b.csv").write_text("text,label\nfine,x\n")
    status, printed = run(capsys, tmp_path / "b.csv", "--test", tmp_path / "a.csv")
    assert status == 2
    first, second, *found = printed.err.splitlines()
    assert "a.csv:2: this is not UTF-8 (byte 0xef)" in first
    assert second == "All bytes are valid in these encodings; look at the excerpts to see which is right:"
    assert "  --data.encoding cp1252     text,label naïve café – dull,x" in found
    status, _ = run(capsys, tmp_path / "b.csv", "--test", tmp_path / "a.csv", "--encoding", "cp1252")
    assert status == 0
    (tmp_path / "a.csv").write_bytes("né".encode("utf-16") + b"\x00")
    assert "None of the common encodings can decode all of it" in run(capsys, tmp_path / "a.csv")[1].err


def test_one_of_several_files_in_another_encoding(tmp_path, capsys):
    (tmp_path / "a-1.csv").write_text("text,label\nfine ☂,x\n")
    (tmp_path / "a-2.csv").write_bytes("text,label\ncafé,y\n".encode("cp1252"))
    status, printed = run(capsys, tmp_path / "a-*.csv")
    assert status == 2
    assert "a-2.csv:2: this is not UTF-8 (byte 0xe9)" in printed.err
    assert "  --data.encoding cp1252     text,label café,y" in printed.err


def test_folders_in_another_encoding(tmp_path, capsys):
    for label, content in (("x", "café".encode("latin-1")), ("y", b"plain")):
        (tmp_path / "texts" / label).mkdir(parents=True)
        (tmp_path / "texts" / label / "1").write_bytes(content)
    status, printed = run(capsys, tmp_path / "texts", "--pattern", "*")
    assert status == 2
    assert "  --data.encoding cp1252     café" in printed.err


def test_combinations_of_labels(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("text,label\none,x;y\ntwo,y;x\nthree,\nfour,y\n")
    status, printed = run(capsys, tmp_path / "a.csv", "--label_separator", ";")
    assert status == 0
    table = printed.out.partition("Combinations of labels")[2]
    assert "x;y │ 2 (50.0%)" in " ".join(table.split())
    assert "(none) │ 1 (25.0%)" in " ".join(table.split())


@pytest.mark.parametrize(
    ("options", "words", "share"),
    [
        ([], 6, "0.0%"),
        (["--num_words", "5"], 6, "50.0%"),
        (["--tokenizer", "characters"], 12, "0.0%"),
        (["--tokenizer", "regex", "--token_pattern", "[!?]"], 1, "0.0%"),
        (["--strip_html", "false"], 7, "0.0%"),
    ],
)
def test_words_are_those_of_the_tokenizer_asked_for(tmp_path, capsys, options, words, share):
    (tmp_path / "a.csv").write_text("text,label\na B a c<br />a d!,x\n")
    status, printed = run(capsys, tmp_path / "a.csv", *options)
    assert status == 0
    shown = " ".join(printed.out.split())
    assert f"│ maximum │ {words} │" in shown
    assert f"words outside the vocabulary │ {share} │" in shown
