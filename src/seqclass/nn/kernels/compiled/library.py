"""Compiles the kernel's C sources into a library for this processor, once, with the machine's own C compiler.

The library is kept for the next process under a name that contains two digests: of what it is made from (sources,
flags, compiler, processor), and of its own bytes. So a file that is no longer what the compiler wrote, truncated or
changed, does not match its name and is compiled again; and two processes that compile at once, whose bytes may differ,
cannot mix up one's library with the other's digest.
"""

import contextlib
import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import subprocess
import tempfile
import threading
from pathlib import Path

from seqclass.locations import library_folder
from seqclass.nn.denormals import openmp_libraries
from seqclass.nn.kernels.compiled.private_folder import open_private_folder, read_own_file

_log = logging.getLogger(__name__)

_FOLDER = Path(__file__).parent
_SECONDS = 120

_ahead: list[threading.Thread] = []
"""Threads that load the library ahead of need."""


class CompilerError(RuntimeError):
    """The compiled kernel is not available on this machine; the message says why."""


@functools.cache
def _load_or_refuse() -> ctypes.CDLL | CompilerError:
    try:
        return _load()
    except CompilerError as error:
        return error


def load_in_background() -> None:
    """Begin to load the library and return at once; `load_library` waits until that is done.

    Compiling is the work of another process, beside which a caller can import a large package or read its texts. Where
    there is no compiler, nothing is said until the library is needed.
    """
    thread = threading.Thread(target=_load_or_refuse, name="seqclass-compiler")
    thread.start()
    _ahead.append(thread)


def load_library() -> ctypes.CDLL:
    """Load the library, compiling it first if this machine has none yet (about two seconds).

    Raises:
        CompilerError: no C compiler (the environment variable CC, else `cc`), one without OpenMP, or nowhere to write.
    """
    for thread in _ahead:
        thread.join()
    library = _load_or_refuse()
    if isinstance(library, CompilerError):
        raise library
    return library


def _load() -> ctypes.CDLL:
    compiler = shlex.split(os.environ.get("CC") or "cc")
    native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
    flags = ["-O3", "-std=gnu11", native, "-fopenmp", "-fPIC", "-shared", "-fvisibility=hidden"]
    # PyTorch's own OpenMP runtime goes before the compiler's: the threads of two would get in each other's way.
    runtime = ["-Wl,--as-needed", *sorted(openmp_libraries())]
    # The macros that the compiler predefines identify it, its version and the processor's features.
    defined = _run([*compiler, native, "-dM", "-E", "-x", "c", os.devnull])
    sources = [file.read_text(encoding="utf-8") for file in sorted(_FOLDER.glob("*.[ch]"))]
    key = _digest("\0".join([*sources, defined, *compiler, *flags, *runtime]).encode())
    command = [*compiler, *flags, *map(str, sorted(_FOLDER.glob("*.c"))), *runtime]
    with contextlib.ExitStack() as stack:
        try:
            folder = open_private_folder(library_folder())
        except OSError as error:
            _log.warning("the C kernel is compiled for this process alone (two seconds): %s", error)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="seqclass-")))
        try:
            library = _find(folder, key) or _build(folder, key, command)
            return _declare(ctypes.CDLL(str(library)))
        except OSError as error:
            raise CompilerError(f"the compiled kernel cannot be written to or loaded from {folder}: {error}") from error


def _find(folder: Path, key: str) -> Path | None:
    """Find a library made from the same; delete any that is not what the compiler wrote, or not one's own."""
    for library in sorted(folder.glob(f"kernels-{key}-*.so")):
        content = read_own_file(library)
        if content is not None and library == _place(folder, key, content):
            return library
        _log.warning("%s is damaged, or others can change it: it is compiled again", library)
        library.unlink(missing_ok=True)
    return None


def _build(folder: Path, key: str, command: list[str]) -> Path:
    with tempfile.TemporaryDirectory(dir=folder) as unfinished:
        made = Path(unfinished) / "kernels.so"
        _run([*command, "-o", str(made)])
        made.chmod(0o500)
        return made.replace(_place(folder, key, made.read_bytes()))


def _place(folder: Path, key: str, content: bytes) -> Path:
    return folder / f"kernels-{key}-{_digest(content)}.so"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    library.seqclass_max_columns.restype = ctypes.c_int64
    library.seqclass_has_bfloat16.restype = ctypes.c_int64
    for function in (library.seqclass_trace_size, library.seqclass_forward, library.seqclass_backward):
        function.argtypes = (ctypes.c_void_p, ctypes.c_int64)
    library.seqclass_trace_size.restype = ctypes.c_int64
    return library


def _run(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerError(f"no C compiler: {command[0]!r} does not run ({error}); set CC to one") from error
    if result.returncode != 0:
        first = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr.strip()[:200])
        raise CompilerError(f"the C compiler {command[0]!r} fails: {first}")
    return result.stdout
