"""The sections of the report: which rows each shows, and their tables in Markdown, for one machine at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from statistics import fmean, stdev
from typing import Any

from benchmarks import implementations, notebook
from benchmarks.data import REVIEWS
from benchmarks.implementations import AS_KERAS3
from benchmarks.results import MergedRow
from benchmarks.statistics import difference_interval, time_to_target
from benchmarks.step import BASELINE, SWEEPS
from seqclass.training.notebook_results import NOTEBOOK_RESULTS

ABSENT = "–"
"""The cell of something that was not measured, and is not failed either."""


def step(rows: list[MergedRow]) -> str:
    """Training and evaluation steps and memory, for the notebook's sizes."""
    return "".join(
        [
            _wide_table(
                "Training step, ms: mean of the turns' medians (quartiles)",
                rows,
                _milliseconds("train"),
                _fastest("train"),
            ),
            _wide_table(
                "Evaluation step, ms: mean of the turns' medians (quartiles)",
                rows,
                _milliseconds("eval"),
                _fastest("eval"),
            ),
            _wide_table("Peak memory of training and evaluation, MiB", rows, _memory),
            _failures(rows),
        ]
    )


def sweep(rows: list[MergedRow]) -> str:
    """Training steps over one setting each, a table for each stack."""
    texts = []
    for name, (setting, _) in SWEEPS.items():
        swept = [merged for merged in rows if merged.row["settings"].get("sweep") == name]
        for stack in _stacks(swept):
            chosen = [merged for merged in swept if merged.row["stack"] == stack]
            values = sorted({merged.row["settings"][setting] for merged in chosen})
            cells = {(m.row["implementation"], m.row["settings"][setting]): m.row for m in chosen}
            lines = [
                [implementation, *(_milliseconds("train")(cells.get((implementation, value))) for value in values)]
                for implementation in _names(chosen)
            ]
            title = f"`{stack}`: training step over {setting.replace('_', ' ')}, ms"
            texts.append(_table(title, [setting, *map(str, values)], lines))
        texts.append(_failures(swept))
    return "".join(texts)


def epoch(rows: list[MergedRow]) -> str:
    """Seconds and accuracy of an epoch, beside the notebook's."""
    printed = {stack: f"{figures.seconds:.0f}" for stack, figures in NOTEBOOK_RESULTS.items()}
    accuracies = {stack: _percent(figures.val_accuracy) for stack, figures in NOTEBOOK_RESULTS.items()}
    return "".join(
        [
            _wide_table("Seconds for an epoch with its validation", rows, _seconds, ("notebook, 2016", printed)),
            _wide_table("Accuracy after it, %", rows, _accuracy, ("notebook, 2016", accuracies)),
            _failures(rows),
        ]
    )


def accuracy(rows: list[MergedRow]) -> str:
    """Accuracy over seeds after each epoch, and how far seqclass is from Keras."""
    stacks = _stacks(rows)
    last = max((len(run["epochs"]) for m in rows for run in m.row["samples"]["runs"]), default=0)
    lines = []
    for epoch in range(1, last + 1):
        finals = {(name, stack): val_accuracies(rows, name, stack, epoch) for name in _names(rows) for stack in stacks}
        present = [name for name in _names(rows) if any(finals[name, stack] for stack in stacks)]
        lines += [[f"{name}, epoch {epoch}", *(_spread(finals[name, stack]) for stack in stacks)] for name in present]
        for ours, theirs in product(present, present):
            if ours in (BASELINE, AS_KERAS3) and theirs.startswith("keras"):
                differences = (_difference(finals[ours, stack], finals[theirs, stack]) for stack in stacks)
                lines.append([f"{ours} − {theirs}, epoch {epoch}", *differences])
    best = {stack: _percent(figures.val_accuracy) for stack, figures in NOTEBOOK_RESULTS.items()}
    lines.append(["notebook, 2016, epoch 1", *(best.get(stack, ABSENT) for stack in stacks)])
    title = "Accuracy on the test reviews, %: mean ± standard deviation, best (seeds); differences with 95% intervals"
    return _table(title, ["", *(f"`{stack}`" for stack in stacks)], lines) + _failures(rows)


def beside_notebook(rows: list[MergedRow]) -> str:
    """The first epoch's figures of seqclass, over the seeds, beside what the notebook printed."""
    lines = []
    for stack in _stacks(rows):
        firsts = epochs_of_seeds(rows, BASELINE, stack, 1)
        cells = [_range([first[name] for first in firsts], digits) for name, digits in _FIGURES.items()]
        lines.append([f"`{stack}`, {len(firsts)} seeds", *cells])
        printed = NOTEBOOK_RESULTS.get(stack)
        cells = [f"{getattr(printed, name):.{digits}f}" if printed else ABSENT for name, digits in _FIGURES.items()]
        lines.append(["the notebook" if printed else "the notebook: not run", *cells])
    title = "One epoch on the 25,000 training reviews, validated on the 25,000 test reviews: mean (lowest–highest)"
    return _table(title, ["", "seconds", "loss", "acc", "val_loss", "val_acc"], lines)


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
        lines.append((row["seconds"] or math.inf, [row["implementation"], _stack(row), seconds, reached, each]))
    goal = _percent(rows[0].row["settings"]["target"])
    header = ["", "stack", "median, s", "seeds that reach it", "each seed, s"]
    title = f"Time to {goal}% on the test reviews, from a cold start"
    return _table(title, header, [line for _, line in sorted(lines)]) + _failures(rows)


def texts(rows: list[MergedRow]) -> str:
    """Accuracy and seconds of recipes and text classifiers, a column for each data set."""
    runs = {(m.row["implementation"], m.row["settings"]["data"]): m.row["samples"]["runs"] for m in rows}
    sets = list(dict.fromkeys(m.row["settings"]["data"] for m in rows))
    lines = []
    for name in _names(rows):
        found = [runs.get((name, each), []) for each in sets]
        for figure, title in _OF_A_RUN.items():
            values = [[run[figure] for run in each if figure in run] for each in found]
            if any(values):
                mean = _percent(fmean(map(fmean, values))) if all(values) else ABSENT
                lines.append([f"{name}{title}", *map(_percent_range, values), mean])
        seconds = (_short(fmean(run["seconds"] for run in each)) if each else ABSENT for each in found)
        lines.append([f"{name}: seconds", *seconds, ABSENT])
    title = (
        "Accuracy on the test texts, %: mean (lowest–highest) of the seeds; seconds from the start to the predictions"
    )
    return _table(title, ["", *sets, "mean"], lines) + _failures(rows)


def frontier(rows: list[MergedRow]) -> str:
    """What everybody reaches, and in which time, the best first."""
    lines = []
    for merged in rows:
        if merged.row["status"] == "failed":
            continue
        runs = merged.row["samples"]["runs"]
        figures = ([run[figure] for run in runs if figure in run] for figure in _OF_A_RUN)
        cells = [_short(merged.row["seconds"]), *map(_percent_range, figures)]
        lines.append((-fmean(run["acc"] for run in runs), [merged.row["implementation"], _stack(merged.row), *cells]))
    header = [
        "",
        "stack",
        "median, s",
        "accuracy",
        *(title.removeprefix(": ") for title in list(_OF_A_RUN.values())[1:]),
    ]
    title = "Accuracy on the test reviews, %, at the end of the training, and seconds from a cold start to it"
    return _table(title, header, [line for _, line in sorted(lines)]) + _failures(rows)


_OF_A_RUN = {"acc": "", "acc_recurrent": ": recurrent part alone", "acc_ngrams": ": n-grams alone"}
"""The figures of a run, and what is put behind the name of a recipe."""


def _percent_range(values: list[float]) -> str:
    if not values:
        return ABSENT
    alone = min(values) == max(values)
    return _percent(fmean(values)) + ("" if alone else f" ({_percent(min(values))}–{_percent(max(values))})")


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
    return (_table("Files of many rows", header, lines) if lines else "") + _failures(rows)


def serve(rows: list[MergedRow]) -> str:
    """Texts a second and times of requests, by the number of clients."""
    lines = []
    for merged in sorted(rows, key=lambda merged: (merged.row["stack"], merged.row["settings"]["clients"])):
        row, settings = merged.row, merged.row["settings"]
        if row["status"] == "failed":
            continue
        several = "".join(f", {settings[name]} {name}" for name in ("texts", "workers") if settings[name] > 1)
        clients = "1 client" if settings["clients"] == 1 else f"{settings['clients']} clients"
        cells = [f"{row['texts_per_second']:,.0f}", _short(row["p50_ms"]), _short(row["p99_ms"])]
        lines.append([f"{_stack(row)}, {clients}{several}", *cells])
    header = ["", "texts a second", "a request, median, ms", "99% are faster than, ms"]
    return (_table("`seqclass serve` on the loopback", header, lines) if lines else "") + _failures(rows)


def _of_the_notebook(row: dict[str, Any]) -> bool:
    return not row["settings"].get("sweep")


def _of_a_sweep(row: dict[str, Any]) -> bool:
    return not _of_the_notebook(row)


def _of_the_full_data(row: dict[str, Any]) -> bool:
    """Trials on a part of the reviews are no result."""
    return bool(row["settings"].get("reviews") == REVIEWS)


def _of_seqclass(row: dict[str, Any]) -> bool:
    return _of_the_full_data(row) and row["implementation"] == BASELINE and bool(row["samples"]["runs"])


def _of_a_text_set(row: dict[str, Any]) -> bool:
    return "data" in row["settings"]


@dataclass(frozen=True)
class Section:
    """A part of the report.

    Attributes:
        question: whose results it shows.
        shows: which of their rows.
        render: the tables of these rows; there is at least one.
    """

    question: str
    shows: Callable[[dict[str, Any]], bool]
    render: Callable[[list[MergedRow]], str]


SECTIONS = {
    "frontier": Section("frontier", _of_the_full_data, frontier),
    "texts": Section("accuracy", _of_a_text_set, texts),
    "target": Section("target", _of_the_full_data, target),
    "epoch": Section("epoch", _of_the_full_data, epoch),
    "step": Section("step", _of_the_notebook, step),
    "sweep": Section("step", _of_a_sweep, sweep),
    "accuracy": Section("accuracy", _of_the_full_data, accuracy),
    "notebook": Section("accuracy", _of_seqclass, beside_notebook),
    "scale": Section("scale", lambda row: True, scale),
    "serve": Section("serve", lambda row: True, serve),
}
"""By the name that stands in the README's markers."""


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


Extra = tuple[str, dict[str, str]]
"""One more line of a wide table: its name, and its cells by stack."""


def _wide_table(
    title: str,
    rows: list[MergedRow],
    cell: Callable[[dict[str, Any] | None], str],
    extra: Extra | Callable[[list[MergedRow]], Extra] | None = None,
) -> str:
    """A line for each implementation, a column for each stack, and perhaps one line more."""
    stacks = _stacks(rows)
    cells = {(m.row["implementation"], m.row["stack"]): m.row for m in rows}
    lines = [[name, *(cell(cells.get((name, stack))) for stack in stacks)] for name in _names(rows)]
    if extra is not None:
        name, values = extra(rows) if callable(extra) else extra
        lines.append([name, *(values.get(stack, ABSENT) for stack in stacks)])
    header = ["", *("no stack" if stack == implementations.NO_STACK else f"`{stack}`" for stack in stacks)]
    return _table(title, header, lines)


def _fastest(key: str) -> Callable[[list[MergedRow]], Extra]:
    """The line that says how many times longer the fastest Keras takes than seqclass, in the same run."""

    def line(rows: list[MergedRow]) -> Extra:
        best: dict[str, tuple[float, str]] = {}
        for merged in rows:
            row = merged.row
            ratio = row.get(f"{key}_ratio")
            if row["status"] != "ok" or ratio is None or not row["implementation"].startswith("keras"):
                continue
            text = f"**{ratio['mean']:.2f}** ({ratio['low']:.2f}–{ratio['high']:.2f})"
            candidate = (ratio["mean"], text)
            best[row["stack"]] = min(best.get(row["stack"], candidate), candidate)
        return f"fastest Keras / {BASELINE}", {stack: text for stack, (_, text) in best.items()}

    return line


def _milliseconds(key: str) -> Callable[[dict[str, Any] | None], str]:
    def cell(row: dict[str, Any] | None) -> str:
        if row is None or row["status"] == "failed":
            return _missing(row)
        low, high = row[f"{key}_quartiles"]
        return f"{_short(row[f'{key}_ms'])} ({_short(low)}–{_short(high)})"

    return cell


def _memory(row: dict[str, Any] | None) -> str:
    if row is None or "memory" not in row:
        return _missing(row)
    return f"{row['memory'].get('device_peak_mib', row['memory']['peak_mib']):,.0f}"


def _seconds(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "failed":
        return _missing(row)
    return f"{row['seconds']:.1f}"


def _accuracy(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "failed":
        return _missing(row)
    return _percent(row["val_accuracy"])


def _spread(values: list[float]) -> str:
    if not values:
        return ABSENT
    deviation = f" ± {100 * stdev(values):.2f}" if len(values) > 1 else ""
    return f"{_percent(fmean(values))}{deviation}, {_percent(max(values))} ({len(values)})"


def _difference(ours: list[float], theirs: list[float]) -> str:
    if not ours or not theirs:
        return ABSENT
    found = difference_interval(ours, theirs)
    return f"{100 * found.estimate:+.2f} ({100 * found.low:+.2f} to {100 * found.high:+.2f})"


def _missing(row: dict[str, Any] | None) -> str:
    return ABSENT if row is None else "failed"


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _short(value: float) -> str:
    """Three digits, whatever the size."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _stack(row: dict[str, Any]) -> str:
    return ABSENT if row["stack"] == implementations.NO_STACK else f"`{row['stack']}`"


def _stacks(rows: list[MergedRow]) -> list[str]:
    present = {merged.row["stack"] for merged in rows}
    return [stack for stack in (*notebook.STACKS, implementations.NO_STACK) if stack in present]


def _names(rows: list[MergedRow]) -> list[str]:
    """The implementations, seqclass first and its variants next, the others in the order measured."""
    names = dict.fromkeys(merged.row["implementation"] for merged in rows)
    return sorted(names, key=lambda name: (name.split(":")[0] != BASELINE, name.count(":")))


def _table(title: str, header: list[str], lines: list[list[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join([f"{title}:", "", *("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines)), "", ""])


def _failures(rows: list[MergedRow]) -> str:
    """The reasons of failed rows, each with whom it befell."""
    reasons: dict[str, list[str]] = {}
    for merged in rows:
        if merged.row["status"] == "failed":
            name = f"{merged.row['implementation']} ({merged.row['stack']})"
            reasons.setdefault(" ".join(merged.row["reason"].split())[-200:], []).append(name)
    lines = [f"- failed: {', '.join(dict.fromkeys(names))}: {reason}\n" for reason, names in reasons.items()]
    return "".join(lines) + ("\n" if lines else "")
