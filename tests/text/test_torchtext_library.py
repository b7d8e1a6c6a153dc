"""What happens where torchtext is missing, does not load, or lacks what it needs."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.torchtext import needs_torchtext

from seqclass.cli import main
from seqclass.errors import InputError
from seqclass.text.torchtext_library import import_torchtext

LSTM = Path(__file__).parents[2] / "configs" / "lstm.yaml"
COMMAND = r"pip install 'seqclass\[torchtext\]'"


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A torchtext that dies as the real one does beside a newer PyTorch."""
    package = tmp_path / "torchtext"
    package.mkdir()
    (package / "__init__.py").write_text('raise OSError("libtorchtext.so: undefined symbol: _ZN5torch")')
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchtext"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def missing(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchtext"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchtext", None)


@pytest.mark.usefixtures("missing")
def test_missing_is_one_error_with_the_command():
    with pytest.raises(InputError, match=f"^this needs torchtext.vocab, which is not installed: .*{COMMAND}"):
        import_torchtext("vocab")


@pytest.mark.usefixtures("broken")
def test_an_undefined_symbol_is_one_error_with_the_command():
    message = rf"^torchtext .* does not load beside PyTorch \d.*undefined symbol: _ZN5torch\): .*{COMMAND}"
    with pytest.raises(InputError, match=message):
        import_torchtext("datasets.imdb")


@pytest.mark.usefixtures("broken")
@pytest.mark.parametrize(
    "options",
    [
        ["--data", "seqclass.interop.torchtext.TorchtextIMDBDataModule"],
        ["--data.torchtext_tokenizer", "basic_english"],
    ],
    ids=["data", "tokenizer"],
)
def test_the_command_line_says_it_without_a_traceback(options, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["fit", "--config", str(LSTM), *options]) == 2
    error = capsys.readouterr().err
    assert "does not load beside PyTorch" in error
    assert "pip install 'seqclass[torchtext]'" in error
    assert "Traceback" not in error
    assert not (tmp_path / "runs").exists()


def test_nothing_imports_it_unasked():
    code = """
        import pkgutil, sys
        from importlib import import_module
        import seqclass
        for module in pkgutil.walk_packages(seqclass.__path__, "seqclass."):
            if module.name.rpartition(".")[2] not in ("__main__", "programs"):  # a command; Triton's own language
                import_module(module.name)
        print(sorted(name for name in sys.modules if name.partition(".")[0] in ("torchtext", "torchdata")))
    """
    found = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@needs_torchtext
def test_its_farewell_is_not_shown(recwarn):
    import_torchtext("datasets")
    assert not recwarn.list
