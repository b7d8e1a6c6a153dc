"""``report``: the kept results as Markdown tables, written between the markers of the documents.

The text between ``<!-- benchmarks:NAME -->`` and ``<!-- /benchmarks -->`` is replaced, where NAME is one of
`benchmarks.sections.SECTIONS`, in README.md and benchmarks/RESULTS.md or the files of ``--into``. Each table says which
machine, commit and versions it is of, and which command repeats it; different machines, devices and thread counts have
tables of their own. Only the newest row of each measurement is shown, and one of a tree with uncommitted changes only
where there is no other, marked. Files that no table shows anything of are named.
"""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks import environment, options, plots, results
from benchmarks.results import MergedRow, Result
from benchmarks.sections import SECTIONS
from benchmarks.statistics import quartiles
from benchmarks.step import BASELINE

DOCUMENTS = (environment.ROOT / "README.md", environment.ROOT / "benchmarks" / "RESULTS.md")
MARKED = re.compile(r"(<!-- benchmarks:(?P<name>[a-z]+) -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
QUIET = 0.1
"""CPUs that other work may keep busy during a measurement without a word about it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the report."""
    names = " and ".join(path.relative_to(environment.ROOT).as_posix() for path in DOCUMENTS)
    parser.add_argument(
        "--into", type=Path, action="append", metavar="FILE", help=f"may be repeated (default: {names})"
    )
    parser.add_argument("--results", type=Path, default=results.FOLDER, metavar="FOLDER")
    parser.add_argument("--no-plots", action="store_true", help="tables alone; plots need matplotlib")


def write(arguments: argparse.Namespace) -> None:
    """Write the sections that the documents have markers for, and the plots; print what none has any for.

    Raises:
        SystemExit: a marker names no section; nothing is written then.
    """
    found = results.read_folder(arguments.results)
    pictures = {} if arguments.no_plots else plots.draw(found, arguments.results / "plots")
    marked: set[str] = set()
    changed: dict[Path, str] = {}
    for path in arguments.into or DOCUMENTS:
        text = path.read_text(encoding="utf-8")
        sections = {name: section(found, name, pictures.get(name, []), path.parent) for name in SECTIONS}
        try:
            changed[path] = insert(text, sections)
        except ValueError as error:
            raise SystemExit(f"python -m benchmarks report: {path}: {error}") from None
        marked |= {match["name"] for match in MARKED.finditer(text)}
    for path, text in changed.items():
        path.write_text(text, encoding="utf-8")
    for name in SECTIONS.keys() - marked:
        if text := tables(found, name):
            print(f"<!-- benchmarks:{name} -->\n{text}<!-- /benchmarks -->\n")
    for name in sorted(each.file_name for each in unused(found)):
        options.say(f"no table shows anything of {name}: delete it")


def unused(found: Iterable[Result]) -> list[Result]:
    """The results that neither a table shows, nor is the run before one of these, whose repeatability is claimed."""
    found = list(found)
    used: list[Result] = []
    for name, each in SECTIONS.items():
        shown = [merged for merged in results.merge(found, each.question) if each.shows(merged.row)]
        used += [merged.result for merged in shown]
        for key in {results.machine_key(merged.result) for merged in shown} if name == "step" else ():
            used += _last_two([each for each in found if each.question == "step" and results.machine_key(each) == key])
    return [each for each in found if not any(each is other for other in used)]


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
    images = [f"![{path.stem}]({Path(os.path.relpath(path, relative_to)).as_posix()})\n" for path in pictures]
    return "\n".join([tables(found, name) or "Not measured yet.\n", *images])


def tables(found: Iterable[Result], name: str) -> str:
    """The tables of one section, a group for each machine; empty if nothing was measured."""
    section, found = SECTIONS[name], list(found)
    groups: dict[tuple[Any, ...], list[MergedRow]] = {}
    for merged in results.merge(found, section.question):
        if section.shows(merged.row):
            key = results.machine_key(merged.result)
            groups.setdefault(key[:-1] if section.joins_data else key, []).append(merged)
    texts = []
    for key in sorted(groups, key=str):
        history = [each for each in found if each.question == section.question and results.machine_key(each) == key]
        repeat = _repeatability(history) if name == "step" else ""
        texts.append(f"{_heading(groups[key])}\n\n{section.render(groups[key])}{repeat}{_footer(groups[key])}")
    return "\n".join(texts)


def _last_two(history: list[Result]) -> list[Result]:
    """The last run of the notebook's settings, and before it the one before of the same; fewer if there are not two."""
    with_ratios = [result for result in history if _ratios(result)]
    if not with_ratios:
        return []
    *earlier, now = with_ratios
    before = [result for result in earlier if _ratios(result).keys() & _ratios(now).keys()]
    return [*before[-1:], now]


def _repeatability(history: list[Result]) -> str:
    """How far the ratios of the last run of the notebook's settings are from those of the run before of the same."""
    if len(runs := _last_two(history)) < 2:
        return ""
    before, now = map(_ratios, runs)
    changes = [abs(now[key] / before[key] - 1) for key in now.keys() & before.keys()]
    middle, largest = quartiles(changes).median, max(changes)
    return (
        f"Against the run before, the {len(changes)} ratios to {BASELINE} differ by {100 * middle:.0f}% in the "
        f"median and {100 * largest:.0f}% at most.\n\n"
    )


def _ratios(result: Result) -> dict[tuple[Any, ...], float]:
    return {
        (*results.row_key(row), key): row[f"{key}_ratio"]["mean"]
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
    data = {"imdb": "", "texts": "", "zipf": ", made-up texts"}.get(
        newest.data.get("source", ""), ", made-up reviews with IMDB's lengths"
    )
    others = machine.get("other_cpus") or 0
    busy = f"; meanwhile other work kept {others:.1f} CPUs busy" if others > QUIET else ""
    changed = {merged.result.commit for merged in rows if not merged.result.is_of_a_commit}
    unclean = f"; with uncommitted changes, to be measured anew: {', '.join(sorted(changed))}" if changed else ""
    return f"**{machine['device'].upper()}: {where}{data}** ({newest.date[:10]}, commit {newest.commit}{busy}{unclean})"


def _footer(rows: list[MergedRow]) -> str:
    """The versions and the commands of a group of rows."""
    versions = sorted(
        {f"{name} {version}" for merged in rows for name, version in merged.row.get("versions", {}).items()}
    )
    commands = dict.fromkeys(merged.result.command for merged in rows)
    lines = [f"With {', '.join(versions)}.", ""] if versions else []
    return "\n".join([*lines, *(f"    {command}" for command in commands), "", ""])
