"""Result files: one JSON file per run, and reading and merging them.

A file says what was asked (`question`), where and when (`machine`, `date`, `commit`, `command`, `data`), and
has one row per thing measured. A row names its `stack`, its `implementation` and the `settings` under which
it ran, and is either ``ok`` or ``failed`` with a `reason`; besides its medians it keeps every raw sample.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import environment

SCHEMA = 1
QUESTIONS = ("step", "epoch", "accuracy", "target", "frontier", "scale", "gpu", "serve", "use")
FOLDER = Path(__file__).parent / "results"

_RESULT_FIELDS = {
    "question": str,
    "date": str,
    "commit": str,
    "command": str,
    "machine": dict,
    "data": dict,
    "rows": list,
}
_ROW_FIELDS = {"stack": str, "implementation": str, "settings": dict, "status": str}
_MACHINE_FIELDS = {"device": str, "name": str, "threads": int}


class ResultError(ValueError):
    """A result file is not what this version can read; the message has the file and what is wrong."""


@dataclass
class Result:
    """One run of one question."""

    question: str
    machine: dict[str, Any]
    data: dict[str, Any]
    date: str = field(default_factory=environment.now)
    commit: str = field(default_factory=environment.commit)
    command: str = field(default_factory=environment.command_line)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, *, stack: str, implementation: str, settings: dict[str, Any], **measured: Any) -> None:
        """Add a row of something that was measured."""
        self.rows.append(
            {
                "stack": stack,
                "implementation": implementation,
                "settings": settings,
                "status": "ok",
                "reason": None,
                **measured,
            }
        )

    def add_failed(
        self, *, stack: str, implementation: str, settings: dict[str, Any], reason: str, **measured: Any
    ) -> None:
        """Add a row of something that could not be measured, with what there is of it."""
        self.add(stack=stack, implementation=implementation, settings=settings, **measured)
        self.rows[-1].update(status="failed", reason=environment.without_folders(reason))

    def add_or_fail(self, failure: str | None, **row: Any) -> None:
        """Add a row of what was measured, or could not be if there is a reason."""
        if failure is None:
            self.add(**row)
        else:
            self.add_failed(**row, reason=failure)

    @property
    def is_of_a_commit(self) -> bool:
        """Whether the sources measured are those of the commit, without changes beside it."""
        return not self.commit.endswith(environment.CHANGED)

    @property
    def file_name(self) -> str:
        """A name that sorts by question, device and date."""
        stamp = "".join(character for character in self.date if character not in "-:")
        return f"{self.question}-{self.machine['device']}-{stamp}.json"


def write(result: Result, path: Path | None = None) -> Path:
    """Write a result atomically: the file is there in full or not at all. By default into `FOLDER`."""
    path = path or FOLDER / result.file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"schema": SCHEMA, **asdict(result)}
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(_compact(document))
        Path(name).chmod(0o644)  # mkstemp makes private files; a result is not
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return path


def _compact(document: dict[str, Any]) -> str:
    """JSON with a line for each field and each row: a tenth of the lines, and changes can still be read."""
    *head, (last, rows) = document.items()
    lines = [f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)},\n" for name, value in head]
    each = ",\n".join(json.dumps(row, allow_nan=False) for row in rows)
    return "".join(["{\n", *lines, f"{json.dumps(last)}: [\n{each}\n]}}\n"])


def read(path: Path) -> Result:
    """Read and check a result file.

    Raises:
        ResultError: if it is not JSON, of another schema, or lacks what a result must have.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ResultError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise ResultError(f"{path}: schema must be {SCHEMA}, got {found!r}")
    _check(document, _RESULT_FIELDS, f"{path}")
    if document["question"] not in QUESTIONS:
        raise ResultError(f"{path}: question must be one of {', '.join(QUESTIONS)}, got {document['question']!r}")
    _check(document["machine"], _MACHINE_FIELDS, f"{path}: machine")
    for number, row in enumerate(document["rows"]):
        where = f"{path}: rows[{number}]"
        if not isinstance(row, dict):
            raise ResultError(f"{where}: must be an object, got {row!r}")
        _check(row, _ROW_FIELDS, where)
        if row["status"] not in ("ok", "failed"):
            raise ResultError(f"{where}: status must be 'ok' or 'failed', got {row['status']!r}")
        if row["status"] == "failed" and not row.get("reason"):
            raise ResultError(f"{where}: a failed row must have a reason")
    return Result(**{name: document[name] for name in _RESULT_FIELDS})


def read_folder(folder: Path = FOLDER) -> list[Result]:
    """All results in a folder, oldest first."""
    return sorted((read(path) for path in folder.glob("*.json")), key=lambda result: result.date)


@dataclass(frozen=True)
class MergedRow:
    """A row with the run it comes from: ratios are only taken between rows of one run."""

    row: dict[str, Any]
    result: Result


def merge(results: Iterable[Result], question: str) -> list[MergedRow]:
    """The newest row for each thing measured under one question.

    Rows are the same thing if stack, implementation, settings, data source, device, its name and the number
    of threads agree. A newer failure replaces an older success: the report shows what holds now. Rows of a tree with
    uncommitted changes are taken only where there are no others.
    """
    merged: dict[tuple[Any, ...], MergedRow] = {}
    for result in sorted(results, key=lambda result: (result.is_of_a_commit, result.date)):
        if result.question != question:
            continue
        for row in result.rows:
            key = (*machine_key(result), *row_key(row))
            merged.pop(key, None)
            merged[key] = MergedRow(row, result)
    return list(merged.values())


def machine_key(result: Result) -> tuple[Any, ...]:
    """What must agree for two results to stand in one table."""
    machine = result.machine
    return (machine["device"], machine["name"], machine["threads"], result.data.get("source"))


def row_key(row: dict[str, Any]) -> tuple[Any, ...]:
    """What must agree for two rows to be the same measurement: over how many epochs it went does not matter."""
    settings = {name: value for name, value in row["settings"].items() if name != "epochs"}
    return (row["stack"], row["implementation"], json.dumps(settings, sort_keys=True))


def _check(values: dict[str, Any], fields: dict[str, type], where: str) -> None:
    for name, kind in fields.items():
        if name not in values:
            raise ResultError(f"{where}: {name!r} is missing")
        if not isinstance(values[name], kind):
            raise ResultError(f"{where}: {name!r} must be {kind.__name__}, got {values[name]!r}")
