"""The command line of the benchmarks."""

import pytest

from benchmarks import __main__ as command_line
from benchmarks import data


@pytest.mark.parametrize("command", ["", *command_line.QUESTIONS, "peers", "report", "gpu", "gpu-report"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        command_line.main([*command.split(), "--help"])
    assert ended.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert f"usage: python -m benchmarks {command}".rstrip() in text
    assert "86.26% of the test reviews" in text or command not in ("", "target")


def test_missing_reviews_are_said_in_a_line(monkeypatch):
    def prepare_real(*arguments, **options):
        raise data.DataMissingError("set SEQCLASS_IMDB")

    monkeypatch.setattr(data, "prepare_real", prepare_real)
    with pytest.raises(SystemExit, match="python -m benchmarks epoch: set SEQCLASS_IMDB"):
        command_line.main(["epoch", "--device", "cpu"])
