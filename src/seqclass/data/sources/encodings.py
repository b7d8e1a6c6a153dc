"""Which encodings a file could be in."""

import codecs
from collections.abc import Iterable
from pathlib import Path

from seqclass.compressed import open_binary, readable

COMMON = ("utf-8", "cp1252", "cp1251", "shift_jis", "gb18030", "euc_kr", "latin-1")
"""UTF-8, Windows' for Western Europe and Cyrillic, Japan's, China's, Korea's; in the last every byte is valid."""

_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CHUNK_BYTES = 1 << 20
_EXCERPT = 30


def fitting_encodings(paths: Iterable[Path]) -> dict[str, str]:
    """Find the common encodings in which all bytes of the files are valid.

    A byte-order mark, or the zero bytes of UTF-16, settle it; otherwise several may fit, and only a reader can tell
    which one is right.

    Args:
        paths: the files; compressed if they end in `.gz`.

    Returns:
        The encodings, each with an excerpt around the first character beyond ASCII, "" if there is none.

    Raises:
        InputError: if a file cannot be read.
    """
    found = dict.fromkeys(COMMON, "")
    for path in paths:
        with readable(path), open_binary(path) as file:
            start = file.read(_CHUNK_BYTES)
            fits = {name: codecs.getincrementaldecoder(name)() for name in _candidates(start, list(found))}
            excerpts = {name: found.get(name, "") for name in fits}
            chunk = start
            while fits:
                for name, decoder in list(fits.items()):
                    text = _decoded(decoder, chunk)
                    if text is None:
                        del fits[name]
                    else:
                        excerpts[name] = excerpts[name] or _excerpt(text)
                if not chunk:
                    break
                chunk = file.read(_CHUNK_BYTES)
        found = {name: excerpts[name] for name in fits}
    return found


def _candidates(start: bytes, still: list[str]) -> list[str]:
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            return [name]
    if b"\0" in start:
        return ["utf-16-le", "utf-16-be"] if start[1:2] == b"\0" else ["utf-16-be", "utf-16-le"]
    return still


def _decoded(decoder: codecs.IncrementalDecoder, chunk: bytes) -> str | None:
    try:
        return decoder.decode(chunk, final=not chunk)
    except UnicodeError:  # UTF-16 without its mark is none of Python's UnicodeDecodeErrors
        return None


def _excerpt(text: str) -> str:
    at = next((number for number, char in enumerate(text) if not char.isascii()), None)
    if at is None:
        return ""
    around = " ".join(text[max(at - _EXCERPT, 0) : at + _EXCERPT].split())
    # Wrong encodings give many control characters, which could control the terminal.
    return "".join(char if char.isprintable() else "\ufffd" for char in around)
