import csv
import gzip
import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclass.data.sources import Reading, lines, tables
from seqclass.data.sources.inputs import open_input
from seqclass.data.sources.tables import read_table
from seqclass.errors import InputError


@pytest.fixture
def read(tmp_path):
    """Writes content to a file of that suffix and reads it."""

    def write_and_read(content, suffix=".csv", *, text_column="text", **reading):
        path = tmp_path / f"reviews{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(open_input(path, "train").rows(Reading(text_columns=(text_column,), **reading)))

    return write_and_read


class TestCsvAndTsv:
    @pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ","), (".tsv", "\t"), (".CSV", ",")])
    @pytest.mark.parametrize("end", ["\n", "\r\n"])
    @pytest.mark.parametrize("mark", ["", "\ufeff"])
    def test_columns_are_found_by_name(self, read, suffix, delimiter, end, mark):
        rows = [("id", "label", "text"), ("1", "pos", "née"), ("2", "neg", "dull")]
        content = mark + end.join(delimiter.join(row) for row in rows)
        assert read(content, suffix) == [(":2", "née", "pos"), (":3", "dull", "neg")]

    def test_other_names(self, read):
        rows = read("review,stars\nfine,5\n", text_column="review", label_column="stars")
        assert rows == [(":2", "fine", "5")]

    def test_without_a_line_of_names(self, read):
        rows = read('3,"Wall St.","Bears claw back"\n', columns=("label", "title", "text"))
        assert rows == [(":1", "Bears claw back", "3")]
        with pytest.raises(InputError, match=r":1: this line is a header of column names; leave `columns` out"):
            read("\ufefflabel,text\n3,fine\n", columns=("label", "text"))
        with pytest.raises(InputError, match=r":2: this row has 3 fields, but there are 2 columns: 'label', 'text'"):
            read("3,fine\n4,dull,really\n", columns=("label", "text"))
        with pytest.raises(InputError, match=r":1: there is no column 'text'.* not a header, name the columns"):
            read("3,fine\n4,dull\n")

    def test_quoted_fields_hold_anything_and_lines_are_counted_as_in_an_editor(self, read):
        content = 'text,label\n"a ""good"", long\r\n\r\nfilm",pos\n\n\ndull,neg\n'
        assert read(content) == [(":2", 'a "good", long\r\n\r\nfilm', "pos"), (":7", "dull", "neg")]

    def test_what_python_writes_is_read_back(self, read, tmp_path):
        texts = ['"', '""', ',"', "a\nb", "a\r\nb", "tab\there", "\ufeffmark", "'", "\\", 'end"']
        for suffix, dialect in ((".csv", "excel"), (".tsv", "excel-tab")):
            with (tmp_path / "w").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file, dialect).writerows([("text", "label"), *((text, "x") for text in texts)])
            assert [row.text for row in read((tmp_path / "w").read_bytes(), suffix)] == texts

    def test_quotes_can_be_characters_like_any_other(self, read):
        content = 'text\tlabel\n"Fine", he said\tpos\nthe "\tneg\n'
        assert read(content, ".tsv", quotes=False) == [(":2", '"Fine", he said', "pos"), (":3", 'the "', "neg")]
        with pytest.raises(InputError, match=r"reviews\.tsv:2: this row cannot be read .*set `quotes` to false"):
            read(content, ".tsv")

    def test_a_quote_that_is_never_closed_is_told_with_its_line(self, read):
        with pytest.raises(InputError, match=r"reviews\.csv:3: this row cannot be read \(unexpected end of data\)"):
            read('text,label\nfine,pos\n"dull,neg\nfine,pos\n')

    def test_long_fields(self, read, monkeypatch):
        limit = csv.field_size_limit()
        text = "word " * 100_000
        assert read(f"text,label\n{text},pos\n")[0].text == text
        assert csv.field_size_limit() == limit
        for module in (lines, tables):
            monkeypatch.setattr(module, "MAX_TEXT_BYTES", 100)
        with pytest.raises(InputError, match=r"reviews\.csv:2: this line has more than 100 bytes"):
            read(f"text,label\n{text},pos\n")
        with pytest.raises(InputError, match=r"reviews\.csv:2: .*field larger than field limit \(100\)"):
            read('text,label\n"' + 20 * "ten bytes\n" + '",pos\n')

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ("", r"reviews\.csv is empty; it has to begin with a line of column names"),
            ("\n\n", r"reviews\.csv is empty"),
            ("a,b\nc,d", r":1: there is no column 'text'; the columns are 'a', 'b'"),
            ("\n\ntext;label\n", r":3: there is no column 'text'; the columns are 'text;label'"),
            ("text\nfine\n", r":1: there is no column 'label'; the columns are 'text'"),
            ("text,label,text\n", r":1: there are 2 columns 'text'; the columns are 'text', 'label', 'text'"),
            (",".join("a" * 30), r"the columns are 'a',.* 'a' and 10 more"),
            ("text,label\nfine, really,pos", r":2: this row has 3 fields, but there are 2 columns: 'text', 'label'"),
            ("text,label\nfine\n", r":2: this row has 1 fields"),
            ("text,label\nfine,pos\n,pos\n", r":3: the text is empty"),
            ("text,label\nfine,pos\nfine,\n", r":3: the label is empty"),
            (b"text,label\nfine,pos\ncaf\xe9,pos\n", r":3: this is not UTF-8 \(byte 0xe9\)"),
            ("text,label\nfine,pos\n".encode("utf-16"), r":1: this is not UTF-8 \(byte 0xff\)"),
        ],
    )
    def test_what_cannot_be_used(self, read, content, message):
        with pytest.raises(InputError, match=message):
            read(content)

    @pytest.mark.parametrize("quote", ["", '"'])
    @pytest.mark.parametrize(("suffix", "delimiter"), [(".csv", ";"), (".csv", "\t"), (".tsv", ","), (".csv", "|")])
    def test_another_delimiter(self, read, suffix, delimiter, quote):
        rows = [("id", "text", "label"), ("1", "fine", "pos"), ("2", "dull", "neg")]
        content = "\n".join(delimiter.join(f"{quote}{field}{quote}" for field in row) for row in rows)
        hint = re.escape(f"The columns seem to be separated by {delimiter!r}: set `delimiter` to {delimiter!r}")
        with pytest.raises(InputError, match=rf":1: (there is no column 'text'|this row cannot be read).* {hint}$"):
            read(content, suffix)
        assert read(content, suffix, delimiter=delimiter) == [(":2", "fine", "pos"), (":3", "dull", "neg")]
        with pytest.raises(InputError, match=rf":1: this row (has 1 fields, but there are 3|cannot be read).* {hint}$"):
            read(content, suffix, columns=("a", "text", "label"))

    def test_a_row_that_no_delimiter_fits_has_no_hint(self, read):
        with pytest.raises(InputError, match=r"there are 2 columns: 'text', 'label'$"):
            read("text,label\nfine; really; so,pos,x\n")

    def test_null_characters_are_no_crash(self, read):
        try:
            rows = read("text,label\na\0b,pos\n")
        except InputError as error:  # Python 3.10
            assert "reviews.csv:2" in str(error)  # noqa: PT017
        else:
            assert rows == [(":2", "a\0b", "pos")]


class TestForms:
    @pytest.mark.parametrize("suffix", [".csv.gz", ".CSV.GZ"])
    def test_compressed(self, read, suffix):
        assert read(gzip.compress(b"text,label\nfine,pos\n"), suffix) == [(":2", "fine", "pos")]

    def test_compressed_and_cut_short(self, read):
        content = gzip.compress("".join(f"text {n} {n * n},pos\n" for n in range(9999)).encode())
        with pytest.raises(InputError, match=r"reviews\.csv\.gz: it is damaged or was cut short"):
            read(b"".join([content[: len(content) // 2]]), ".csv.gz", text_column="text 0 0", label_column="pos")

    @pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le", "utf-32", "utf-8-sig"])
    @pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
    def test_encodings(self, read, suffix, encoding):
        content = 'text,label\n"caf\xe9\n",pos\n' if suffix == ".csv" else '\n{"text": "caf\xe9\\n", "label": "pos"}\n'
        assert read(content.encode(encoding), suffix, encoding=encoding) == [(":2", "caf\xe9\n", "pos")]

    @pytest.mark.parametrize(
        ("content", "encoding", "message"),
        [
            ("text,label\nfine,pos\ncaf\xe9,pos\n".encode("latin-1"), "utf-8", r":3: this is not UTF-8 \(byte 0xe9\)"),
            (b"text,label\n\x81,pos\n", "cp1252", r":2: this is not CP1252 \(byte 0x81\); .* with `encoding`"),
            (b"text,label\nfine,pos\n", "utf-16", ":1: this is not UTF-16 "),
            ("text,label\n".encode("utf-16") + b"\x00\xd8a", "utf-16", ": this is not UTF-16"),
        ],
    )
    def test_another_encoding(self, read, content, encoding, message):
        with pytest.raises(InputError, match=message):
            read(content, encoding=encoding)

    def test_several_columns_are_joined(self, tmp_path):
        path = tmp_path / "a.csv"
        path.write_text("title,label,body\nGood,pos,really\n")
        rows = list(read_table(path, Reading(text_columns=("title", "body"))))
        assert rows == [(":2", "Good\nreally", "pos")]

    def test_lines_of_old_macs(self, read):
        assert read("text,label\rfine,pos\rdull,neg\r") == [(":2", "fine", "pos"), (":3", "dull", "neg")]

    def test_ten_million_characters(self, read):
        assert len(read(f"text,label\n{'word ' * 2_000_000},pos\n")[0].text) == 10_000_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: ("text,label\n" + text).encode("utf-8", "surrogatepass")),
        st.text('{}[]",:\\ \n\r\ttextlabel\0é1', max_size=100).map(str.encode),
    ),
    suffix=st.sampled_from([".csv", ".tsv", ".jsonl", ".csv.gz"]),
    encoding=st.sampled_from(["utf-8", "latin-1", "utf-16", "shift_jis"]),
    quotes=st.booleans(),
)
def test_whatever_the_bytes_it_is_rows_or_one_clear_error(read, content, suffix, encoding, quotes):
    try:
        rows = read(content, suffix, encoding=encoding, quotes=quotes)
    except InputError as error:
        assert "reviews" in str(error)  # noqa: PT017
    else:
        assert all(row.text.strip() and row.label == row.label.strip() != "" for row in rows)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pairs=st.lists(st.tuples(st.text(st.characters(exclude_categories=["Cs"]))).map(lambda t: t[0]), max_size=5))
def test_whatever_the_text_it_is_read_as_it_was_written(read, tmp_path, pairs):
    texts = [text for text in pairs if text.strip() and "\0" not in text]
    with (tmp_path / "written").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("text", "label"), *((text, "x") for text in texts)])
    assert [row.text for row in read((tmp_path / "written").read_bytes())] == texts
    lines = "\n".join(json.dumps({"text": text, "label": "x"}, ensure_ascii=False) for text in texts)
    assert [row.text for row in read(lines, ".jsonl")] == texts
