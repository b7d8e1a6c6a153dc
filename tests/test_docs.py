"""The documents: their commands and examples run, their tables are those of the code, their links lead somewhere.

A block of code that cannot be run everywhere has a comment in the line before it: one of `NEEDS`, or `<!-- not run: WHY
-->` where nothing helps.
"""

import ast
import csv
import inspect
import io
import json
import re
import shlex
import shutil
import sys
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import pytest
from support.sources import read
from support.torchtext import torchtext_loads
from support.versions import OLD_PYTORCH

from seqclass.classifier import TextClassifier
from seqclass.cli import main
from seqclass.data import EncodedDataModule, IMDBDataModule, SampleSource, TextDataModule
from seqclass.interop import export_keras
from seqclass.models import NOTEBOOK_STACKS, PRESETS, StackOptions
from seqclass.optim import KerasAdam
from seqclass.training import new_classifier

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
MAKE_TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
EXTRAS = set(re.findall(r"^([a-z]+) = \[", (ROOT / "pyproject.toml").read_text(), re.MULTILINE))

# A block with one of these remarks in the line before it is run only where it can be.
NEEDS = {
    "needs torchtext": torchtext_loads(),
    "needs a PyTorch that exports loops": not OLD_PYTORCH,
}

_BLOCK = re.compile(
    r"^(?:<!-- (?P<remark>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL
)
_SHOWN_ONLY = ("csv", "json", "yaml", "text")


class Block(NamedTuple):
    remark: str
    language: str
    code: str
    line: int


def blocks(page):
    content = page.read_text()
    for match in _BLOCK.finditer(content):
        line = content.count("\n", 0, match.start("code"))
        yield Block(match["remark"] or "", match["language"], match["code"], line)


def by_name(page):
    return str(page.relative_to(ROOT))


@pytest.fixture
def scratch(tmp_path, monkeypatch, checkpoint, easy_reviews):
    """A folder with the files that the documents speak of."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SEQCLASS_IMDB", str(easy_reviews))
    shutil.copytree(ROOT / "configs", "configs")
    train = read(SampleSource())["train"]
    labelled = [(text, ("negative", "positive")[label]) for text, label in zip(train.texts, train.labels, strict=True)]
    for name in ("reviews.csv", "held_out.csv", "texts.csv"):
        with Path(name).open("w", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *labelled[:80]])
    Path("reviews.txt").write_text("".join(text.replace("\n", " ") + "\n" for text, _ in labelled[:5]))
    with Path("tickets.jsonl").open("w") as file:
        for text, label in labelled[:60]:
            file.write(json.dumps({"subject": text[:10], "body": text, "team": label}) + "\n")
    for number, (text, label) in enumerate(labelled[:60]):
        path = Path("corpus", "train" if number < 40 else "test", label, f"{number}.txt")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for name in ("model.ckpt", "other.ckpt"):
        shutil.copyfile(checkpoint, name)
    classifier = TextClassifier.load(checkpoint)
    export_keras(classifier, "imdb.h5", keras=1)
    index = {word: rank for rank, word in enumerate(classifier.pipeline.vocabulary.words, 1)}
    Path("imdb_word_index.json").write_text(json.dumps(index))


@pytest.mark.filterwarnings("ignore::UserWarning:lightning", "ignore:`isinstance.treespec")
@pytest.mark.parametrize("page", PAGES, ids=by_name)
@pytest.mark.usefixtures("scratch")
def test_commands_and_examples_run(page, monkeypatch):
    for block in blocks(page):
        if block.remark.startswith("not run: ") or not NEEDS.get(block.remark, True):
            continue
        if block.language == "python":
            code = compile("\n" * block.line + block.code, page, "exec")
            exec(code, {"__name__": "__main__"})
        elif block.language == "":
            for command in commands(block.code):
                run(command, monkeypatch)
        else:
            assert block.language in _SHOWN_ONLY


def commands(code):
    """The lines of a block; of one with prompts, those behind a prompt."""
    lines = code.splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    return [shlex.split(line, comments=True) for line in prompted or lines]


def run(command, monkeypatch):
    match command:
        case []:
            pass
        case ["seqclass", *arguments]:
            if "<" in arguments:
                at = arguments.index("<")
                monkeypatch.setattr(sys, "stdin", io.StringIO(Path(arguments[at + 1]).read_text()))
                arguments = arguments[:at]
            assert main(arguments) == 0, command
        case ["make", target]:
            assert target in MAKE_TARGETS
        case ["pip", "install", *what]:
            extras = {extra for group in re.findall(r"\[(.*?)\]", " ".join(what)) for extra in group.split(",")}
            assert extras <= EXTRAS
        case [".venv/bin/python", "-m", "pytest", *arguments]:
            assert all((ROOT / path).exists() for path in arguments if path.startswith("tests"))
        case ["head" | ".venv/bin/pre-commit", *_]:
            pass
        case _:
            pytest.fail(f"a command that no test knows: {shlex.join(command)}")


OPTION_TABLES = (new_classifier, KerasAdam, EncodedDataModule, IMDBDataModule, TextDataModule)


def option_tables():
    """The rows (option, default) of each table of options."""
    content = (ROOT / "docs" / "options.md").read_text()
    tables = re.findall(r"^\| option .*\n\|[-|]+\n((?:\|.*\n)+)", content, re.MULTILINE)
    for table in tables:
        rows = [[cell.strip() for cell in row.split("|")] for row in table.splitlines()]
        yield {option.strip("`"): default for _, option, default, *_ in rows}


@pytest.mark.parametrize("number", range(len(OPTION_TABLES)), ids=lambda number: OPTION_TABLES[number].__name__)
def test_every_option_is_explained_with_its_default(number):
    owner, table = OPTION_TABLES[number], list(option_tables())[number]
    options = named_options(owner)
    if owner in (IMDBDataModule, TextDataModule):
        options = {name: default for name, default in options.items() if name not in named_options(EncodedDataModule)}
    options.pop("params", None)  # of an optimizer
    assert sorted(table) == sorted(options)
    own_texts = named_options(TextDataModule) if owner is EncodedDataModule else {}
    for name, default in options.items():
        written = re.fullmatch(r"`(.*?)`(?: \[`(.*)`\])?", table[name])
        if written is None:
            assert default is inspect.Parameter.empty or name == "filters", name
            continue
        assert ast.literal_eval(written[1]) == default, name
        if name in own_texts:
            assert ast.literal_eval(written[2]) == own_texts[name], name


def named_options(owner):
    parameters = inspect.signature(owner if inspect.isfunction(owner) else owner.__init__).parameters.values()
    found = {
        parameter.name: parameter.default
        for parameter in parameters
        if parameter.name not in ("self", "data", "trained") and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    return {**found, **stack_options()} if owner is new_classifier else found


def stack_options():
    """The options with the value that the notebook's four stacks begin with; None where they differ or lack it."""
    values = [PRESETS[name].values for name in NOTEBOOK_STACKS]
    sizes = ("num_embeddings", "num_classes", "multi_label")  # from the data
    alike = {
        field.name: values[0].get(field.name)
        if field.name not in sizes and all(other.get(field.name) == values[0].get(field.name) for other in values)
        else None
        for field in fields(StackOptions)
    }
    return {**alike, "stack": StackOptions.stack}


@pytest.mark.parametrize("page", [*PAGES, ROOT / "benchmarks" / "README.md"], ids=by_name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_what_the_architecture_names_is_there():
    content = (ROOT / "docs" / "architecture.md").read_text()
    table = content.partition("## Where it is computed")[2].partition("\n## ")[0]
    rows = [row.split("|") for row in table.splitlines() if row.startswith("|")][2:]
    assert len(rows) > 10
    for _, _, computed, tested, _ in rows:
        for cell, folder in ((computed, ROOT / "src" / "seqclass"), (tested, ROOT / "tests")):
            paths = [word for word in re.findall(r"`([\w/.]+)`", cell) if "/" in word or word.endswith(".py")]
            assert all((folder / path).exists() for path in paths), paths
    named = [path for path in re.findall(r"`([\w/.]+/[\w.]+\.(?:py|yaml))`", content) if "NAME" not in path]
    assert len(named) > 50
    places = [ROOT, ROOT / "src" / "seqclass", ROOT / "src" / "seqclass" / "nn" / "kernels", ROOT / "tests"]
    assert [path for path in named if not any((place / path).exists() for place in places)] == []
