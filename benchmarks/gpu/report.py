"""``gpu-report``: the result files of one run of `gpu` as Markdown tables, part by part.

Printed, or with ``--into FILE`` written between the markers ``<!-- benchmarks:gpu -->`` and ``<!-- /benchmarks -->`` of
that file.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import report, results
from benchmarks.gpu.parts import LATER, OWN, RACES

MARKED = re.compile(r"(<!-- benchmarks:gpu -->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
QUESTIONS = {"step": "step", "epoch": "epoch", **dict.fromkeys(RACES, "target")}
"""By the beginning of a file's name, the section of the report that shows it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("folder", type=Path, help="what `python -m benchmarks gpu` has written")
    parser.add_argument("--into", type=Path, metavar="FILE", help="a Markdown file with the markers")


def write(arguments: argparse.Namespace) -> None:
    """Print the tables, or write them.

    Raises:
        SystemExit: there is no result, it cannot be read, or the file has no markers.
    """
    try:
        text = tables(arguments.folder)
    except (OSError, ValueError, KeyError) as error:
        raise SystemExit(f"python -m benchmarks gpu-report: {error}") from None
    if arguments.into is None:
        print(text)
        return
    before = arguments.into.read_text(encoding="utf-8")
    after, found = MARKED.subn(lambda match: match[1] + text + match[2], before)
    if not found:
        raise SystemExit(f"{arguments.into} has no line <!-- benchmarks:gpu --> with a line <!-- /benchmarks --> below")
    arguments.into.write_text(after, encoding="utf-8")


def tables(folder: Path) -> str:
    """All tables of a folder, as far as its run got."""
    whole = results.read(folder / "gpu.json")
    machine = whole.machine
    texts = [f"**{machine['name']}** ({whole.date[:10]}, commit {whole.commit}, `{whole.command}`)\n"]
    if machine["device"] == "cpu":
        texts.append("A CPU stood in for the GPU, to test the program: these are no measurements.\n")
    lines = [[row["implementation"], row["status"], f"{row['seconds']:.0f}", row["reason"] or ""] for row in whole.rows]
    texts.append(_table("Parts", ["part", "ended", "s", "reason"], lines))
    for name in (*OWN, *LATER):
        file = folder / f"{name}.json"
        if name in _COLUMNS and file.exists():
            texts.append(_own(name, json.loads(file.read_text(encoding="utf-8"))))
    for beginning, section in QUESTIONS.items():
        files = sorted(folder.glob(f"{beginning}*.json"))
        texts += [report.tables([results.read(file) for file in files], section)] if files else []
    return "\n".join(texts)


def _own(name: str, document: dict[str, Any]) -> str:
    """The table of a part that wrote rows of its own."""
    columns = _COLUMNS[name]
    header = ["", "precision, way or kernel", *columns]
    lines = []
    for row in document["rows"]:
        kind = ", ".join(str(row[key]) for key in ("kernel", "precision", "way") if key in row)
        if row["status"] != "ok":
            cells = [f"{row['status']}: {row['reason']}", *("" for _ in list(columns)[1:])]
        else:
            cells = [column(row) for column in columns.values()]
        lines.append([row["name"], kind, *cells])
    return _table(name.capitalize(), header, lines)


def _milliseconds(row: dict[str, Any]) -> str:
    return f"{row['ms']:.3g} ({row['low_ms']:.3g}–{row['high_ms']:.3g})" if "low_ms" in row else f"{row['ms']:.3g}"


def _errors(row: dict[str, Any]) -> str:
    if row.get("refused"):
        return "no such option"
    return ", ".join(f"{name} {error:.1e}" for name, error in row["errors"].items()) if "errors" in row else (
        f"{row['error']:.1e}"
    )  # fmt: skip


def _top(row: dict[str, Any]) -> str:
    return "; ".join(f"{each['name']} ({each['launches']}, {each['ms']:.3g} ms)" for each in row["kernels"][:4])


def _choices(row: dict[str, Any]) -> str:
    return "; ".join(
        f"{each['choice']}: {each['result']:.3g}" if isinstance(each["result"], float) else f"{each['choice']}: –"
        for each in row["choices"]
    )


def _known(row: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in row.items() if key not in ("name", "status", "reason"))


def _peak(row: dict[str, Any]) -> str:
    return f"{row['peak_mib']:,.0f}" if "peak_mib" in row else "–"


_COLUMNS: dict[str, dict[str, Callable[[dict[str, Any]], str]]] = {
    "machine": {"what it says": _known},
    "tests": {"passed": lambda row: str(row["passed"]), "skipped": lambda row: str(len(row["skipped"]))},
    "equality": {"error, relative": _errors},
    "choices": {"fastest, ms": _milliseconds, "each, ms": _choices},
    "layers": {
        "ms (quartiles)": _milliseconds,
        "busy, ms": lambda row: f"{row['busy_ms']:.3g}",
        "launches": lambda row: str(row["launches"]),
        "memory, MiB": _peak,
        "kernels (launches, time)": _top,
    },
    "graphs": {"ms (quartiles)": _milliseconds, "memory, MiB": _peak},
    "profile": {
        "wall, ms": lambda row: f"{row['wall_ms']:.3g}",
        "busy, ms": lambda row: f"{row['busy_ms']:.3g}",
        "launches": lambda row: str(row["launches"]),
        "kernels (launches, time)": _top,
    },
}
"""By part, the columns of its table."""


def _table(title: str, header: list[str], lines: list[list[str]]) -> str:
    def row(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    return "\n".join([f"{title}:", "", row(header), row(["---"] * len(header)), *map(row, lines), ""])
