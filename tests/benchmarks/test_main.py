"""The command line of the benchmarks."""

import pytest

from benchmarks import __main__ as command_line
from benchmarks import data, environment, epoch


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
    monkeypatch.setattr(environment, "commit", lambda: "abc")
    with pytest.raises(SystemExit, match="python -m benchmarks epoch: set SEQCLASS_IMDB"):
        command_line.main(["epoch", "--device", "cpu"])


@pytest.mark.parametrize("more", [["--quick"], ["--json", "result.json"]])
def test_what_is_kept_has_to_be_of_a_commit(monkeypatch, more):
    measured = []

    def run(arguments, common):
        measured.append(arguments.command)
        raise data.DataMissingError("stop here")

    monkeypatch.setattr(epoch, "run", run)
    monkeypatch.setattr(environment, "commit", lambda: "abc+")
    with pytest.raises(SystemExit, match=r"uncommitted changes.*commit them first, or .* --json FILE"):
        command_line.main(["epoch", "--device", "cpu"])
    assert measured == []
    with pytest.raises(SystemExit, match="stop here"):
        command_line.main(["epoch", "--device", "cpu", *more])
