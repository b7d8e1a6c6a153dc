"""What stands in several files of the repository has to agree."""

import re
from pathlib import Path

import pytest
import yaml

import seqclass

ROOT = Path(__file__).parents[1]
COMMANDS = ["make test", "make test-oldest", "make package"]


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_all_gates_run_the_same_commands():
    workflow = yaml.safe_load(read(".github/workflows/ci.yml"))
    (job,) = workflow["jobs"].values()
    assert [each["command"] for each in job["strategy"]["matrix"]["include"]] == COMMANDS
    assert job["steps"][-1] == {"run": "${{ matrix.command }}"}
    assert [line for line in read(".ci/run").splitlines() if line.startswith("make ")] == COMMANDS
    documented = re.findall(r"^(make [\w-]+)", read("CONTRIBUTING.md"), re.MULTILINE)
    assert set(COMMANDS) <= set(documented)
    targets = re.findall(r"^([\w-]+):", read("Makefile"), re.MULTILINE)
    assert {command.removeprefix("make ") for command in documented} <= set(targets)


def test_the_newest_version_of_the_changelog_is_the_packages():
    version, date = re.search(r"^## (\S+) \((.*)\)$", read("CHANGELOG.md"), re.MULTILINE).groups()
    citation = yaml.safe_load(read("CITATION.cff"))
    assert version == seqclass.__version__ == citation["version"]
    assert date == str(citation["date-released"])


@pytest.mark.parametrize(
    "template", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").iterdir()), ids=lambda path: path.stem
)
def test_issue_templates_are_forms(template):
    form = yaml.safe_load(template.read_text(encoding="utf-8"))
    assert form["name"]
    assert form["description"]
    assert [field["type"] for field in form["body"]]
    assert all(field["attributes"]["label"] for field in form["body"])
