"""The options of `seqclass serve`, and what it refuses before it serves; `tests/serving` asks it."""

import socket
import sys

import pytest

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.models import StackOptions

needs_litserve = pytest.mark.usefixtures("litserve")


@pytest.fixture
def litserve():
    pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")


def error_of(capsys, *arguments):
    assert main(["serve", *map(str, arguments)]) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_without_the_extra_one_error_names_it(checkpoint, monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "seqclass.serving.server", raising=False)
    monkeypatch.setitem(sys.modules, "litserve", None)
    assert "serve needs litserve, which is not installed: pip install 'seqclass[serve]'" in error_of(capsys, checkpoint)


def test_explains_its_options(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "127.0.0.1 for this machine alone" in text
    assert "--max_texts MAX_TEXTS texts in a request" in text


@needs_litserve
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "example.com"], "host is 'example.com'; allowed are 127.0.0.1, 0.0.0.0, ::"),
        (["--port", "80"], "port is 80; allowed are 1024 to 65535"),
        (["--max_texts", "0"], "max_texts is 0; allowed are whole numbers from 1 on"),
        (["--workers", "0"], "workers"),
        (["--device", "tpu"], "device"),
    ],
)
def test_wrong_values(options, message, checkpoint, capsys):
    assert message in error_of(capsys, checkpoint, *options)


@needs_litserve
def test_a_port_that_is_taken(checkpoint, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen at 127.0.0.1, port {port}: Address already in use" in error_of(
            capsys, checkpoint, "--port", port
        )


@needs_litserve
def test_files_that_cannot_be_served(tmp_path, capsys):
    assert "there is no checkpoint at nowhere.ckpt" in error_of(capsys, "nowhere.ckpt")
    bare = TextClassifier(StackOptions(num_embeddings=5, num_classes=2, embedding_dim=2, hidden_size=2))
    bare.save(tmp_path / "bare.ckpt")
    assert "has no text pipeline" in error_of(capsys, tmp_path / "bare.ckpt")
