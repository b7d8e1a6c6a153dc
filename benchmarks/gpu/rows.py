"""What a part of `gpu` writes: a file of rows that is complete after each of them, and the options all parts have."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.options import say


@dataclass
class Rows:
    """The rows of one part.

    Attributes:
        part: its name.
        file: where they are written, beside and renamed, after each row.
        facts: what holds for all of them.
    """

    part: str
    file: Path
    facts: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def measure(self, name: str, measured: Callable[[], dict[str, Any]], **settings: Any) -> None:
        """Add a row with what a function returns, or with the reason why it failed."""
        row: dict[str, Any] = {"name": name, **settings}
        try:
            row |= {"status": "ok", "reason": None, **measured()}
        except Exception as error:  # whatever goes wrong is a result
            row |= {"status": "failed", "reason": " ".join(f"{type(error).__name__}: {error}".split())[:500]}
        say(f"{self.part}: {row}")
        self.rows.append(row)
        self.write()

    def skip(self, name: str, reason: str, **settings: Any) -> None:
        """Add a row for what only a GPU can show, where there is none."""
        self.rows.append({"name": name, **settings, "status": "skipped", "reason": reason})
        self.write()

    def write(self) -> None:
        """Write the file as it is so far."""
        beside = self.file.with_suffix(".part")
        document = {"part": self.part, "facts": self.facts, "rows": self.rows}
        beside.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        beside.replace(self.file)

    def ended(self) -> None:
        """End the process as the part ended: with an error if no row is there, or none that is ok.

        Raises:
            SystemExit: so it is.
        """
        self.write()
        if not any(row["status"] == "ok" for row in self.rows):
            reasons = dict.fromkeys(row["reason"] for row in self.rows)
            raise SystemExit("; ".join(reasons) or f"{self.part} measured nothing")


def parse(part: str, argv: list[str] | None = None) -> tuple[Rows, argparse.Namespace]:
    """The options of a part, and its empty rows."""
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.gpu.{part}")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args(argv)
    return Rows(part, arguments.json), arguments
