"""What is loaded as the compiled kernel, and what never is."""

import hashlib
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from seqclass.locations import library_folder
from seqclass.nn.kernels import LSTMArguments, run_kernel
from seqclass.nn.kernels.compiled import library
from seqclass.nn.kernels.compiled.library import CompilerError, load_library

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="lacks the right to give files to another user")
OTHER_USER = 65534


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    """An empty cache, and nothing loaded."""
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "cache"))
    library._load_or_refuse.cache_clear()
    yield tmp_path / "cache"
    library._load_or_refuse.cache_clear()


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory):
    """What the real compiler makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEQCLASS_CACHE", str(tmp_path_factory.mktemp("once")))
        library._load()
        (made,) = library_folder().iterdir()
    return made


@pytest.fixture
def quick_compiler(compiled_once, empty_cache, monkeypatch, tmp_path):
    """A compiler that only copies that, with a few bytes more that differ each time; returns how often it has."""
    count, script = tmp_path / "count", tmp_path / "quick-cc"
    script.write_text(
        f"""#!/bin/sh
case "$*" in *-shared*) ;; *) exec cc "$@" ;; esac
while [ "$1" != -o ]; do shift; done
cat {compiled_once} >"$2"
echo $$ >>"$2"
echo compiled >>{count}
"""
    )
    script.chmod(0o700)
    monkeypatch.setenv("CC", str(script))
    return lambda: len(count.read_text().splitlines()) if count.exists() else 0


def plain_arguments():
    return LSTMArguments(torch.ones(2, 3, 2), torch.ones(8, 2), torch.ones(8, 2), torch.ones(8))


def assert_whole(folder):
    """The folder is private, and holds libraries alone, each named after its bytes."""
    assert folder.stat().st_mode & 0o777 == 0o700
    files = list(folder.iterdir())
    for file in files:
        assert file.name.endswith(f"-{hashlib.sha256(file.read_bytes()).hexdigest()[:32]}.so")
        assert file.stat().st_mode & 0o022 == 0
    return files


def reload():
    """Load as a process does that has not yet, and compute with it."""
    library._load_or_refuse.cache_clear()
    result = run_kernel(plain_arguments(), "compiled")
    torch.testing.assert_close(result, run_kernel(plain_arguments(), "reference"))


def test_compiled_once_for_each_processor(quick_compiler, monkeypatch):
    reload()
    reload()
    assert quick_compiler() == 1
    assert len(assert_whole(library_folder())) == 1
    monkeypatch.setenv("CC", os.environ["CC"] + " -DANOTHER_COMPILER")
    reload()
    assert quick_compiler() == 2
    assert len(assert_whole(library_folder())) == 2


def test_loaded_ahead_it_is_compiled_once_and_not_waited_for(quick_compiler, monkeypatch, tmp_path):
    # A named pipe holds the compiler until the other end is opened.
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    slow = tmp_path / "slow-cc"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *-shared*) read line <{gate} ;; esac\nexec {os.environ["CC"]} "$@"\n')
    slow.chmod(0o700)
    monkeypatch.setenv("CC", str(slow))
    library.load_in_background()
    assert quick_compiler() == 0, "it has returned while the compiler waits"
    with ThreadPoolExecutor() as pool:
        needed = pool.submit(load_library)
        gate.write_text("go on\n")
        assert needed.result(timeout=60) is load_library()
    assert quick_compiler() == 1


def test_a_failure_ahead_is_reported_where_the_library_is_needed(empty_cache, monkeypatch, capfd):
    monkeypatch.setenv("CC", "no-such-compiler")
    library.load_in_background()
    with pytest.raises(CompilerError, match="no-such-compiler"):
        load_library()
    assert capfd.readouterr() == ("", "")


def test_a_folder_for_each_user_apart_from_the_data(empty_cache):
    assert library_folder() == empty_cache / f"compiled-{os.getuid()}"


@pytest.mark.parametrize("mask", [0o000, 0o002, 0o077])
def test_nobody_else_can_write_to_it_whatever_the_umask(quick_compiler, mask):
    before = os.umask(mask)
    try:
        reload()
        reload()
    finally:
        os.umask(before)
    assert_whole(library_folder())
    assert quick_compiler() == 1


DAMAGES = {
    "truncated": lambda file: file.write_bytes(file.read_bytes()[: file.stat().st_size // 2]),
    "a flipped bit": lambda file: file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:]),
    "a flipped bit in the code": lambda file: file.write_bytes(
        (content := file.read_bytes())[:0x2000] + bytes([content[0x2000] ^ 4]) + content[0x2001:]
    ),
    "empty": lambda file: file.write_bytes(b""),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0"),
    "something else": lambda file: file.write_bytes(b"not a library"),
    "writable by the group": lambda file: file.chmod(0o720),
    "writable by all": lambda file: file.chmod(0o702),
    "a symbolic link": lambda file: file.symlink_to(shutil.move(file, file.parent.parent / file.name)),
    "a dead symbolic link": lambda file: (file.unlink(), file.symlink_to("nowhere")),
    "another user's": lambda file: os.chown(file, OTHER_USER, OTHER_USER),
}


@pytest.mark.parametrize("damage", [pytest.param(d, marks=needs_root if "user" in d else ()) for d in DAMAGES])
def test_a_file_that_is_not_what_was_compiled_is_compiled_again(quick_compiler, monkeypatch, tmp_path, damage, caplog):
    reload()
    # In another cache: what a process has loaded once it would not read again.
    shutil.copytree(tmp_path / "cache", tmp_path / "another")
    monkeypatch.setenv("SEQCLASS_CACHE", str(tmp_path / "another"))
    (file,) = assert_whole(library_folder())
    file.chmod(0o700)
    DAMAGES[damage](file)
    reload()
    assert quick_compiler() == 2
    assert len(assert_whole(library_folder())) == 1
    assert caplog.messages == [f"{file} is damaged, or others can change it: it is compiled again"]


def test_others_are_kept_out_of_a_folder_that_was_open(quick_compiler):
    library_folder().mkdir(mode=0o777, parents=True)
    library_folder().chmod(0o777)
    reload()
    assert len(assert_whole(library_folder())) == 1


FOLDERS = {
    "a file": (lambda folder, elsewhere: folder.write_text(""), "File exists"),
    "a symbolic link": (lambda folder, elsewhere: folder.symlink_to(elsewhere), "is a symbolic link"),
    "another user's": (
        lambda folder, elsewhere: (folder.mkdir(), os.chown(folder, OTHER_USER, OTHER_USER)),
        f"belongs to the user {OTHER_USER}; allowed is your own",
    ),
}


@pytest.mark.parametrize("kind", [pytest.param(k, marks=needs_root if "user" in k else ()) for k in FOLDERS])
def test_a_folder_that_is_not_ones_own_is_not_used(quick_compiler, compiled_once, tmp_path, kind, caplog):
    make, reason = FOLDERS[kind]
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(compiled_once.parent, elsewhere)
    library_folder().parent.mkdir()
    make(library_folder(), elsewhere)
    before = sorted(tmp_path.rglob("*.so"))
    reload()
    # Compiled for this process, and gone with it.
    assert quick_compiler() == 1
    assert sorted(tmp_path.rglob("*.so")) == before
    (message,) = caplog.messages
    assert message.startswith("the C kernel is compiled for this process alone (two seconds): ")
    assert reason in message
    assert str(library_folder()) in message


def test_several_that_compile_at_once(quick_compiler):
    with ThreadPoolExecutor(6) as pool:
        loaded = list(pool.map(lambda _: library._load(), range(6)))
    assert all(one.seqclass_max_columns() > 1000 for one in loaded)
    assert 1 <= len(assert_whole(library_folder())) <= 6
    before = quick_compiler()
    reload()
    assert quick_compiler() == before


@pytest.mark.parametrize(
    ("compiler", "reason"),
    [
        ("no-such-compiler", "no C compiler: 'no-such-compiler' does not run .*; set CC to one"),
        ("false", "the C compiler 'false' fails: "),
        ("true", r"the compiled kernel cannot be written to or loaded from .*: .*No such file"),
        ("cc -Dstruct=0", "the C compiler 'cc' fails: .*error: "),
    ],
)
def test_without_a_compiler_auto_takes_another_kernel(empty_cache, monkeypatch, compiler, reason):
    monkeypatch.setenv("CC", compiler)
    with pytest.raises(CompilerError, match=f"^{reason}"):
        load_library()
    arguments = plain_arguments()
    with pytest.raises(ValueError, match=f"^kernel='compiled' cannot run anything here: {reason}"):
        run_kernel(arguments, "compiled")
    torch.testing.assert_close(run_kernel(arguments), run_kernel(arguments, "reference"))
    # Nothing half-made stays.
    assert not list(Path(empty_cache).rglob("*.*"))
