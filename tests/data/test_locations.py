from pathlib import Path

from seqclass.data import cache_root


def test_the_first_that_is_set(monkeypatch):
    monkeypatch.setenv("SEQCLASS_CACHE", "/c")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_root("/given") == Path("/given")
    assert cache_root() == Path("/c")
    monkeypatch.setenv("SEQCLASS_CACHE", "")
    assert cache_root() == Path("/x/seqclass")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/someone")
    assert cache_root() == Path("/home/someone/.cache/seqclass")
    assert cache_root("~/here") == Path("/home/someone/here")
