from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.interop.model_card import model_card
from seqclass.models import StackOptions


def test_a_trained_model_has_its_data_figures_and_use(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(checkpoint), "--format", "safetensors", "--out", "film.safetensors"]) == 0
    assert "Its model card is film.md" in capsys.readouterr().out
    card = (tmp_path / "film.md").read_text()
    record = TextClassifier.load("film.safetensors").record
    assert card.startswith("---\nlibrary_name: seqclass\n")
    assert "\n# film\n" in card
    assert "'neg', 'pos'" in card
    assert 'TextClassifier.load("film.safetensors")' in card
    assert "| train | 400 |" in card
    assert f"| val_acc | {record['figures']['val_acc']:.4f}".rstrip("0") in card
    assert "| hidden_size | 8 |" in card
    assert "| optimizer | KerasAdam |" in card
    assert all(line.count(" | ") == 1 for line in card.splitlines() if line.startswith("| ") and line != "| | |")


def test_what_is_not_known_is_left_out():
    card = model_card(TextClassifier(StackOptions(num_embeddings=9, hidden_size=2)), "bare.ckpt")
    assert "## Use" not in card
    assert "## Figures" not in card
    assert "## Options of the stack" in card


def test_another_suffix_is_refused(checkpoint, tmp_path, capsys):
    out = tmp_path / "model.bin"
    assert main(["export", str(checkpoint), "--format", "safetensors", "--out", str(out)]) == 2
    assert "has to end in .safetensors" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
