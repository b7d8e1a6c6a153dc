"""No request waits for ever."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi.responses import JSONResponse

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


class Deadline:
    """Answers with the status 504 what has no answer after some seconds.

    LitServe lets a request wait for its worker without end, even if that worker was killed with the request in hand.

    Args:
        app: the service.
        seconds: from the moment that the head of a request has been read.
    """

    def __init__(self, app: Callable[[Any, _Receive, _Send], Awaitable[None]], seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Any, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def sending(message: _Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await asyncio.wait_for(self._app(scope, receive, sending), self._seconds)
        except asyncio.TimeoutError:
            if begun:
                raise
            response = JSONResponse({"detail": f"There was no answer within {self._seconds:g} seconds"}, 504)
            await response(scope, receive, send)
