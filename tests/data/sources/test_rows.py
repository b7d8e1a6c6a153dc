from pathlib import Path

import pytest

from seqclass.data.sources.rows import Row, checked_row, decoded, readable
from seqclass.errors import InputError

PATH = Path("a.csv")


def test_white_space_around_a_label_is_cut_off_and_that_of_a_text_stays():
    assert checked_row(PATH, ":2", " fine \n", " pos\t") == Row(":2", " fine \n", "pos")


@pytest.mark.parametrize("label", ["sehr gut", "très-bien", "好", "می‌خواهم", "1"])
def test_labels_of_any_language(label):
    assert checked_row(PATH, ":2", "text", label).label == label


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("", "pos", "the text is empty"),
        (" \n\xa0", "pos", "the text is empty"),
        ("text", "", "the label is empty"),
        ("text", " ", "the label is empty"),
        ("text", "p\x1b[31mos", r"the label 'p\\x1b\[31mos' holds control characters"),
        ("text", "p\nos", ".* holds control characters"),
        ("text", "\ud800", ".* holds control characters"),
    ],
)
def test_what_is_no_labelled_text(text, label, message):
    with pytest.raises(InputError, match=f"^a.csv:2: {message}$"):
        checked_row(PATH, ":2", text, label)


def test_another_encoding_is_named_by_its_byte():
    assert decoded(PATH, ":2", "é".encode()) == "é"
    with pytest.raises(InputError, match=r"^a\.csv:2: this is not UTF-8 \(byte 0xe9\)"):
        decoded(PATH, ":2", "é".encode("latin-1"))


def test_what_the_file_system_says(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*lost\.csv: No such file or directory$"), readable(tmp_path):
        (tmp_path / "lost.csv").read_bytes()
