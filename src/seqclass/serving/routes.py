"""What the service answers besides LitServe's own paths, and how it refuses wrong requests."""

import base64
import hashlib
import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from litserve.server import BaseRequestHandler

from seqclass.serving.limits import Limits
from seqclass.serving.schema import Answers, Refusal, TextsRequest, request_model
from seqclass.serving.text_api import PATH

_SHOWN_CHARACTERS = 60
_REFUSALS = (413, 422, 504)


def replace_routes(
    app: FastAPI, handler: BaseRequestHandler, limits: Limits, *, card: str, authorize: Callable[..., Any]
) -> None:
    """Put this project's routes in place of those that LitServe has made at the same paths.

    Args:
        app: LitServe's.
        handler: hands a request to the workers, and waits for its answer.
        limits: of requests.
        card: the model's, in Markdown.
        authorize: refuses who may not ask; the page is shown to everybody.
    """
    router, guarded = APIRouter(), APIRouter(dependencies=[Depends(authorize)])
    body = request_model(limits)
    page = files("seqclass.serving").joinpath("page.html").read_text(encoding="utf-8")
    headers = {"Content-Security-Policy": _policy(page), "X-Content-Type-Options": "nosniff"}

    @router.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def try_it() -> HTMLResponse:
        return HTMLResponse(page, headers=headers)

    @guarded.get("/card", response_class=PlainTextResponse)
    async def model_card() -> Response:
        """Return what the model is, and what it was trained on, as Markdown."""
        return Response(card, media_type="text/markdown; charset=utf-8")

    @guarded.post(PATH, response_model=Answers, responses={status: {"model": Refusal} for status in _REFUSALS})
    async def classify(request: body) -> Response:  # type: ignore[valid-type]
        """Classify texts: labels and probabilities, and on request the words that they hang on."""
        asked: TextsRequest = request
        if asked.explain and len(asked.texts) > limits.max_explained:
            raise HTTPException(
                422, f"explain is true for {len(asked.texts)} texts; it is allowed for at most {limits.max_explained}"
            )
        answer = await handler.handle_request(asked.model_dump(), dict)
        return Response(answer, media_type="application/json")

    async def too_large(*_: object) -> JSONResponse:
        return JSONResponse({"detail": f"The request is too large; allowed are {limits.max_bytes:,} bytes"}, 413)

    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) not in ("/", PATH)]
    app.include_router(router)
    app.include_router(guarded)
    app.add_exception_handler(413, too_large)
    app.add_exception_handler(RequestValidationError, _refuse)


def _policy(page: str) -> str:
    """Allow the page its own script and this service, and nothing else."""
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'"
    return f"{allowed}; script-src 'sha256-{digest}'"


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request and where, without sending all of it back."""
    assert isinstance(error, RequestValidationError)
    return JSONResponse({"detail": [_shown(problem) for problem in error.errors()]}, 422)


def _shown(problem: dict[str, Any]) -> dict[str, str]:
    _, *place = problem["loc"]
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
    if problem["type"] == "json_invalid" or not where:
        hint = 'expected is JSON such as {"texts": ["a wonderful film"]}, sent as application/json'
        return {"where": "body", "problem": f"{problem['msg']}; {hint}"}
    found = repr(problem.get("input"))
    if len(found) > _SHOWN_CHARACTERS:
        found = f"{found[:_SHOWN_CHARACTERS]}..."
    return {"where": where, "problem": problem["msg"], "found": found.encode("ascii", "backslashreplace").decode()}
