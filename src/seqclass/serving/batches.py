"""The loop of a worker process: requests that wait together are computed together."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from queue import Empty
from typing import Any, NamedTuple

from fastapi import HTTPException
from litserve import LitAPI
from litserve.loops import LitLoop
from litserve.utils import LitAPIStatus, LoopResponseType, PickleableHTTPException

_LOG = logging.getLogger(__name__)
_LOOK_SECONDS = 1.0


class _Waiting(NamedTuple):
    """A request as LitServe puts it into the queue."""

    consumer: int
    uid: str
    asked_at: float
    request: dict[str, Any]


class TextBatches(LitLoop):
    """Takes what waits, up to a number of texts, and computes it at once.

    A request that finds an idle worker is answered without delay, and under load the batches grow by themselves: there
    is no time to wait for more, as LitServe's own loop has, which also looks at an empty queue a thousand times a
    second. Batches are bounded by their texts, not by their requests.

    Args:
        batch_size: texts after which no further request is added.
    """

    def __init__(self, batch_size: int) -> None:
        super().__init__()
        self.batch_size = batch_size

    def run(  # type: ignore[override]
        self,
        lit_api: LitAPI,
        device: str,
        worker_id: int,
        request_queue: Any,
        transport: Any,
        workers_setup_status: Any,
        callback_runner: Any,
    ) -> None:
        """Answer one batch; LitServe calls it again and again."""
        batch = []
        for waiting in self._collected(request_queue):
            if time.monotonic() - waiting.asked_at > lit_api.request_timeout:
                too_late = HTTPException(504, "The service is too busy: the request has waited for too long")
                self._put(transport, waiting, PickleableHTTPException.from_exception(too_late), LitAPIStatus.ERROR)
            else:
                batch.append(waiting)
        if not batch:
            return
        for waiting, answer in zip(batch, self._answers(lit_api, batch), strict=True):
            if isinstance(answer, bytes):
                self._put(transport, waiting, answer, LitAPIStatus.OK)
            else:
                self._put(transport, waiting, PickleableHTTPException.from_exception(answer), LitAPIStatus.ERROR)

    def _collected(self, queue: Any) -> list[_Waiting]:
        found: list[_Waiting] = []
        texts = 0
        with suppress(Empty):
            while texts < self.batch_size:
                entry = queue.get_nowait() if found else queue.get(timeout=_LOOK_SECONDS)
                found.append(_Waiting(*entry))
                texts += len(found[-1].request["texts"])
        return found

    def _answers(self, lit_api: LitAPI, batch: Sequence[_Waiting]) -> list[bytes | HTTPException]:
        try:
            return lit_api.predict([waiting.request for waiting in batch])
        except Exception:
            _LOG.exception("a batch of %d requests could not be answered", len(batch))
            return [HTTPException(500, "Internal server error") for _ in batch]

    def _put(self, transport: Any, waiting: _Waiting, answer: Any, status: str) -> None:
        self.put_response(transport, waiting.consumer, waiting.uid, answer, status, LoopResponseType.REGULAR)
