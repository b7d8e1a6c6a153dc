"""A download that is resumed after a break, verified, and never visible half done."""

import hashlib
import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from seqclass.errors import InputError

_CHUNK = 1 << 16


class _BrokenError(Exception):
    """An attempt failed in a way that may pass."""


def download(url: str, target: Path, *, md5: str, attempts: int = 3, timeout: float = 30.0, pause: float = 1.0) -> None:
    """Download the file at `url` to `target`, unless it exists already.

    The bytes go to `target` + ".part", which a later call continues from, and only a complete file with the
    right checksum is renamed to `target`. Of two processes that start at once, one waits for the other.

    Args:
        url: http or https address.
        target: where the file belongs; missing folders are made.
        md5: hex digest of the file.
        attempts: how many attempts without progress to make. A client error such as 404 is not tried again.
        timeout: longest silence of the server, in seconds.
        pause: seconds before the second attempt; doubled before each later one.

    Raises:
        InputError: all attempts failed, or the file cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.exists():
                _fetch(url, target, md5=md5, attempts=attempts, timeout=timeout, pause=pause)
    except OSError as error:
        raise InputError(f"cannot write the download to {target}: {error.strerror or error}") from error


def _fetch(url: str, target: Path, *, md5: str, attempts: int, timeout: float, pause: float) -> None:
    part = target.with_name(target.name + ".part")
    failures = 0
    with _progress_bar() as bar:
        task = bar.add_task(f"Downloading {target.name}", total=None)
        while failures < attempts:
            if failures:
                time.sleep(pause * 2 ** (failures - 1))
            before = _size(part)
            try:
                for done, total in _append(url, part, timeout=timeout):
                    bar.update(task, completed=done, total=total)
                _check_md5(part, md5)
            except _BrokenError as error:
                reason = error
                # A long download over a bad line may break often, as long as each attempt makes progress.
                failures = 1 if _size(part) > before else failures + 1
            else:
                part.replace(target)
                return
    raise InputError(f"cannot download {url} ({attempts} attempts): {reason}")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(url: str, part: Path, *, timeout: float) -> Iterator[tuple[int, int | None]]:
    """Make `part` complete: continue it if the server can, else start again.

    Yields:
        The number of bytes so far, and that of the whole file if the server says.

    Raises:
        _BrokenError: the connection failed or ended early; the bytes so far are kept.
        InputError: the server refuses for good.
    """
    have = _size(part)
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416:  # nothing after what we have: complete, or another file; the checksum tells which
            return
        if error.code >= 500 or error.code in (408, 429):
            raise _BrokenError(f"the server answers {error.code} {error.reason}") from error
        raise InputError(f"cannot download {url}: the server answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(str(getattr(error, "reason", error))) from error

    with response:
        if response.status != 206:  # the whole file: the server ignored the Range
            have = 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with part.open("ab" if have else "wb") as file:
            while chunk := _read(response):
                file.write(chunk)
                have += len(chunk)
                yield have, total
    if total is not None and have < total:
        raise _BrokenError(f"the connection ended after {have} of {total} bytes")


def _read(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(f"the connection broke: {error}") from error


def _check_md5(part: Path, expected: str) -> None:
    """Remove `part` if its checksum is wrong, since any of its bytes may be."""
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    if digest.hexdigest() != expected:
        part.unlink()
        raise _BrokenError(f"its md5 is {digest.hexdigest()}, expected is {expected}")


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
    )
