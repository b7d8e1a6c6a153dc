"""The tables of each section of the report, in Markdown, for one machine at a time."""

from __future__ import annotations

import math
from itertools import product
from statistics import fmean
from typing import Any

from benchmarks import implementations
from benchmarks.implementations import AS_KERAS3
from benchmarks.markdown import (
    ABSENT,
    accuracy_cell,
    difference,
    failures,
    fastest_keras,
    memory_cell,
    milliseconds_cell,
    missing,
    names_of,
    percent,
    seconds_cell,
    short,
    spread,
    stack_cell,
    stacks_of,
    table,
    wide_table,
)
from benchmarks.results import MergedRow
from benchmarks.statistics import time_to_target
from benchmarks.step import BASELINE, SWEEP_SETTINGS, SWEEPS
from seqclass.training.notebook_results import NOTEBOOK_RESULTS


def step(rows: list[MergedRow]) -> str:
    """Training and evaluation steps and memory, for the notebook's sizes."""
    return "".join(
        [
            wide_table(
                "Training step, ms: mean of the turns' medians (quartiles)",
                rows,
                milliseconds_cell("train"),
                fastest_keras("train"),
            ),
            wide_table(
                "Evaluation step, ms: mean of the turns' medians (quartiles)",
                rows,
                milliseconds_cell("eval"),
                fastest_keras("eval"),
            ),
            wide_table("Peak memory of training and evaluation, MiB", rows, memory_cell),
            failures(rows),
        ]
    )


def sweep(rows: list[MergedRow]) -> str:
    """Training steps over one setting each, a table for each stack."""
    texts = []
    for name, (setting, _) in SWEEPS.items():
        swept = [merged for merged in rows if merged.row["settings"].get("sweep") == name]
        for stack in stacks_of(swept):
            chosen = [merged for merged in swept if merged.row["stack"] == stack]
            values = sorted({merged.row["settings"][setting] for merged in chosen})
            cells = {(m.row["implementation"], m.row["settings"][setting]): m.row for m in chosen}
            lines = [
                [implementation, *(milliseconds_cell("train")(cells.get((implementation, value))) for value in values)]
                for implementation in names_of(chosen)
            ]
            fixed = "".join(f", {_words(other)} {size}" for other, size in SWEEP_SETTINGS.get(name, {}).items())
            title = f"`{stack}`: training step over {_words(setting)}{fixed}, ms"
            texts.append(table(title, [setting, *map(str, values)], lines))
        texts.append(failures(swept))
    return "".join(texts)


def _words(setting: str) -> str:
    return setting.replace("_", " ")


def epoch(rows: list[MergedRow]) -> str:
    """Seconds and accuracy of an epoch, beside the notebook's."""
    printed = {stack: f"{figures.seconds:.0f}" for stack, figures in NOTEBOOK_RESULTS.items()}
    accuracies = {stack: percent(figures.val_accuracy) for stack, figures in NOTEBOOK_RESULTS.items()}
    return "".join(
        [
            wide_table("Seconds for an epoch with its validation", rows, seconds_cell, ("notebook, 2016", printed)),
            wide_table("Accuracy after it, %", rows, accuracy_cell, ("notebook, 2016", accuracies)),
            failures(rows),
        ]
    )


def accuracy(rows: list[MergedRow]) -> str:
    """Accuracy over seeds after each epoch, and how far seqclass is from Keras."""
    stacks = stacks_of(rows)
    last = max((len(run["epochs"]) for m in rows for run in m.row["samples"]["runs"]), default=0)
    lines = []
    for epoch in range(1, last + 1):
        finals = {
            (name, stack): val_accuracies(rows, name, stack, epoch) for name in names_of(rows) for stack in stacks
        }
        present = [name for name in names_of(rows) if any(finals[name, stack] for stack in stacks)]
        lines += [[f"{name}, epoch {epoch}", *(spread(finals[name, stack]) for stack in stacks)] for name in present]
        for ours, theirs in product(present, present):
            if ours in (BASELINE, AS_KERAS3) and theirs.startswith("keras"):
                differences = (difference(finals[ours, stack], finals[theirs, stack]) for stack in stacks)
                lines.append([f"{ours} − {theirs}, epoch {epoch}", *differences])
    best = {stack: percent(figures.val_accuracy) for stack, figures in NOTEBOOK_RESULTS.items()}
    lines.append(["notebook, 2016, epoch 1", *(best.get(stack, ABSENT) for stack in stacks)])
    title = "Accuracy on the test reviews, %: mean ± standard deviation, best (seeds); differences with 95% intervals"
    return table(title, ["", *(f"`{stack}`" for stack in stacks)], lines) + failures(rows)


def beside_notebook(rows: list[MergedRow]) -> str:
    """The first epoch's figures of seqclass, over the seeds, beside what the notebook printed."""
    lines = []
    for stack in stacks_of(rows):
        firsts = epochs_of_seeds(rows, BASELINE, stack, 1)
        cells = [_range([first[name] for first in firsts], digits) for name, digits in _FIGURES.items()]
        lines.append([f"`{stack}`, {len(firsts)} seeds", *cells])
        printed = NOTEBOOK_RESULTS.get(stack)
        cells = [f"{getattr(printed, name):.{digits}f}" if printed else ABSENT for name, digits in _FIGURES.items()]
        lines.append(["the notebook" if printed else "the notebook: not run", *cells])
    title = "One epoch on the 25,000 training reviews, validated on the 25,000 test reviews: mean (lowest–highest)"
    return table(title, ["", "seconds", "loss", "acc", "val_loss", "val_acc"], lines)


def headline(rows: list[MergedRow]) -> str:
    """Seconds and accuracy of the notebook's stacks, its own beside ours; and of what is better on the same reviews."""
    lines = []
    for stack in stacks_of([merged for merged in rows if "data" not in merged.row["settings"]]):
        firsts = epochs_of_seeds(rows, BASELINE, stack, 1)
        printed = NOTEBOOK_RESULTS.get(stack)
        theirs = [f"{printed.seconds:.0f}", percent(printed.val_accuracy)] if printed else [ABSENT, ABSENT]
        ours = [
            f"{fmean(first['seconds'] for first in firsts):.0f}",
            _percent_range([f["val_accuracy"] for f in firsts]),
        ]
        lines.append([f"`{stack}`, one epoch", *theirs, *ours])
    for merged in rows:
        if (runs := merged.row["samples"]["runs"]) and "data" in merged.row["settings"]:
            ours = [short(fmean(run["seconds"] for run in runs)), _percent_range([run["acc"] for run in runs])]
            lines.append([f"{merged.row['implementation']}, from start to end", ABSENT, ABSENT, *ours])
    header = ["", "notebook, 2016: s", "accuracy, %", "here: s", "accuracy, %"]
    return table("The IMDB reviews: seconds, and accuracy on the 25,000 test reviews", header, lines)


_FIGURES = {"seconds": 0, "loss": 4, "accuracy": 4, "val_loss": 4, "val_accuracy": 4}
"""What Keras prints behind an epoch, and to how many digits."""


def _range(values: list[float], digits: int) -> str:
    return f"{fmean(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def target(rows: list[MergedRow]) -> str:
    """Times to the target, the fastest first."""
    lines = []
    for merged in rows:
        row = merged.row
        if row["status"] == "failed":
            continue
        seconds = f"{row['seconds']:.1f}" if row["seconds"] is not None else "not reached"
        times = (time_to_target(curve, row["settings"]["target"]) for curve in row["samples"]["curves"])
        each = ", ".join(f"{time:.1f}" if math.isfinite(time) else "∞" for time in times)
        reached = f"{row['reached']} of {row['seeds']}"
        lines.append((row["seconds"] or math.inf, [row["implementation"], stack_cell(row), seconds, reached, each]))
    goal = percent(rows[0].row["settings"]["target"])
    header = ["", "stack", "median, s", "seeds that reach it", "each seed, s"]
    title = f"Time to {goal}% on the test reviews, from a cold start"
    return table(title, header, [line for _, line in sorted(lines)]) + failures(rows)


def texts(rows: list[MergedRow]) -> str:
    """Accuracy and seconds of recipes and text classifiers, a column for each data set."""
    runs = {(m.row["implementation"], m.row["settings"]["data"]): m.row["samples"]["runs"] for m in rows}
    sets = list(dict.fromkeys(m.row["settings"]["data"] for m in rows))
    lines = []
    for name in names_of(rows):
        found = [runs.get((name, each), []) for each in sets]
        for figure, title in _OF_A_RUN.items():
            values = [[run[figure] for run in each if figure in run] for each in found]
            if any(values):
                mean = percent(fmean(map(fmean, values))) if all(values) else ABSENT
                lines.append([f"{name}{title}", *map(_percent_range, values), mean])
        seconds = (short(fmean(run["seconds"] for run in each)) if each else ABSENT for each in found)
        lines.append([f"{name}: seconds", *seconds, ABSENT])
    title = (
        "Accuracy on the test texts, %: mean (lowest–highest) of the seeds; seconds from the start to the predictions"
    )
    return table(title, ["", *sets, "mean"], lines) + failures(rows)


def frontier(rows: list[MergedRow]) -> str:
    """What everybody reaches, and in which time, the best first."""
    lines = []
    for merged in rows:
        if merged.row["status"] == "failed":
            continue
        runs = merged.row["samples"]["runs"]
        figures = ([run[figure] for run in runs if figure in run] for figure in _OF_A_RUN)
        cells = [short(merged.row["seconds"]), *map(_percent_range, figures)]
        lines.append(
            (-fmean(run["acc"] for run in runs), [merged.row["implementation"], stack_cell(merged.row), *cells])
        )
    header = [
        "",
        "stack",
        "median, s",
        "accuracy",
        *(title.removeprefix(": ") for title in list(_OF_A_RUN.values())[1:]),
    ]
    title = "Accuracy on the test reviews, %, at the end of the training, and seconds from a cold start to it"
    return table(title, header, [line for _, line in sorted(lines)]) + failures(rows)


_OF_A_RUN = {"acc": "", "acc_recurrent": ": recurrent part alone", "acc_ngrams": ": n-grams alone"}
"""The figures of a run, and what is put behind the name of a recipe."""


def _percent_range(values: list[float]) -> str:
    if not values:
        return ABSENT
    alone = min(values) == max(values)
    return percent(fmean(values)) + ("" if alone else f" ({percent(min(values))}–{percent(max(values))})")


def scale(rows: list[MergedRow]) -> str:
    """Rows a second and memory of files of many rows."""
    lines = []
    for merged in rows:
        row, settings = merged.row, merged.row["settings"]
        if row["status"] == "failed":
            continue
        steps = (settings["steps"] - 1) * settings["batch_size"]
        title = f"{settings['rows']:,} rows, {row['file_mib']:,.0f} MiB of {settings['form'].upper()}"
        for name, done in (("inspect", settings["rows"]), ("encode", settings["rows"]), ("open", 0), ("train", steps)):
            cost = row[name]
            # `open` is the start that `encode` and `train` have too.
            start = row["open"] if name in ("encode", "train") else {"seconds": 0, "cpu_seconds": 0}
            took = [cost[clock] - start[clock] for clock in ("seconds", "cpu_seconds")]
            rates = [f"{done / seconds:,.0f}" if done and seconds > 0 else ABSENT for seconds in took]
            memory = [f"{cost[kind]:,.0f}" for kind in ("private_mib", "peak_mib")]
            lines.append([f"{title}: {name}", f"{cost['seconds']:.0f}", *rates, *memory])
    rates = ["rows a second", "rows a CPU second"]
    header = ["", "seconds", *rates, "memory of its own, MiB", "with mapped files, MiB"]
    return (table("Files of many rows", header, lines) if lines else "") + failures(rows)


def serve(rows: list[MergedRow]) -> str:
    """Texts a second and times of requests, by the number of clients."""
    lines = []
    for merged in sorted(rows, key=lambda merged: (merged.row["stack"], merged.row["settings"]["clients"])):
        row, settings = merged.row, merged.row["settings"]
        if row["status"] == "failed":
            continue
        several = "".join(f", {settings[name]} {name}" for name in ("texts", "workers") if settings[name] > 1)
        clients = "1 client" if settings["clients"] == 1 else f"{settings['clients']} clients"
        cells = [f"{row['texts_per_second']:,.0f}", short(row["p50_ms"]), short(row["p99_ms"])]
        lines.append([f"{stack_cell(row)}, {clients}{several}", *cells])
    header = ["", "texts a second", "a request, median, ms", "99% are faster than, ms"]
    return (table("`seqclass serve` on the loopback", header, lines) if lines else "") + failures(rows)


def use(rows: list[MergedRow]) -> str:
    """Seconds of what users do, and of what classifying a file is made."""
    tasks = list(dict.fromkeys(_task(merged.row) for merged in rows))
    users = list(dict.fromkeys(_user(merged.row) for merged in rows))
    cells = {(_user(merged.row), _task(merged.row)): merged.row for merged in rows}
    lines = [[user, *(_seconds_and_quartiles(cells.get((user, task))) for task in tasks)] for user in users]
    text = table("From the start of a process to its end, s: median (quartiles)", ["", *tasks], lines)
    shared = [merged.row for merged in rows if merged.row["status"] == "ok" and merged.row.get("shares")]
    if shared:
        parts = list(shared[0]["shares"])
        lines = [[_user(row), *(f"{row['shares'][part]:.2f}" for part in parts)] for row in shared]
        text += table("Of that, classifying the file, s", ["", *parts], lines)
    return text + failures(rows)


def _task(row: dict[str, Any]) -> str:
    return f"{row['settings']['task']}, {row['settings']['texts']:,}"


def _user(row: dict[str, Any]) -> str:
    name = row["implementation"]
    return name if row["stack"] == implementations.NO_STACK else f"{name}, {stack_cell(row)}"


def _seconds_and_quartiles(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "failed":
        return missing(row)
    low, high = row["quartiles"]
    return f"{short(row['seconds'])} ({short(low)}–{short(high)})"


def val_accuracies(rows: list[MergedRow], name: str, stack: str, epoch: int) -> list[float]:
    """The accuracy of each seed of an implementation after an epoch, counted from 1."""
    return [figures["val_accuracy"] for figures in epochs_of_seeds(rows, name, stack, epoch)]


def epochs_of_seeds(rows: list[MergedRow], name: str, stack: str, epoch: int) -> list[dict[str, float]]:
    """The figures of an implementation after an epoch, one for each seed that came that far."""
    return [
        run["epochs"][epoch - 1]
        for merged in rows
        if (merged.row["implementation"], merged.row["stack"]) == (name, stack)
        for run in merged.row["samples"]["runs"]
        if len(run["epochs"]) >= epoch
    ]
