"""Clients that ask an HTTP service on this machine, each its next request when the last has its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import cycle, islice

HOST = "127.0.0.1"
"""Nothing else is ever asked."""


class LoadError(RuntimeError):
    """The service answered with an error; the message has its beginning."""


@dataclass
class Load:
    """What the clients have seen.

    Attributes:
        seconds: from the first request to the last answer.
        latencies_ms: of each request, in the order of the answers.
    """

    seconds: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)


def ask(port: int, bodies: Sequence[bytes], *, path: str, clients: int, requests: int, seconds: float) -> Load:
    """Let clients ask side by side, each over a connection of its own that stays open.

    Args:
        port: of the service.
        bodies: JSON of the requests, which take turns.
        path: that is posted to.
        clients: how many ask at a time.
        requests: of all clients together, at most.
        seconds: after which no client asks again.

    Raises:
        LoadError: an answer is none.
    """
    return asyncio.run(_ask(port, bodies, path, clients, requests, seconds))


async def _ask(port: int, bodies: Sequence[bytes], path: str, clients: int, requests: int, seconds: float) -> Load:
    messages = islice(cycle([_message(path, body) for body in bodies]), requests)
    load = Load()
    connections = [await asyncio.open_connection(HOST, port) for _ in range(clients)]
    began = time.perf_counter()
    asking = (_client(reader, writer, messages, load, began + seconds) for reader, writer in connections)
    try:
        await asyncio.gather(*asking)
    finally:
        load.seconds = time.perf_counter() - began
        for _, writer in connections:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
    return load


def _message(path: str, body: bytes) -> bytes:
    lines = (f"POST {path} HTTP/1.1", f"Host: {HOST}", "Content-Type: application/json", f"Content-Length: {len(body)}")
    head = "".join(f"{line}\r\n" for line in (*lines, ""))
    return head.encode() + body


async def _client(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, messages: Iterator[bytes], load: Load, ends: float
) -> None:
    for message in messages:
        began = time.perf_counter()
        writer.write(message)
        await _answer(reader)
        now = time.perf_counter()
        load.latencies_ms.append(1000 * (now - began))
        if now > ends:
            return


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    length = next(int(line.split(":")[1]) for line in head if line.lower().startswith("content-length:"))
    body = await reader.readexactly(length)
    if " 200 " not in head[0]:
        raise LoadError(f"{head[0]}: {body[:200].decode(errors='replace')}")
    return body
