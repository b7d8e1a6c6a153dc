import gzip
import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seqclass.data.sources import Reading, json_records, lines
from seqclass.data.sources.json_records import read_json
from seqclass.errors import InputError


@pytest.fixture
def read(tmp_path):
    """Writes content to a file of that suffix and reads it."""

    def write_and_read(content, suffix=".jsonl", *, text_column="text", **reading):
        path = tmp_path / f"reviews{suffix}"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return list(read_json(path, Reading(text_columns=(text_column,), **reading)))

    return write_and_read


class TestJsonLines:
    def test_one_object_a_line(self, read):
        objects = [
            {"text": "née\n", "label": "pos", "id": []},
            {"label": 3, "text": "x"},
            {"label": True, "text": "y"},
        ]
        content = "\ufeff" + "\n\n".join(map(json.dumps, objects)) + "\r\n"
        for suffix in (".jsonl", ".json", ".ndjson"):
            assert read(content, suffix) == [(":1", "née\n", "pos"), (":3", "x", "3"), (":5", "y", "true")]

    def test_entries_of_entries(self, read):
        objects = [{"review": {"body": "fine"}, "label": 4.0}, {"review.body": "dull", "review": {}, "label": 2}]
        rows = read("\n".join(map(json.dumps, objects)), ".jsonl", text_column="review.body")
        assert rows == [(":1", "fine", "4"), (":2", "dull", "2")]
        with pytest.raises(InputError, match=r":1: there is no 'review\.text'; the entries are 'review', 'label'"):
            read(json.dumps(objects[0]), ".jsonl", text_column="review.text")

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("not json", "this is not JSON: Expecting value"),
            ('{"text": "x"', "this is not JSON"),
            ("[" * 100_000, "this is not JSON"),
            ('["x", "pos"]', r'each line has to be a JSON object, not \["x", "pos"\]'),
            ('{"label": "pos", "body": "x"}', "there is no 'text'; the entries are 'label', 'body'"),
            ('{"text": "x"}', "there is no 'label'; the entries are 'text'"),
            ('{"text": 5, "label": "pos"}', "'text' is 5; a text has to be a string"),
            ('{"text": null, "label": "pos"}', "the text is empty"),
            ('{"text": NaN, "label": "pos"}', "the text is empty"),
            (
                '{"text": {"0": "fine", "1": "dull"}, "label": {"0": "pos", "1": "neg"}}',
                "this object holds whole columns, .* orient='records', lines=True",
            ),
            (
                '{"text": "x", "label": null}',
                "'label' is None; a label has to be a string, a whole number,",
            ),
            ('{"text": "x", "label": 1.5}', r"'label' is 1\.5"),
            ('{"text": "x", "label": NaN}', r"'label' is nan"),
            ('{"text": "x", "label": ["pos"]}', r"'label' is \['pos'\]"),
            ('{"text": "x", "label": ""}', "the label is empty"),
            ('{"text": "", "label": "pos"}', "the text is empty"),
            (b'{"text": "\xe9", "label": "pos"}', "this is not UTF-8"),
        ],
    )
    def test_what_cannot_be_used(self, read, line, message):
        line = line if isinstance(line, bytes) else line.encode()
        with pytest.raises(InputError, match=rf"reviews\.jsonl:3: {message}"):
            read(b'{"text": "x", "label": "pos"}\n\n' + line + b"\n", ".jsonl")

    def test_a_line_too_long(self, read, monkeypatch):
        monkeypatch.setattr(lines, "MAX_TEXT_BYTES", 100)
        with pytest.raises(InputError, match=r"reviews\.jsonl:1: this line has more than 100 bytes"):
            read(json.dumps({"text": "x" * 100, "label": "pos"}), ".jsonl")


class TestArrays:
    @pytest.mark.parametrize("suffix", [".json", ".jsonl", ".json.gz"])
    @pytest.mark.parametrize("indent", [None, 2])
    @pytest.mark.parametrize("mark", ["", "\ufeff", "\n\n "])
    def test_of_objects(self, read, suffix, indent, mark):
        objects = [{"text": 'née ["}', "label": "pos"}, {"label": 3, "text": "x", "id": [[]]}]
        content = (mark + json.dumps(objects, indent=indent) + "\n").encode()
        rows = read(gzip.compress(content) if suffix.endswith("gz") else content, suffix)
        assert rows == [("[0]", 'née ["}', "pos"), ("[1]", "x", "3")]

    def test_empty(self, read):
        assert read("[ ]", ".json") == []

    @pytest.mark.parametrize("piece", [1, 2, 7, 64])
    def test_pieces_that_end_anywhere(self, read, monkeypatch, piece):
        monkeypatch.setattr(json_records, "_PIECE", piece)
        objects = [{"text": f'é "{number}" \\ {{' * 9, "label": number} for number in range(9)]
        rows = read(json.dumps(objects, ensure_ascii=False), ".json")
        assert rows == [(f"[{number}]", entry["text"], str(number)) for number, entry in enumerate(objects)]

    def test_memory_is_that_of_a_piece(self, tmp_path):
        path = tmp_path / "large.json"
        entry = json.dumps({"text": "word " * 200, "label": "pos"})
        with path.open("w") as file:
            file.write("[" + entry + ("," + entry) * 40_000 + "]")
        tracemalloc.start()
        try:
            assert sum(1 for _ in read_json(path, Reading())) == 40_001
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert path.stat().st_size > 40e6
        assert peak < 4e6

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            ('[{"text": "x", "label": "y"}, 5]', r"\[1\]: each element of the array has to be a JSON object, not 5"),
            ('[{"text": "x", "label": "y"} {}]', r"\[0\]: .* a comma or \] has to follow it"),
            ('[{"text": "x", "label": "y"}', r"\[0\]: .* a comma or \] has to follow it"),
            ('[{"text": "x", "label": "y"}] 5', r"\[0\]: .* there is more after the array"),
            ('[{"text": "x", "label": "y"}, {"text": "x', r"\[1\]: this is not a JSON array of objects: Unterminated"),
            ('[{"text": "x", "label": "y"},]', r"\[1\]: this is not a JSON array of objects: Expecting value"),
            ("[" * 100_000, r"\[0\]: this is not a JSON array of objects: "),
            ('[{"text": "x"}]', r"\[0\]: there is no 'label'; the entries are 'text'"),
            ('[{"text": "", "label": "y"}]', r"\[0\]: the text is empty"),
            (b'[{"text": "\xe9", "label": "y"}]', r": this is not UTF-8 \(byte 0xe9\)"),
        ],
    )
    def test_what_cannot_be_used(self, read, content, message):
        with pytest.raises(InputError, match=rf"reviews\.json{message}"):
            read(content, ".json")

    def test_a_value_too_long(self, read, monkeypatch):
        monkeypatch.setattr(json_records, "MAX_TEXT_BYTES", 1000)
        monkeypatch.setattr(json_records, "_PIECE", 100)
        with pytest.raises(InputError, match=r"reviews\.json\[1\]: .*, or more than 1,000 characters"):
            read(json.dumps([{"text": "x", "label": "y"}, {"text": "x" * 5000, "label": "y"}]), ".json")

    @pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16-le", "utf-8-sig"])
    def test_encodings(self, read, encoding):
        content = '\n[{"text": "caf\xe9\\n", "label": "pos"}]\n'
        assert read(content.encode(encoding), ".json", encoding=encoding) == [("[0]", "caf\xe9\n", "pos")]

    def test_another_encoding(self, read):
        with pytest.raises(InputError, match="this is not UTF-16"):
            read('[{"text": "x", "label": "y"}]'.encode("utf-16") + b"\x00\xd8a", ".json", encoding="utf-16")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.text('{}[]",: \ntextlabel0é', max_size=80).map(lambda text: ("[" + text).encode()))
def test_whatever_the_array_it_is_rows_or_one_clear_error(read, content):
    try:
        rows = read(content, ".json")
    except InputError as error:
        assert "reviews" in str(error)  # noqa: PT017
    else:
        assert len(rows) == len(json.loads(content))
