"""``report``: the kept results as Markdown tables, written between the markers of the README.

The text between ``<!-- benchmarks:NAME -->`` and ``<!-- /benchmarks -->`` is replaced, where NAME is one of
`SECTIONS`. Each table says which machine, commit and versions it is of, and which command repeats it; different
machines, devices and thread counts have tables of their own. Only the newest row of each measurement is shown.
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from benchmarks import environment, implementations, notebook, plots, results
from benchmarks.data import REVIEWS
from benchmarks.results import MergedRow, Result
from benchmarks.statistics import difference_interval, quartiles, time_to_target
from benchmarks.step import BASELINE, SWEEPS

README = environment.ROOT / "README.md"
MARKED = re.compile(r"(<!-- benchmarks:(?P<name>[a-z]+) -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
ABSENT = "–"
"""The cell of something that was not measured, and is not failed either."""
QUIET = 0.1
"""CPUs that other work may keep busy during a measurement without a word about it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the report."""
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--results", type=Path, default=results.FOLDER, metavar="FOLDER")
    parser.add_argument("--no-plots", action="store_true", help="tables alone; plots need matplotlib")


def write(arguments: argparse.Namespace) -> None:
    """Write the sections that the README has markers for, and the plots; print what it has none for."""
    found = results.read_folder(arguments.results)
    pictures = {} if arguments.no_plots else plots.draw(found, arguments.results / "plots")
    text = arguments.readme.read_text(encoding="utf-8") if arguments.readme.exists() else ""
    sections = {name: section(found, name, pictures.get(name, []), arguments.readme.parent) for name in SECTIONS}
    marked = {match["name"] for match in MARKED.finditer(text)}
    if marked:
        arguments.readme.write_text(insert(text, sections), encoding="utf-8")
    for name in sections.keys() - marked:
        print(f"<!-- benchmarks:{name} -->\n{sections[name]}<!-- /benchmarks -->\n")


def insert(text: str, sections: dict[str, str]) -> str:
    """The text with what stands between its markers replaced.

    Raises:
        ValueError: if a marker names no section.
    """

    def replacement(match: re.Match[str]) -> str:
        if match["name"] not in sections:
            raise ValueError(f"no section is named {match['name']!r}; there are {', '.join(sections)}")
        return match[1] + sections[match["name"]] + match[3]

    return MARKED.sub(replacement, text)


def section(found: Iterable[Result], name: str, pictures: Iterable[Path], relative_to: Path) -> str:
    """One section: its tables and pictures, or a line that says that there is no result yet."""
    images = [f"![{path.stem}]({path.relative_to(relative_to).as_posix()})\n" for path in pictures]
    return "\n".join([tables(found, name) or "Not measured yet.\n", *images])


def tables(found: Iterable[Result], name: str) -> str:
    """The tables of one section, a group for each machine; empty if nothing was measured."""
    question = "step" if name == "sweep" else name
    found = list(found)
    groups: dict[tuple[Any, ...], list[MergedRow]] = {}
    for merged in results.merge(found, question):
        groups.setdefault(results.machine_key(merged.result), []).append(merged)
    texts = []
    for key in sorted(groups, key=str):
        body = SECTIONS[name](groups[key])
        if body:
            history = [result for result in found if result.question == question and results.machine_key(result) == key]
            repeat = _repeatability(history) if name == "step" else ""
            texts.append(f"{_heading(groups[key])}\n\n{body}{repeat}{_footer(groups[key])}")
    return "\n".join(texts)


def _step(rows: list[MergedRow]) -> str:
    rows = [merged for merged in rows if not merged.row["settings"].get("sweep")]
    if not rows:
        return ""
    return "".join(
        [
            _wide_table("Training step, ms: median (quartiles)", rows, _milliseconds("train"), _fastest("train")),
            _wide_table("Evaluation step, ms: median (quartiles)", rows, _milliseconds("eval"), _fastest("eval")),
            _wide_table("Peak memory of training and evaluation, MiB", rows, _memory),
            _failures(rows),
        ]
    )


def _sweep(rows: list[MergedRow]) -> str:
    texts = []
    for sweep, (setting, _) in SWEEPS.items():
        swept = [merged for merged in rows if merged.row["settings"].get("sweep") == sweep]
        for stack in _stacks(swept):
            chosen = [merged for merged in swept if merged.row["stack"] == stack]
            values = sorted({merged.row["settings"][setting] for merged in chosen})
            cells = {(m.row["implementation"], m.row["settings"][setting]): m.row for m in chosen}
            lines = [
                [name, *(_milliseconds("train")(cells.get((name, value))) for value in values)]
                for name in _names(chosen)
            ]
            title = f"`{stack}`: training step over {setting.replace('_', ' ')}, ms"
            texts.append(_table(title, [setting, *map(str, values)], lines))
        texts.append(_failures(swept))
    return "".join(texts)


def _epoch(rows: list[MergedRow]) -> str:
    rows = _full(rows)
    if not rows:
        return ""
    printed = {stack: f"{figures.seconds:.0f}" for stack, figures in notebook.PRINTED.items()}
    accuracies = {stack: _percent(figures.val_accuracy) for stack, figures in notebook.PRINTED.items()}
    return "".join(
        [
            _wide_table("Seconds for an epoch with its validation", rows, _seconds, ("notebook, 2016", printed)),
            _wide_table("Accuracy after it, %", rows, _accuracy, ("notebook, 2016", accuracies)),
            _failures(rows),
        ]
    )


def _accuracy_table(rows: list[MergedRow]) -> str:
    rows = _full(rows)
    if not rows:
        return ""
    stacks = _stacks(rows)
    cells = {(m.row["implementation"], m.row["stack"]): m.row for m in rows}
    last = max(len(run["epochs"]) for m in rows for run in m.row["samples"]["runs"] or [{"epochs": []}])
    lines = []
    for epoch in range(1, last + 1):
        for name in _names(rows):
            finals = {stack: val_accuracies(cells.get((name, stack)), epoch) for stack in stacks}
            lines.append([f"{name}, epoch {epoch}", *(_spread(finals[stack]) for stack in stacks)])
        for name in _names(rows):
            if name.startswith("keras"):
                pairs = [
                    [val_accuracies(cells.get((each, stack)), epoch) for each in (BASELINE, name)] for stack in stacks
                ]
                lines.append([f"{BASELINE} − {name}, epoch {epoch}", *(_difference(*pair) for pair in pairs)])
    best = {stack: _percent(figures.val_accuracy) for stack, figures in notebook.PRINTED.items()}
    lines.append(["notebook, 2016, epoch 1", *(best.get(stack, ABSENT) for stack in stacks)])
    title = "Accuracy on the test reviews, %: mean ± standard deviation, best (seeds); differences with 95% intervals"
    return _table(title, ["", *(f"`{stack}`" for stack in stacks)], lines) + _failures(rows)


def _target(rows: list[MergedRow]) -> str:
    rows = _full(rows)
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
    if not rows:
        return ""
    goal = _percent(rows[0].row["settings"]["target"])
    header = ["", "stack", "median, s", "seeds that reach it", "each seed, s"]
    title = f"Time to {goal}% on the test reviews, from a cold start"
    return _table(title, header, [line for _, line in sorted(lines)]) + _failures(rows)


SECTIONS: dict[str, Callable[[list[MergedRow]], str]] = {
    "target": _target,
    "epoch": _epoch,
    "step": _step,
    "sweep": _sweep,
    "accuracy": _accuracy_table,
}


def val_accuracies(row: dict[str, Any] | None, epoch: int) -> list[float]:
    """The accuracy of each seed after an epoch, counted from 1; of the seeds that came that far."""
    runs = row["samples"]["runs"] if row else []
    return [run["epochs"][epoch - 1]["val_accuracy"] for run in runs if len(run["epochs"]) >= epoch]


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
            text = f"**{ratio['median']:.2f}** ({ratio['low']:.2f}–{ratio['high']:.2f})"
            candidate = (ratio["median"], text)
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


def _full(rows: list[MergedRow]) -> list[MergedRow]:
    """The rows of the full data: trials on a part of it are no result."""
    return [merged for merged in rows if merged.row["settings"].get("reviews") == REVIEWS]


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


def _repeatability(history: list[Result]) -> str:
    """How far the ratios of the last two runs of the notebook's settings are apart."""
    runs = [ratios for result in history if (ratios := _ratios(result))]
    if len(runs) < 2:
        return ""
    before, now = runs[-2:]
    changes = [abs(now[key] / before[key] - 1) for key in now.keys() & before.keys()]
    if not changes:
        return ""
    middle, largest = quartiles(changes).median, max(changes)
    return (
        f"Against the run before, the {len(changes)} ratios to {BASELINE} differ by {100 * middle:.0f}% in the "
        f"median and {100 * largest:.0f}% at most.\n\n"
    )


def _ratios(result: Result) -> dict[tuple[Any, ...], float]:
    return {
        (*results.row_key(row), key): row[f"{key}_ratio"]["median"]
        for row in result.rows
        for key in ("train", "eval")
        if row["status"] == "ok" and not row["settings"].get("sweep") and row.get(f"{key}_ratio")
        if row["implementation"] != BASELINE
    }


def _heading(rows: list[MergedRow]) -> str:
    newest = max((merged.result for merged in rows), key=lambda result: result.date)
    machine = newest.machine
    threads = "1 thread" if machine["threads"] == 1 else f"{machine['threads']} threads"
    where = f"{machine['name']}, {threads}" if machine["device"] == "cpu" else machine["name"]
    data = "" if newest.data.get("source") == "imdb" else ", made-up reviews with IMDB's lengths"
    others = machine.get("other_cpus") or 0
    busy = f"; meanwhile other work kept {others:.1f} CPUs busy" if others > QUIET else ""
    return f"**{machine['device'].upper()}: {where}{data}** ({newest.date[:10]}, commit {newest.commit}{busy})"


def _footer(rows: list[MergedRow]) -> str:
    """The versions and the commands of a group of rows."""
    versions = sorted(
        {f"{name} {version}" for merged in rows for name, version in merged.row.get("versions", {}).items()}
    )
    commands = dict.fromkeys(_without_json(merged.result.command) for merged in rows)
    lines = [f"With {', '.join(versions)}.", ""] if versions else []
    return "\n".join([*lines, *(f"    {command}" for command in commands), "", ""])


def _without_json(command: str) -> str:
    return re.sub(r" --json[ =]\S+", "", command)
