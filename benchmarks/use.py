"""``use``: how long a user waits for one text, a file of 25,000 reviews, a fit on 5,000 short texts, and encoding.

Each is measured from the start of a process to its end, with everything it imports and reads:

- ``one text``: a saved model classifies a text.
- ``file``: a saved model classifies 25,000 reviews of a CSV file, and writes their labels to another. Ours is the
  stack with the notebook's sizes, untrained: training does not change how long it takes. A peer's was fitted on 5,000
  reviews. A row of seqclass has the shares of reading, tokenizing, encoding and the network, from a run of its own.
- ``fit``: training on 5,000 short texts, the first 20 words of reviews, to a saved model; ours by
  ``configs/text.yaml``.
- ``encode``: 100,000 reviews from a CSV file to the numbers that training reads; what importing and a single step take
  beside that is measured apart, and taken off.

Without the real reviews made-up ones stand in, whose words are shorter and have no punctuation.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data, environment, implementations
from benchmarks.options import Common, say
from benchmarks.protocol import WorkerError
from benchmarks.results import Result
from benchmarks.scale import run_command
from benchmarks.settings import Settings
from benchmarks.statistics import quartiles
from benchmarks.timer import interleave

TASKS = {"one text": 1, "file": 25_000, "fit": 5_000, "encode": 100_000}
"""And the number of texts of each."""
QUICK_DIVISOR = 25
LAUNCHES = 3
SHORT_WORDS = 20
"""Of a short text."""
PEERS = ("tfidf", "fasttext")
LABELS = ("neg", "pos")
VERSIONS = ("seqclass", "torch", "lightning", "numpy")
TIMEOUT = 1800.0
RECIPE = environment.ROOT / "configs" / "text.yaml"

Rows = list[tuple[str, str]]
"""Texts with their labels."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.set_defaults(default_stacks=("lstm",))
    parser.add_argument("--task", action="append", choices=TASKS, help="may be repeated (default all)")
    parser.add_argument("--launches", type=int, help=f"how often each is measured (default {LAUNCHES}, quick 1)")
    parser.add_argument("--divisor", type=int, help=f"measure a part of the texts (default 1, quick {QUICK_DIVISOR})")
    parser.add_argument("--synthetic", action="store_true", help="made-up reviews, even if the real ones are there")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Measure, and return the result."""
    source = data.source(arguments.synthetic)
    result = common.result("use", {"source": source})
    divisor = arguments.divisor or (QUICK_DIVISOR if common.quick else 1)
    launches = arguments.launches or (1 if common.quick else LAUNCHES)
    names = common.implementations or ("seqclass", *PEERS)
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        say(f"use: writing the texts, {source}")
        files = Files(folder, reviews(source, common.seed), divisor)
        for task in arguments.task or TASKS:
            waits = [
                wait
                for each in names
                for stack in (common.stacks if each == "seqclass" and task != "fit" else (implementations.NO_STACK,))
                if (wait := _wait(each, stack, task, files, common)) is not None
            ]
            _measure(result, task, waits, launches, files.count(task))
    return result


def reviews(source: str, seed: int) -> Rows:
    """The test reviews with their labels, in an order that mixes the classes, or made-up ones."""
    if source == "imdb":
        from benchmarks import imdb

        rows = imdb.texts()["test"]
    else:
        ids, labels = data.synthetic_reviews(data.REVIEWS, length=500, num_words=20_000, seed=seed)
        rows = [
            (" ".join(f"w{word}" for word in row[row > 0]), LABELS[int(label)])
            for row, label in zip(ids, labels, strict=True)
        ]
    return [rows[index] for index in np.random.default_rng(seed).permutation(len(rows))]


class Files:
    """The files that the tasks read, written once.

    Args:
        folder: where.
        rows: the reviews; where a task needs more of them they come again.
        divisor: each task is measured on so much fewer texts.
    """

    def __init__(self, folder: Path, rows: Rows, divisor: int) -> None:
        self.folder, self._rows, self._divisor = folder, rows, divisor
        self.file = self._csv("reviews", self.count("file"))
        self.many = self._csv("many", self.count("encode"))
        self.short = self._csv("short", self.count("fit"), lambda text: " ".join(text.split()[:SHORT_WORDS]))
        self.long = self._csv("long", self.count("fit"))
        self.one = self._csv("one", 1)

    def count(self, task: str) -> int:
        """How many texts a task has."""
        return max(1, TASKS[task] // self._divisor)

    @property
    def texts(self) -> list[str]:
        return [text for text, _ in self._rows]

    def new(self, name: str) -> Path:
        """A path below the folder where nothing is."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name

    def _csv(self, name: str, count: int, shorten: Callable[[str], str] = str) -> Path:
        path = self.folder / f"{name}.csv"
        rows: Iterable[tuple[str, str]] = islice(cycle(self._rows), count)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("text", "label"), *((shorten(text), label) for text, label in rows)])
        return path


@dataclass
class Wait:
    """One implementation at one task; a call is a run, and answers with its seconds.

    Attributes:
        name: of the implementation.
        stack: that it runs, if any.
        turn: does the task, and returns what it took and what else a row says of it.
        row: what the row says, of the last run.
    """

    name: str
    stack: str
    turn: Callable[[], tuple[float, dict[str, Any]]]
    row: dict[str, Any] = field(default_factory=dict)

    def __call__(self, number: int) -> list[float]:
        seconds, self.row = self.turn()
        return [round(seconds, 3)]


def _measure(result: Result, task: str, waits: list[Wait], launches: int, count: int) -> None:
    say(f"use: {task}")
    contestants = {f"{wait.name} {wait.stack}": wait for wait in waits}
    for key, series in interleave(contestants, rounds=launches, warm_up=0).items():
        wait = contestants[key]
        seconds = series.samples
        found = quartiles(seconds) if seconds else None
        say(f"  {key}: {series.failure or f'{found and found.median:.2f} s'}")
        figures = {"seconds": found.median, "quartiles": [found.low, found.high]} if found else {}
        result.add_or_fail(
            series.failure,
            stack=wait.stack,
            implementation=wait.name,
            settings={"task": task, "texts": count},
            **(figures if series.failure is None else {}),
            **wait.row,
            samples={"seconds": seconds},
        )


def _wait(name: str, stack: str, task: str, files: Files, common: Common) -> Wait | None:
    """How an implementation does a task; None if it is not one of its."""
    if name == "seqclass":
        ours = _Ours(stack, files, common)
        return Wait(
            name, stack, {"one text": ours.one, "file": ours.file, "fit": ours.fit, "encode": ours.encode}[task]
        )
    if task == "encode" and name == "fasttext":
        return None  # it has no numbers of texts apart from its training
    peer = _Peer(name, files, common)
    return Wait(name, stack, {"one text": peer.one, "file": peer.file, "fit": peer.fit, "encode": peer.encode}[task])


@dataclass
class _Ours:
    stack: str
    files: Files
    common: Common

    def one(self) -> tuple[float, dict[str, Any]]:
        return self._command("classify", str(self._model()), next(iter(self.files.texts)))

    def file(self) -> tuple[float, dict[str, Any]]:
        model, out = self._model(), self.files.new("out.csv")
        seconds, row = self._command("classify", str(model), "--input", str(self.files.file), "--out", str(out))
        with self.common.start("seqclass:shares") as session:
            shares = session.call("shares", model=str(model), texts=str(self.files.file), timeout=TIMEOUT)
        return seconds, {**row, "shares": {part: round(value, 3) for part, value in shares.items()}}

    def fit(self) -> tuple[float, dict[str, Any]]:
        runs = self.files.new("runs")
        given = ["--config", str(RECIPE), "--data.train", str(self.files.short), "--runs_dir", str(runs)]
        return self._command("fit", *given, "--data.cache_dir", str(runs.parent))

    def encode(self) -> tuple[float, dict[str, Any]]:
        """A fit of one step with an empty cache, less the same again, which finds the encoded texts."""
        folder = self.files.new("runs")
        one_step = [
            *("fit", "--model.stack", self.stack, "--data", "seqclass.data.TextDataModule", "--trainer.max_steps", "1"),
            *("--data.train", str(self.files.many), "--data.num_words", "5000", "--data.maxlen", "500"),
            *("--data.cache_dir", str(folder.parent), "--runs_dir", str(folder)),
            *("--trainer.limit_val_batches", "1", "--trainer.accelerator", "cpu"),
        ]
        (whole, row), (rest, _) = self._command(*one_step), self._command(*one_step)
        return whole - rest, row

    def _command(self, *command: str) -> tuple[float, dict[str, Any]]:
        try:
            cost = run_command(command, self.files.folder, self.common.threads)
        except RuntimeError as error:
            raise WorkerError(str(error)) from None
        row = {"cpu_seconds": cost.cpu_seconds, "peak_mib": cost.peak_mib, "versions": environment.versions(VERSIONS)}
        return cost.seconds, row

    def _model(self) -> Path:
        path = self.files.folder / f"{self.stack}.ckpt"
        if not path.exists():
            untrained(self.stack, self.files.texts, path)
        return path


def untrained(stack: str, texts: Iterable[str], path: Path) -> Path:
    """Write the checkpoint of a model with the notebook's sizes, for the words of these texts."""
    from seqclass.classifier import TextClassifier
    from seqclass.models import StackOptions
    from seqclass.text import TextPipeline, Tokenizer, Vocabulary

    tokenizer, settings = Tokenizer(), Settings()
    counts = Counter(word for words in tokenizer.map(texts) for word in words)
    words = tuple(word for word, _ in counts.most_common())
    pipeline = TextPipeline(
        tokenizer=tokenizer,
        vocabulary=Vocabulary(words, num_words=settings.num_embeddings, unseen_words="oov"),
        maxlen=settings.length,
    )
    options = StackOptions(stack=stack, num_classes=2, **{**settings.sizes, "num_embeddings": pipeline.num_ids})
    TextClassifier(options, pipeline=pipeline, label_names=LABELS).save(path)
    return path


@dataclass
class _Peer:
    name: str
    files: Files
    common: Common

    def one(self) -> tuple[float, dict[str, Any]]:
        return self._classify(self.files.one)

    def file(self) -> tuple[float, dict[str, Any]]:
        return self._classify(self.files.file)

    def fit(self) -> tuple[float, dict[str, Any]]:
        return self._call("learn", texts=str(self.files.short), model=str(self.files.new("model")))

    def encode(self) -> tuple[float, dict[str, Any]]:
        return self._call("encode", texts=str(self.files.many))

    def _classify(self, texts: Path) -> tuple[float, dict[str, Any]]:
        model = self.files.folder / f"{self.name}.model"
        if not model.exists():
            self._call("learn", texts=str(self.files.long), model=str(model))
        return self._call("classify", model=str(model), texts=str(texts), out=str(self.files.new("out.txt")))

    def _call(self, method: str, **parameters: Any) -> tuple[float, dict[str, Any]]:
        """Start the worker, have it do one thing, and wait until it is gone."""
        began = time.perf_counter()
        with self.common.start(self.name) as session:
            settings = Settings()
            description = session.call(
                "build", **self.common.build_parameters(self.name, implementations.NO_STACK, settings)
            )
            session.call(method, timeout=TIMEOUT, **parameters)
            seconds = time.perf_counter() - began
            memory = session.call("memory")
        return seconds, {"peak_mib": round(memory["peak_mib"], 1), "versions": description["versions"]}
