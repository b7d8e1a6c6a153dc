"""Keeps freed memory in the process, since the next training step needs as much again."""

import ctypes

# From glibc's malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_MIB = 2**20


def keep_freed_memory() -> bool:
    """Have the C library keep what is freed for what is allocated next, from now on and for the whole process.

    glibc gives blocks of more than 32 MiB back to the kernel as soon as they are freed, and smaller ones where they lie
    at the end of its memory. The kernel hands out the same memory again page by page, each page zeroed at its first
    use: with large batches a sixth of a training step. Peak memory stays nearly the same, but the process does not
    shrink after a peak. So programs that end with their work should call this, servers should not.

    Returns:
        Whether the C library has the settings; only glibc has.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return False
    settings = ((_MMAP_THRESHOLD, 1024 * _MIB), (_TRIM_THRESHOLD, 2047 * _MIB), (_TOP_PAD, 64 * _MIB))
    return sum(mallopt(name, size) for name, size in settings) == len(settings)  # each returns 1 for success
