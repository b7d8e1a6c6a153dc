"""What the report's tables are made of: tables in Markdown, their cells, and the reasons of what failed."""

from __future__ import annotations

from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

from benchmarks import implementations, notebook
from benchmarks.results import MergedRow
from benchmarks.statistics import difference_interval
from benchmarks.step import BASELINE

ABSENT = "–"
"""The cell of something that was not measured, and is not failed either."""

Extra = tuple[str, dict[str, str]]
"""One more line of a wide table: its name, and its cells by stack."""


def wide_table(
    title: str,
    rows: list[MergedRow],
    cell: Callable[[dict[str, Any] | None], str],
    extra: Extra | Callable[[list[MergedRow]], Extra] | None = None,
) -> str:
    """A line for each implementation, a column for each stack, and perhaps one line more."""
    stacks = stacks_of(rows)
    cells = {(m.row["implementation"], m.row["stack"]): m.row for m in rows}
    lines = [[name, *(cell(cells.get((name, stack))) for stack in stacks)] for name in names_of(rows)]
    if extra is not None:
        name, values = extra(rows) if callable(extra) else extra
        lines.append([name, *(values.get(stack, ABSENT) for stack in stacks)])
    header = ["", *("no stack" if stack == implementations.NO_STACK else f"`{stack}`" for stack in stacks)]
    return table(title, header, lines)


def fastest_keras(key: str) -> Callable[[list[MergedRow]], Extra]:
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


def milliseconds_cell(key: str) -> Callable[[dict[str, Any] | None], str]:
    def cell(row: dict[str, Any] | None) -> str:
        if row is None or row["status"] == "failed":
            return missing(row)
        low, high = row[f"{key}_quartiles"]
        return f"{short(row[f'{key}_ms'])} ({short(low)}–{short(high)})"

    return cell


def memory_cell(row: dict[str, Any] | None) -> str:
    if row is None or "memory" not in row:
        return missing(row)
    return f"{row['memory'].get('device_peak_mib', row['memory']['peak_mib']):,.0f}"


def seconds_cell(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "failed":
        return missing(row)
    return f"{row['seconds']:.1f}"


def accuracy_cell(row: dict[str, Any] | None) -> str:
    if row is None or row["status"] == "failed":
        return missing(row)
    return percent(row["val_accuracy"])


def spread(values: list[float]) -> str:
    if not values:
        return ABSENT
    deviation = f" ± {100 * stdev(values):.2f}" if len(values) > 1 else ""
    return f"{percent(fmean(values))}{deviation}, {percent(max(values))} ({len(values)})"


def difference(ours: list[float], theirs: list[float]) -> str:
    if not ours or not theirs:
        return ABSENT
    found = difference_interval(ours, theirs)
    return f"{100 * found.estimate:+.2f} ({100 * found.low:+.2f} to {100 * found.high:+.2f})"


def missing(row: dict[str, Any] | None) -> str:
    return ABSENT if row is None else "failed"


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def short(value: float) -> str:
    """Three digits, whatever the size."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def stack_cell(row: dict[str, Any]) -> str:
    return ABSENT if row["stack"] == implementations.NO_STACK else f"`{row['stack']}`"


def stacks_of(rows: list[MergedRow]) -> list[str]:
    present = {merged.row["stack"] for merged in rows}
    return [stack for stack in (*notebook.STACKS, implementations.NO_STACK) if stack in present]


def names_of(rows: list[MergedRow]) -> list[str]:
    """The implementations, seqclass first and its variants next, the others in the order measured."""
    names = dict.fromkeys(merged.row["implementation"] for merged in rows)
    return sorted(names, key=lambda name: (name.split(":")[0] != BASELINE, name.count(":")))


def table(title: str, header: list[str], lines: list[list[str]]) -> str:
    rule = ["---", *("---:" for _ in header[1:])]
    return "\n".join([f"{title}:", "", *("| " + " | ".join(cells) + " |" for cells in (header, rule, *lines)), "", ""])


def failures(rows: list[MergedRow]) -> str:
    """The reasons of failed rows, each with whom it befell."""
    reasons: dict[str, list[str]] = {}
    for merged in rows:
        if merged.row["status"] == "failed":
            name = f"{merged.row['implementation']} ({merged.row['stack']})"
            reasons.setdefault(" ".join(merged.row["reason"].split())[-200:], []).append(name)
    lines = [f"- failed: {', '.join(dict.fromkeys(names))}: {reason}\n" for reason, names in reasons.items()]
    return "".join(lines) + ("\n" if lines else "")
