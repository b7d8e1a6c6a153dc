"""Makes the compiled kernel: `lstm.c` into a library for this processor, once, with the machine's own C compiler.

The library is kept in the cache under a name that tells apart source, flags, compiler and processor.
"""

import ctypes
import functools
import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
from pathlib import Path

from seqclass.locations import cache_root
from seqclass.nn.denormals import openmp_libraries

_FOLDER = Path(__file__).parent
_SOURCE = _FOLDER / "lstm.c"
_SECONDS = 120


class CompilerError(RuntimeError):
    """The compiled kernel cannot be had on this machine; the message says why."""


@functools.cache
def _load_or_refuse() -> ctypes.CDLL | CompilerError:
    try:
        return _load()
    except CompilerError as error:
        return error


def load_library() -> ctypes.CDLL:
    """Returns the library, compiled now if it never was on this machine (about two seconds).

    Raises:
        CompilerError: no C compiler (the environment variable CC, else `cc`), one without OpenMP, or nowhere to write.
    """
    library = _load_or_refuse()
    if isinstance(library, CompilerError):
        raise library
    return library


def _load() -> ctypes.CDLL:
    compiler = shlex.split(os.environ.get("CC") or "cc")
    native = "-mcpu=native" if platform.machine() in ("aarch64", "arm64") else "-march=native"
    flags = ["-O3", "-std=gnu11", native, "-fopenmp", "-fPIC", "-shared"]
    # PyTorch's own OpenMP runtime comes before the compiler's: the threads of two would stand in each other's way.
    runtime = ["-Wl,--as-needed", *sorted(openmp_libraries())]
    # What the compiler would define for this processor names the compiler, its version and the processor's features.
    defined = _run([*compiler, native, "-dM", "-E", "-x", "c", os.devnull])
    sources = [file.read_text(encoding="utf-8") for file in (*sorted(_FOLDER.glob("*.h")), _SOURCE)]
    key = hashlib.sha256("\0".join([*sources, defined, *compiler, *flags, *runtime]).encode()).hexdigest()[:16]
    folder = cache_root() / "kernels"
    library = folder / f"lstm-{key}.so"
    try:
        if not library.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder) as unfinished:
                made = Path(unfinished) / library.name
                _run([*compiler, *flags, str(_SOURCE), "-o", str(made), *runtime])
                made.replace(library)
        loaded = ctypes.CDLL(str(library))
    except OSError as error:
        raise CompilerError(f"the compiled kernel cannot be kept in or loaded from {folder}: {error}") from error
    for function in (loaded.seqclass_lstm_max_columns, loaded.seqclass_lstm_trace_size):
        function.restype = ctypes.c_int64
    return loaded


def _run(command: list[str]) -> str:
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CompilerError(f"no C compiler: {command[0]!r} does not run ({error}); set CC to one") from error
    if result.returncode != 0:
        first = next((line for line in result.stderr.splitlines() if "error" in line), result.stderr.strip()[:200])
        raise CompilerError(f"the C compiler {command[0]!r} fails: {first}")
    return result.stdout
