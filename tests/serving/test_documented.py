"""What docs/serving.md says of requests, limits and answers is what the service does."""

import contextlib
import io
import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from seqclass.serving import Limits

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text()


def keys_of(value):
    """The structure of JSON: the names of its objects, without the values."""
    if isinstance(value, dict):
        return {name: keys_of(entry) for name, entry in value.items()}
    return [keys_of(value[0])] if isinstance(value, list) and value else None


def test_limits():
    rows = re.findall(r"^\| `--(\w+)` \| (\d+) \|", PAGE, re.MULTILINE)
    assert {name: int(default) for name, default in rows} == {field.name: field.default for field in fields(Limits)}


def test_the_example_in_python_runs(served_in_process):
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(code.replace(":8000", f":{served_in_process.port}"), {})
    assert re.fullmatch(r"(\['(neg|pos)'\] 0\.\d+\n){2}", printed.getvalue())


def test_answers_and_refusals_have_the_form_that_is_shown(served_in_process):
    answer, refusal = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL))
    (asked,) = re.findall(r"-d '(.*?)'\n", PAGE)
    assert keys_of(served_in_process.post(json.loads(asked)).json) == keys_of(answer)
    wrong = served_in_process.post({"texts": ["a film", "a" * 300]})
    assert keys_of(wrong.json) == keys_of(refusal)


@pytest.mark.parametrize("path", re.findall(r"`GET (/\w+)`", PAGE))
def test_the_paths_are_there(path, served_in_process):
    assert served_in_process.get(path).status == 200
