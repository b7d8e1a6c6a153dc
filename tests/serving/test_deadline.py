"""Requests whose answer does not come."""

import asyncio

import pytest

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")

from seqclass.serving.deadline import Deadline


def ask(app, seconds, kind="http"):
    """The messages that a request to the guarded app is answered with."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run(Deadline(app, seconds)({"type": kind, "path": "/", "method": "GET", "headers": []}, receive, send))
    return sent


async def never(scope, receive, send):
    await asyncio.Event().wait()


async def at_once(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.Event().wait()


def test_without_an_answer_it_is_a_504():
    start, body = ask(never, 0.05)
    assert start["status"] == 504
    assert body["body"] == b'{"detail":"There was no answer within 0.05 seconds"}'


def test_an_answer_passes():
    assert [message["type"] for message in ask(at_once, 5)] == ["http.response.start", "http.response.body"]


def test_half_an_answer_is_broken_off():
    with pytest.raises(asyncio.TimeoutError):
        ask(half, 0.05)


def test_only_requests_have_a_deadline():
    async def longer(scope, receive, send):
        await asyncio.sleep(0.1)
        await send({"type": "lifespan.startup.complete"})

    assert ask(longer, 0.05, kind="lifespan") == [{"type": "lifespan.startup.complete"}]
