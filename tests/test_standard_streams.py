"""What a terminal, a pipe or a full disk can do to standard input and output."""

import io
import json
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seqclass.cli import main

SEQCLASS = [sys.executable, "-m", "seqclass"]

pytestmark = pytest.mark.filterwarnings("ignore:.* no word that the model knows")


@pytest.fixture
def streams(monkeypatch):
    """Sets standard input to bytes, and standard output to a stream of an encoding, whose bytes are returned."""

    def set_streams(content=b"", *, encoding="utf-8"):
        written = io.BytesIO()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content), encoding="ascii"))
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding, errors="strict", newline=""))
        return written

    return set_streams


def answers(written):
    return [line.split(b"\t") for line in written.getvalue().splitlines()]


class TestInput:
    def test_a_byte_order_mark_is_not_part_of_the_first_word(self, checkpoint, streams):
        written = streams("\ufeffsuperb\nsuperb\n".encode())
        assert main(["classify", str(checkpoint)]) == 0
        first, second = answers(written)
        assert first == second
        assert first[2] == b"superb"

    @pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
    def test_its_encoding(self, checkpoint, streams, encoding):
        written = streams("née superb\r\n\r\ndull".encode(encoding))
        assert main(["classify", str(checkpoint), "--encoding", encoding]) == 0
        assert [text.decode() for _, _, text in answers(written)] == ["née superb", "", "dull"]

    def test_another_encoding_is_one_error(self, checkpoint, streams, capsys):
        streams(b"fine\ncaf\xe9\n")
        assert main(["classify", str(checkpoint)]) == 2
        assert "standard input:2: this is not UTF-8 (byte 0xe9); name the encoding" in capsys.readouterr().err

    def test_closed(self, checkpoint, monkeypatch, capsys):
        monkeypatch.setattr(sys, "stdin", None)
        assert main(["classify", str(checkpoint)]) == 2
        assert capsys.readouterr().err.startswith("seqclass: error: standard input is closed; give the texts as arg")

    def test_empty(self, checkpoint, streams):
        written = streams()
        assert main(["classify", str(checkpoint)]) == 0
        assert written.getvalue() == b""


class TestOutput:
    def test_characters_that_its_encoding_lacks(self, checkpoint, streams):
        written = streams(encoding="cp1252")
        assert main(["classify", str(checkpoint), "né ✓ superb"]) == 0
        assert answers(written)[0][2] == b"n\xe9 \\u2713 superb"

    def test_lone_surrogates(self, checkpoint, streams, tmp_path):
        (tmp_path / "a.jsonl").write_text('{"text": "superb \\ud800"}\n')
        written = streams()
        assert main(["classify", str(checkpoint), "--input", str(tmp_path / "a.jsonl")]) == 0
        assert answers(written)[0][2] == b"superb \\ud800"

    @pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
    def test_lone_surrogates_in_files(self, checkpoint, tmp_path, ending):
        out = tmp_path / f"out.{ending}"
        assert main(["classify", str(checkpoint), "superb \ud800", "--out", str(out)]) == 0
        assert b"superb \\ud800" in out.read_bytes()

    def test_an_answer_is_one_line_of_three_columns(self, checkpoint, streams, tmp_path):
        text = "superb\n\r\x0b\x0c\x1b[31m\t\x85\u2028film"
        (tmp_path / "a.jsonl").write_text(json.dumps({"text": text}) + "\n")
        written = streams()
        assert main(["classify", str(checkpoint), "--input", str(tmp_path / "a.jsonl")]) == 0
        (line,) = written.getvalue().decode().splitlines()
        assert line.split("\t")[2] == "superb     [31m   film"

    def test_closed(self, checkpoint, monkeypatch, capsys):
        monkeypatch.setattr(sys, "stdout", None)
        assert main(["classify", str(checkpoint), "superb"]) == 2
        assert "standard output is closed; name a file to write with --out" in capsys.readouterr().err

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="lacks /dev/full")
    @pytest.mark.parametrize("arguments", [["--help"], ["classify", "CKPT", "superb"]])
    @pytest.mark.parametrize("unbuffered", ["", "1"])
    def test_a_full_disk(self, checkpoint, arguments, unbuffered, monkeypatch):
        monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
        arguments = [str(checkpoint) if word == "CKPT" else word for word in arguments]
        with Path("/dev/full").open("w") as full:
            done = subprocess.run([*SEQCLASS, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.stderr == "seqclass: error: cannot write to standard output: No space left on device\n"
        assert done.returncode == 2

    def test_a_reader_that_has_enough(self, checkpoint):
        with subprocess.Popen(
            [*SEQCLASS, "classify", str(checkpoint), "superb"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            process.stdout.close()
            assert process.wait(120) == 0
            assert process.stderr.read() == b""


def test_ctrl_c_at_the_prompt(checkpoint):
    ours, theirs = pty.openpty()
    command = [*SEQCLASS, "classify", str(checkpoint)]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        os.close(theirs)
        assert process.stderr.readline().startswith("Reading texts from standard input")
        os.write(ours, b"superb\n")
        assert process.stdout.readline().split("\t")[2] == "superb\n", "answered at once"
        time.sleep(0.2)  # until it reads the next line
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert process.stderr.read() == "\nseqclass: interrupted\n"
    os.close(ours)
