"""The commands around a checkpoint, as a person uses them, and every way in which they can fail."""

import csv
import io
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from support.disk import nearly_full_disk
from support.versions import needs_exported_loops

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.interop import export_keras


@pytest.fixture(autouse=True)
def new_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table():
    with Path("texts.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerows([["id", "text", "label"], [7, 'a "superb", moving film', "pos"]])
        rows.writerows([[8, "awful,\ndull story", "neg"], [9, "boring music, dreadful scene", "neg"]])
        rows.writerow([10, "a brilliant, superb film", "neg"])
    return "texts.csv"


class TestEvaluate:
    def test_writes_three_files(self, checkpoint, easy_reviews, capsys):
        assert main(["evaluate", str(checkpoint), "--data", str(easy_reviews), "--out", "out"]) == 0
        assert "90 texts" in capsys.readouterr().out
        assert sorted(path.name for path in Path("out").iterdir()) == ["metrics.json", "predictions.csv", "report.html"]
        figures = json.loads(Path("out/metrics.json").read_text())
        with Path("out/predictions.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert len(rows) == figures["texts"] == 90
        assert figures["accuracy"] == sum(row["label"] == row["predicted"] for row in rows) / 90 > 0.8
        assert list(rows[0]) == ["name", "text", "label", "predicted", "probability", "p(neg)", "p(pos)"]

    def test_parquet_of_own_texts(self, checkpoint, table):
        pq = pytest.importorskip("pyarrow.parquet")
        assert main(["evaluate", str(checkpoint), "--data", table, "--out", "out", "--predictions", "parquet"]) == 0
        rows = pq.read_table("out/predictions.parquet").to_pylist()
        assert [row["label"] for row in rows] == ["pos", "neg", "neg", "neg"]
        assert [row["predicted"] for row in rows] == ["pos", "neg", "neg", "pos"]
        assert rows[1]["text"] == "awful,\ndull story"

    def test_several_labels_a_text(self, labels_checkpoint, labelled_rows, capsys):
        with Path("many.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *labelled_rows])
        options = ["--data", "many.csv", "--label_separator", ";"]
        assert main(["evaluate", str(labels_checkpoint), *options, "--out", "out"]) == 0
        assert "400 texts" in capsys.readouterr().out
        with Path("out/predictions.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["label"] for row in rows} == {"", "good", "bad", "bad, good"}
        right = sum(row["label"] == row["predicted"] for row in rows) / 400
        assert json.loads(Path("out/metrics.json").read_text())["accuracy"] == right > 0.9
        shutil.copy(labels_checkpoint, "other.ckpt")
        assert main(["compare", str(labels_checkpoint), "other.ckpt", *options]) == 0
        printed = capsys.readouterr().out
        assert "labels" in printed
        assert "MCC" not in printed


class TestReading:
    """Files are read as `fit` reads them."""

    OPTIONS = ("--columns", "[label, title, text]", "--encoding", "cp1252", "--quotes", "false")

    @pytest.fixture
    def bare(self):
        Path("bare.csv").write_bytes('pos,"caf\xe9,superb film\nneg,caf\xe9,awful story\n'.encode("cp1252"))
        return "bare.csv"

    def test_evaluate_and_compare(self, bare, checkpoint, capsys):
        assert main(["evaluate", str(checkpoint), "--data", bare, *self.OPTIONS, "--out", "out"]) == 0
        assert "accuracy 1.0000" in capsys.readouterr().out
        shutil.copy(checkpoint, "other.ckpt")
        assert main(["compare", str(checkpoint), "other.ckpt", "--data", bare, *self.OPTIONS]) == 0
        assert main(["evaluate", str(checkpoint), "--data", bare, "--columns", "[a, b, c]"]) == 2
        assert "columns has to name 'text' once" in capsys.readouterr().err

    def test_classify(self, bare, checkpoint, capsys):
        arguments = ["classify", str(checkpoint), "--input", bare, *self.OPTIONS]
        assert main([*arguments, "--text_column", "[title, text]"]) == 0
        rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
        assert [(row[0], row[2]) for row in rows] == [("pos", '"café superb film'), ("neg", "café awful story")]


class TestCompare:
    def test_side_by_side(self, checkpoint, easy_reviews, capsys):
        classifier = TextClassifier.load(checkpoint)
        export_keras(classifier, "m.keras")
        Path("index.json").write_text(json.dumps({w: n for n, w in enumerate(classifier.pipeline.vocabulary.words, 1)}))
        imported = ["import-keras", "m.keras", "--out", "same.ckpt", "--word-index", "index.json"]
        assert main([*imported, "--labels", "neg", "pos"]) == 0
        data = ["--data", str(easy_reviews), "--out", "both.json"]
        assert main(["compare", str(checkpoint), "same.ckpt", *data]) == 0
        assert "McNemar's exact test: p = 1" in capsys.readouterr().out.replace("\n", " ")
        both = json.loads(Path("both.json").read_text())
        one, other = both["metrics"].values()
        assert one == other
        assert both["tests"][0]["only_first"] == 0


class TestClassify:
    @pytest.mark.parametrize("ending", ["csv", "jsonl"])
    def test_file_to_file(self, ending, checkpoint, table):
        assert main(["classify", str(checkpoint), "--input", table, "--out", f"out.{ending}"]) == 0
        if ending == "csv":
            with Path("out.csv").open(newline="") as file:
                rows = list(csv.DictReader(file))
        else:
            rows = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
        assert [row["predicted"] for row in rows] == ["pos", "neg", "neg", "pos"]
        assert [str(row["row"]) for row in rows] == ["1", "2", "3", "4"]
        assert all(float(row["probability"]) == float(row[f"p({row['predicted']})"]) for row in rows)

    def test_json_lines_and_standard_input_agree(self, checkpoint, monkeypatch, capsys):
        texts = ["superb film", "dull story"]
        Path("in.jsonl").write_text("".join(json.dumps({"body": text}) + "\n" for text in texts))
        assert main(["classify", str(checkpoint), "--input", "in.jsonl", "--text-column", "body"]) == 0
        from_file = capsys.readouterr().out
        monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(texts)))
        assert main(["classify", str(checkpoint)]) == 0
        assert capsys.readouterr().out == from_file


def fails(arguments, capsys, message):
    """Exit status 2, one line on standard error, nothing half-written."""
    before = set(Path().rglob("*"))
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("seqclass: error: ")
    assert message in printed
    assert printed.count("\n") == 1
    assert set(Path().rglob("*")) == before


COMMANDS = {
    "evaluate": ["evaluate", "CKPT", "--data", "DATA", "--out", "out"],
    "compare": ["compare", "CKPT", "other.ckpt", "--data", "DATA"],
    "classify": ["classify", "CKPT", "a film"],
    "export-keras": ["export-keras", "CKPT", "--out", "m.keras"],
    "onnx": ["export", "CKPT", "--format", "onnx", "--out", "m.onnx"],
    "torch-export": ["export", "CKPT", "--format", "torch-export", "--out", "m.pt2"],
}


class TestFailures:
    @pytest.mark.parametrize("command", COMMANDS)
    @pytest.mark.parametrize(
        ("kind", "message"),
        [
            ("missing", "there is no checkpoint at"),
            ("truncated", "is not a checkpoint, or only a part of one"),
            ("other program", "is not a checkpoint of a seqclass model"),
            ("other version", "does not describe a classifier: "),
            ("other pipeline", "does not describe a classifier: "),
        ],
    )
    def test_checkpoint(self, command, kind, message, checkpoint, table, capsys):
        path = Path("given.ckpt")
        content = torch.load(checkpoint, weights_only=True)
        if kind == "truncated":
            path.write_bytes(Path(checkpoint).read_bytes()[:3000])
        elif kind == "other program":
            torch.save({"state_dict": content["state_dict"]}, path)
        elif kind == "other version":
            content["seqclass"]["options"]["future_option"] = 1
            torch.save(content, path)
        elif kind == "other pipeline":
            content["seqclass"]["pipeline"]["version"] = 99
            torch.save(content, path)
        names = {"CKPT": str(path), "DATA": table}
        fails([names.get(word, word) for word in COMMANDS[command]], capsys, message)

    @pytest.mark.parametrize(
        "command",
        ["evaluate", "export-keras", "onnx", pytest.param("torch-export", marks=needs_exported_loops), "classify"],
    )
    @pytest.mark.filterwarnings("ignore")  # those of torch.export are its own
    def test_full_disk(self, command, checkpoint, table, capsys):
        names = {"CKPT": str(checkpoint), "DATA": table}
        arguments = [names.get(word, word) for word in COMMANDS[command]]
        if command == "classify":
            arguments += ["--out", "out.csv"]
        with nearly_full_disk(50):
            fails(arguments, capsys, "cannot write")

    def test_full_disk_on_import(self, checkpoint, capsys):
        assert main(["export-keras", str(checkpoint), "--out", "m.keras"]) == 0
        capsys.readouterr()
        with nearly_full_disk(1000):
            fails(["import-keras", "m.keras", "--out", "m.ckpt"], capsys, "cannot write m.ckpt: ")

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["import-keras", "none.h5", "--out", "m.ckpt"], "there is no file none.h5"),
            (["import-keras", "texts.csv", "--out", "m.ckpt"], "texts.csv is neither HDF5 nor a .keras archive"),
            (["import-keras", "texts.csv"], "required"),
            (["import-keras", "texts.csv", "--out", "m.ckpt", "--stack", "gru"], "gru"),
            (["evaluate", "CKPT", "--data", "none.csv"], "there are no texts at none.csv"),
            (["evaluate", "CKPT", "--data", "texts.csv", "--label_column", "class"], "there is no column 'class'"),
            (["evaluate", "CKPT", "--data", "labels.csv"], "the label 'good' is none of the checkpoint's"),
            (["evaluate", "CKPT", "--unknown", "1"], "unknown"),
            (["classify", "CKPT", "a film", "--batch_size", "0"], "batch_size"),
            (["compare", "CKPT"], "needs two checkpoints or more"),
            (["classify", "CKPT", "--input", "texts.csv", "--text_column", "body"], "there is no column 'body'"),
            (["classify", "CKPT", "a film", "--input", "texts.csv"], "not from both"),
            (["classify", "CKPT", "a film", "--out", "m.xml"], "its name has to end in .csv, .jsonl, .parquet"),
            (["export", "CKPT", "--format", "pickle", "--out", "m"], "pickle"),
            (["export-keras", "CKPT", "--out", "m.pb"], "ends in .keras or .weights.h5"),
            (["export-keras", "CKPT", "--out", "texts.csv/m.keras"], "cannot write texts.csv/m.keras"),
        ],
    )
    def test_input(self, arguments, message, checkpoint, table, capsys):
        Path("labels.csv").write_text("text,label\na film,good\n")
        fails([str(checkpoint) if word == "CKPT" else word for word in arguments], capsys, message)

    @pytest.mark.parametrize(
        ("arguments", "target"),
        [
            (["classify", "CKPT", "--input", "texts.csv", "--out", "texts.csv"], "texts.csv"),
            (["classify", "CKPT", "--input", "te*.csv", "--out", "link.csv"], "link.csv"),
            (["classify", "CKPT", "a film", "--out", "ckpt.csv"], "ckpt.csv"),
            (["evaluate", "CKPT", "--data", "out/predictions.csv", "--out", "out"], "out/predictions.csv"),
            (["compare", "CKPT", "other.ckpt", "--data", "texts.csv", "--out", "texts.csv"], "texts.csv"),
            (["compare", "CKPT", "other.ckpt", "--data", "texts.csv", "--out", "other.ckpt"], "other.ckpt"),
            (["export", "CKPT", "--format", "onnx", "--out", "CKPT"], ""),
            (["export", "CKPT", "--format", "torch-export", "--out", "CKPT"], ""),
            (["export", "CKPT", "--format", "safetensors", "--out", "CKPT"], ""),
            (["export-keras", "CKPT", "--out", "CKPT"], ""),
            (["pretrain", "--data.train", "[texts.csv, link.csv]", "--out", "link.csv"], "link.csv"),
            (["import-keras", "texts.csv", "--out", "link.csv"], "link.csv"),
            (["import-keras", "m.h5", "--out", "texts.csv", "--word_index", "texts.csv"], "texts.csv"),
        ],
    )
    def test_a_source_as_the_target(self, arguments, target, checkpoint, table, capsys):
        shutil.copy(checkpoint, "other.ckpt")
        Path("out").mkdir()
        shutil.copy(table, "out/predictions.csv")
        Path("link.csv").symlink_to(table)
        Path("ckpt.csv").hardlink_to(shutil.copy(checkpoint, "copy.ckpt"))
        checkpoint = "copy.ckpt"
        contents = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        arguments = [checkpoint if word == "CKPT" else word for word in arguments]
        fails(arguments, capsys, f"cannot write {target or checkpoint}: it is read, as ")
        assert {path: path.read_bytes() for path in contents} == contents

    @pytest.mark.parametrize(
        ("command", "package", "extra"),
        [("evaluate", "sklearn", "evaluate"), ("compare", "scipy", "evaluate"), ("onnx", "onnx", "onnx")],
    )
    def test_missing_extra(self, command, package, extra, checkpoint, table, monkeypatch, capsys):
        without(package, monkeypatch)
        names = {"CKPT": str(checkpoint), "DATA": table}
        arguments = [names.get(word, word) for word in COMMANDS[command]]
        fails(arguments, capsys, f"needs {package}, which is not installed: pip install 'seqclass[{extra}]'")

    def test_classify_needs_no_extra(self, checkpoint, monkeypatch):
        for package in ("sklearn", "scipy", "jinja2", "onnx", "pyarrow"):
            without(package, monkeypatch)
        assert main(["classify", str(checkpoint), "a film", "--out", "out.csv"]) == 0


def without(package, monkeypatch):
    """Import what stands above the classifier anew, on a machine without the package."""
    ours = ("seqclass.interop.onnx", "seqclass.commands.", "seqclass.evaluation.")
    for name in list(sys.modules):
        if name.startswith((*ours, f"{package}.")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
