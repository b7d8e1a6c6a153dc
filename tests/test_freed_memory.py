"""Memory that has been freed is there again without the kernel's help."""

import ctypes
import platform
import subprocess
import sys

import pytest

from seqclass.freed_memory import keep_freed_memory

# Counts the pages that the kernel hands out while 64 MiB are allocated, written and freed ten times. Ten times more go
# before: the first few still find no gap that is large enough.
PROGRAM = """
import resource, sys
import torch
from seqclass.freed_memory import keep_freed_memory

if sys.argv[1] == "keep":
    assert keep_freed_memory()

def faults_of_ten():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(2**24)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults_of_ten()
print(faults_of_ten())
"""


def pages(mode: str) -> int:
    return int(subprocess.run([sys.executable, "-c", PROGRAM, mode], check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library has no such settings")
def test_pages_are_handed_out_once():
    assert pages("keep") < pages("give back") / 4


def test_a_c_library_without_the_settings_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(ctypes, "CDLL", lambda name: object())
    assert not keep_freed_memory()
