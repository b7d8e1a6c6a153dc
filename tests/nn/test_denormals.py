"""Denormals are flushed on every thread that computes: shown by what the threads of a fresh process compute."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from seqclass.nn import flush_denormals
from seqclass.nn.denormals import worker_threads_flush

SCRIPT = Path(__file__).parents[1] / "support" / "denormal_probes.py"


@pytest.fixture(scope="module", params=[("fused", 2), ("builtin", 3), ("fused", 7)], ids=str)
def moments(request):
    """What share of the results of each operation was denormal at each moment of the script."""
    kernel, threads = request.param
    command = [sys.executable, "-W", "error", str(SCRIPT), kernel, str(threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    moments = json.loads(run.stdout)
    if isinstance(moments, str):
        pytest.skip(f"lacks {moments}")
    return moments


@pytest.mark.parametrize("moment", ["before", "thread, before backward", "thread, before forward"])
def test_the_probe_sees_denormals_where_nothing_flushes(moments, moment):
    assert set(moments[moment].values()) == {1.0}


def test_the_probe_sees_workers_that_do_not_flush(moments):
    """The flag of the main thread alone leaves the workers' shares: the reason for all of this."""
    assert all(0.05 < share < 0.95 for share in moments["flag of the main thread only"].values())


@pytest.mark.parametrize(
    "moment",
    [
        "main thread, after forward",
        "thread, after backward",
        "thread, after forward",
        "main thread, at the end",
        "main thread, with new workers",
        "thread, with old workers",
    ],
)
def test_no_thread_computes_with_denormals(moments, moment):
    assert set(moments[moment].values()) == {0.0}


def test_workers_are_looked_at():
    """In this process, whose threads have flushed or will now."""
    flush_denormals()
    if not torch.set_flush_denormal(True):
        pytest.skip("lacks a processor that can flush denormals")
    assert worker_threads_flush()
    torch.set_flush_denormal(False)
    try:
        assert not worker_threads_flush()
    finally:
        torch.set_flush_denormal(True)
