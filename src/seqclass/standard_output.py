"""Standard output, so that nothing about it ends a command with a stack trace."""

import io
import os
import sys
from contextlib import suppress


def escape_unprintable_output() -> None:
    r"""Let standard output escape what its encoding lacks, as in `\u2713`, instead of failing."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def flush_output() -> None:
    """Write what is still buffered.

    Raises:
        OSError: standard output cannot be written, as on a full disk.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def output_failure() -> str | None:
    """Find out, after an error of unknown origin, why standard output cannot be written; None if it can."""
    try:
        print(flush=True)  # what failed is no longer in the buffer, if there is one
    except OSError as error:
        return error.strerror or str(error)
    return None


def discard_output() -> None:
    """Drop what could not be written, or the interpreter would complain of it once more when it ends."""
    with suppress(OSError, ValueError):  # in tests it may not be a file
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
