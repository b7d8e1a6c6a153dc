"""Figures as a human-readable JSON file."""

import json
import re
from pathlib import Path
from typing import Any

from seqclass.files import written_whole

# JSON strings contain no line feeds, so these are lists.
_LIST_OF_NUMBERS = re.compile(r"\[\n\s*([-+.\deE,\s]+?)\s*\]")


def write_json(path: str | Path, values: Any) -> None:
    """Write plain values, indented, with each list of numbers in one line.

    Raises:
        InputError: the file cannot be written.
    """
    content = json.dumps(values, indent=2, ensure_ascii=False)
    content = _LIST_OF_NUMBERS.sub(lambda found: f"[{' '.join(found[1].split())}]", content)
    with written_whole(path) as part:
        part.write_text(content + "\n", encoding="utf-8", errors="backslashreplace")
