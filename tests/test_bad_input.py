"""What people's files hold, against the command line: each kind is read right, or is one clear sentence.

Interrupts are in `test_interruption.py`, caches that are cut short or being written in `data/test_cache.py`, archives
that try to leave their folder in `data/sources/test_imdb.py`, and fuzzing beside each reader and the tokenizers.
"""

import gzip
import json
from pathlib import Path

import pytest
from support.disk import nearly_full_disk

from seqclass.cli import main

CONFIG = Path(__file__).parents[1] / "configs" / "text.yaml"
GOOD = [("good film", "pos"), ("bad film", "neg")] * 15

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))


def table(*more, head="text,label\n"):
    """A CSV file that is good but for the lines at its end, which begin at line 32."""
    return (head + "".join(f"{text},{label}\n" for text, label in GOOD)).encode() + b"".join(more)


def fit(*options):
    small = [
        *("--data.maxlen", "24", "--model.hidden_size", "4", "--model.embedding_dim", "4"),
        *("--trainer.accelerator", "cpu", "--trainer.max_epochs", "1"),
    ]
    return main(["fit", "--config", str(CONFIG), "--data.train", "mine.csv", *small, *options])


def one_sentence(printed, message):
    told = [line for line in printed.err.splitlines() if not line.startswith("Encoding the texts")]
    assert told[0].startswith("seqclass: error: ")
    assert message in told[0]
    assert "Traceback" not in printed.err


class TestReaders:
    """By `seqclass inspect`, which reads as training does."""

    @pytest.mark.parametrize(
        ("name", "content", "message"),
        [
            ("lost.csv", None, "there are no texts at lost.csv (train); allowed are .csv, .tsv"),
            ("a.xlsx", b"PK", "cannot tell what a.xlsx (train) is; allowed are .csv, .tsv"),
            (
                "a.csv",
                b"review,label\nfine,x\n",
                "a.csv:1: there is no column 'text'; the columns are 'review', 'label'",
            ),
            ("a.csv", b"", "a.csv is empty; it has to begin with a line of column names"),
            ("a.jsonl", b"", "a.jsonl holds no texts"),
            ("a.csv", table("caf\xe9,pos\n".encode("cp1252")), "a.csv:32: this is not UTF-8 (byte 0xe9)"),
            ("a.csv", table(b"good, really,pos\n"), "a.csv:32: this row has 3 fields, but there are 2 columns"),
            ("a.csv", table(b"good\n"), "a.csv:32: this row has 1 fields"),
            ("a.csv", table(b"good,\n"), "a.csv:32: the label is empty"),
            ("a.csv", table(b'"good,pos\n'), "a.csv:32: this row cannot be read (unexpected end of data)"),
            ("a.jsonl", b'{"text": "good", "label": null}\n', "a.jsonl:1: 'label' is None; a label has to be a string"),
            ("a.jsonl", b'{"text": "good"}\n', "a.jsonl:1: there is no 'label'; the entries are 'text'"),
            ("a.jsonl", b'{"text": "good", "label": 0.5}\n', "a.jsonl:1: 'label' is 0.5; a label has to be a string"),
            ("a.jsonl", b'{"text": "good", "label"', "a.jsonl:1: this is not JSON"),
            ("a.csv", table(b"x" * (17 << 20)), "a.csv:32: this line has more than 16,777,216 bytes"),
            ("a.csv.gz", gzip.compress(table(), mtime=0)[:-20], "a.csv.gz: it is damaged or was cut short"),
            ("a.csv.gz", table(), "cannot read a.csv.gz: Not a gzipped file"),
            ("a.parquet", b"PAR1" + b"\0" * 50, "a.parquet is not a Parquet file, or is damaged"),
        ],
    )
    def test_one_clear_sentence(self, name, content, message, capsys):
        if content is not None:
            Path(name).write_bytes(content)
        assert main(["inspect", name]) == 2
        one_sentence(capsys.readouterr(), message)

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("mark.csv", table(head="\ufefftext,label\n")),
            ("crlf.csv", table().replace(b"\n", b"\r\n")),
            ("quotes.csv", table(b'"a ""good"",\r\nlong film",pos\n')),
            ("null.jsonl", b'{"text": "a\\u0000b", "label": 1}\n{"text": "c", "label": 2}\n'),
            ("booleans.jsonl", b'{"text": "a", "label": true}\n{"text": "c", "label": false}\n'),
            ("long.csv", table(b"word " * 2_000_000 + b",pos\n")),
            ("empty.csv", table(b",pos\n \t,neg\n")),
        ],
    )
    def test_read_as_it_is_meant(self, name, content, capsys):
        Path(name).write_bytes(content)
        assert main(["inspect", name]) == 0
        printed = " ".join(capsys.readouterr().out.split())
        expected = {
            "null.jsonl": "│ 1 │ 1 (50.0%) │",
            "booleans.jsonl": "│ true │ 1 (50.0%) │",
            "long.csv": "│ maximum │ 2,000,000 │",
            "quotes.csv": "│ maximum │ 4 │",
            "empty.csv": "│ empty texts │ 2 │",
        }.get(name, "│ texts │ 30 │")
        assert expected in printed


class TestTraining:
    @pytest.mark.parametrize(
        ("content", "options", "message"),
        [
            (table(b",pos\n"), [], "mine.csv:32: the text is empty; set `empty_texts` to 'keep' or 'skip' to go on"),
            (
                b"text,label\na,x\nb,x\n",
                [],
                "mine.csv has to hold texts of at least two classes; all have the label 'x'",
            ),
            (
                table(b"odd,third\n"),
                [],
                "class third has a single text to train on (mine.csv:32), and test_fraction=0.2",
            ),
            (table(), ["--data.test", "test.csv"], "test.csv:3: no training text has the label 'new'; the labels in"),
            (table(), ["--data.tokenizer", "regex", "--data.token_pattern", "(a"], "token_pattern '(a' is not a"),
            (table(), ["--model.word_vectors", "lost.vec"], "cannot read lost.vec: No such file or directory"),
            (table(), ["--model.class_weights", "{pos: 1, bad: 2}"], "no class is called 'bad'; the classes are 'neg'"),
        ],
    )
    def test_one_clear_sentence(self, content, options, message, capsys):
        Path("mine.csv").write_bytes(content)
        Path("test.csv").write_bytes(b"text,label\ngood,pos\nbad,new\n")
        if "--model.word_vectors" in options:
            options = [*options, "--model.embedding_dim", "null"]
        assert fit(*options) == 2
        one_sentence(capsys.readouterr(), message)
        assert not list(Path().rglob("*.ckpt"))

    def test_texts_that_say_nothing_have_a_defined_answer(self, capsys):
        Path("mine.csv").write_bytes(table(b'"?!",pos\n,neg\n'))
        Path("test.csv").write_bytes(b"text,label\ngood,pos\nzzz qqq,pos\n,neg\n")
        assert fit("--data.empty_texts", "keep", "--data.test", "test.csv", "--data.batch_size", "500") == 0
        printed = capsys.readouterr()
        assert "1 empty texts of mine.csv are kept" in printed.err
        assert "texts of test hold no word of the vocabulary; the first is test.csv:3" in printed.err
        assert "nan" not in printed.out
        (checkpoint,) = Path("runs/text/1/checkpoints").glob("last.ckpt")
        Path("new.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in ["good", "", "zzz", "\0"]))
        with pytest.warns(UserWarning, match="3 of 4 texts have no word that the model knows"):
            assert main(["classify", str(checkpoint), "--input", "new.jsonl", "--out", "said.jsonl"]) == 0
        said = [
            (row["predicted"], row["probability"])
            for row in map(json.loads, Path("said.jsonl").read_text().splitlines())
        ]
        assert said[2] == said[3]
        assert all(0.5 <= float(probability) <= 1 for _, probability in said)

    @pytest.mark.parametrize("size", [50, 5000])
    def test_a_full_disk(self, size, capsys):
        Path("mine.csv").write_bytes(table())
        with nearly_full_disk(size):
            assert fit() == 2
        one_sentence(capsys.readouterr(), "cannot write")
        assert not list(Path().rglob("*.ckpt"))

    def test_an_archive_that_leaves_its_folder(self, tmp_path, capsys):
        outside = tmp_path / "outside.txt"
        outside.write_text("secret")
        for label in ("pos", "neg"):
            (tmp_path / "texts" / label).mkdir(parents=True)
            (tmp_path / "texts" / label / "1.txt").write_text("good")
        (tmp_path / "texts" / "pos" / "2.txt").symlink_to(outside)
        assert main(["inspect", "texts"]) == 2
        one_sentence(capsys.readouterr(), "texts/pos/2.txt is a link that leaves the folder")
