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
        "Class 'single' has a single text",
        "Labels of test that no training text has: '[new]'",
        "1 texts of test are training texts",
        "Empty texts are errors in training",
        "--model.class_weights balanced",
    ):
        assert expected in " ".join(printed.out.split())


def test_one_class(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("text,label\nfine,pos\n")
    status, printed = run(capsys, tmp_path / "a.csv")
    assert status == 0
    assert "There is one class only" in printed.out


def test_what_cannot_be_read_is_one_error(table, capsys):
    status, printed = run(capsys, table)
    assert status == 2
    assert "tickets.csv:1: there is no column 'text'; the columns are 'body', 'team'" in printed.err
