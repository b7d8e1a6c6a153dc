import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]

# Releases that were malware: package, version, advisory.
MALICIOUS = [("lightning", "2.6.2", "GHSA-w37p-236h-pfx3"), ("lightning", "2.6.3", "GHSA-w37p-236h-pfx3")]


@pytest.mark.parametrize(("package", "version", "advisory"), MALICIOUS)
def test_malicious_releases_are_never_installed(package, version, advisory):
    content = (ROOT / "pyproject.toml").read_text()
    quoted = re.findall(rf'"({package}[^\w"-][^"]*)"', content)
    assert quoted
    assert not any(version in Requirement(requirement).specifier for requirement in quoted)
    assert advisory in content
    for constraints in ("constraints.txt", "constraints-oldest.txt"):
        assert f"{package}=={version}" not in (ROOT / constraints).read_text().splitlines()
