import gzip
from pathlib import Path

import pytest

from seqclass.compressed import readable
from seqclass.data.sources.rows import Reading, Row
from seqclass.errors import InputError

PATH = Path("a.csv")
READING = Reading()


def row(text, label, reading=READING):
    return reading.row(PATH, ":2", [text], label)


def test_white_space_around_a_label_is_cut_off_and_that_of_a_text_stays():
    assert row(" fine \n", " pos\t") == Row(":2", " fine \n", "pos")


def test_several_texts_are_joined():
    assert READING.row(PATH, ":2", ["Title", "", "Body"], "pos").text == "Title\n\nBody"


@pytest.mark.parametrize("label", ["sehr gut", "très-bien", "好", "می‌خواهم", "1"])
def test_labels_of_any_language(label):
    assert row("text", label).label == label


@pytest.mark.parametrize(
    ("text", "label", "message"),
    [
        ("", "pos", "the text is empty; set `empty_texts` to 'keep' or 'skip' to go on"),
        (" \n\xa0", "pos", "the text is empty.*"),
        ("text", "", "the label is empty"),
        ("text", " ", "the label is empty"),
        ("text", "p\x1b[31mos", r"the label 'p\\x1b\[31mos' holds control characters"),
        ("text", "p\nos", ".* holds control characters"),
        ("text", "\ud800", ".* holds control characters"),
    ],
)
def test_what_is_no_labelled_text(text, label, message):
    with pytest.raises(InputError, match=f"^a.csv:2: {message}$"):
        row(text, label)


def test_empty_texts_can_be_kept():
    assert row(" ", "pos", Reading(keep_empty=True)) == Row(":2", " ", "pos")


@pytest.mark.parametrize(
    ("label", "name"), [("x", "x"), (3, "3"), (-1, "-1"), (5.0, "5"), (True, "true"), (False, "false")]
)
def test_labels_with_types(label, name):
    assert READING.typed_row(PATH, ":2", {"text": "x", "label": label}) == Row(":2", "x", name)


@pytest.mark.parametrize("label", [None, 1.5, float("nan"), float("inf"), ["x"], b"x"])
def test_labels_of_other_types(label):
    with pytest.raises(InputError, match=r"^a\.csv:2: 'label' is .*; a label has to be a string, a whole number,"):
        READING.typed_row(PATH, ":2", {"text": "x", "label": label})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": ()}, "columns has to name 'text' once, where the text or the label is; it is $"),
        ({"columns": ("label", "body")}, "columns has to name 'text' once, .* it is 'label', 'body'"),
        ({"columns": ("label", "text", "text")}, "columns has to name 'text' once"),
        ({"pattern": ""}, "pattern is ''; it has to be one for the names of files"),
        ({"delimiter": ""}, "delimiter is ''; it has to be a single character such as ';'"),
        ({"delimiter": ", "}, "delimiter is ', '"),
        ({"delimiter": '"'}, "no quote or line break"),
        ({"pattern": "../*.txt"}, r"pattern is '\.\./\*\.txt'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(InputError, match=message):
        Reading(**options)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_texts_are_empty_texts(missing):
    with pytest.raises(InputError, match=r"a\.csv:2: the text is empty; set `empty_texts`"):
        READING.typed_row(PATH, ":2", {"text": missing, "label": "x"})
    keeping = Reading(text_columns=("title", "text"), keep_empty=True)
    assert keeping.typed_row(PATH, ":2", {"title": missing, "text": missing, "label": "x"}) == Row(":2", "\n", "x")
    assert keeping.typed_row(PATH, ":2", {"title": "a", "text": missing, "label": "x"}).text == "a\n"


def test_the_delimiter_can_be_written_as_on_a_command_line():
    assert Reading.from_options(delimiter="\\t") == Reading(delimiter="\t")
    assert Reading.from_options(delimiter=";") == Reading(delimiter=";")


def test_encodings_are_known_by_all_their_names():
    assert Reading(encoding="UTF8") == Reading(encoding="utf-8")


def test_what_the_file_system_says(tmp_path):
    with pytest.raises(InputError, match=r"^cannot read .*lost\.csv: No such file or directory$"), readable(tmp_path):
        (tmp_path / "lost.csv").read_bytes()


def test_archives_that_are_broken(tmp_path):
    whole = gzip.compress(b"text " * 1000, mtime=0)
    for content, message in (
        (b"text,label", r"^cannot read .*: Not a gzipped file"),
        (whole[:-12], r"^cannot read .*: it is damaged or was cut short"),
        (whole[:10] + bytes([255]) + whole[11:], r"^cannot read .*: it is damaged or was cut short"),
    ):
        path = tmp_path / "a.gz"
        path.write_bytes(content)
        with pytest.raises(InputError, match=message), readable(path), gzip.open(path) as file:
            file.read()


class TestSeveralLabels:
    several = Reading(label_separator="|")

    @pytest.mark.parametrize(("label", "names"), [("b | a|b", ["a", "b"]), ("", []), (" | ", []), ("a", ["a"])])
    def test_of_a_string(self, label, names):
        made = row("text", label, self.several)
        assert made.label == "|".join(names)
        assert self.several.label_names(made.label) == names

    def test_of_a_list(self):
        assert self.several.typed_row(PATH, ":2", {"text": "x", "label": ["b", "a"]}).label == "a|b"
        with pytest.raises(InputError, match=r":2: a label of \['a\|b'\] holds the label_separator"):
            self.several.typed_row(PATH, ":2", {"text": "x", "label": ["a|b"]})
        assert self.several.typed_row(PATH, ":2", {"text": "x", "label": [3, 1]}).label == "1|3"
        with pytest.raises(InputError, match=r":2: 'label' is \['a', None\]; a label has to be a string"):
            self.several.typed_row(PATH, ":2", {"text": "x", "label": ["a", None]})
