"""The model in a worker process."""

import signal
from collections.abc import Sequence
from pathlib import Path

import torch
from fastapi import HTTPException
from litserve import LitAPI

from seqclass.classifier import TextClassifier
from seqclass.errors import InputError
from seqclass.serving.answering import Request, answer_all
from seqclass.serving.batches import TextBatches
from seqclass.serving.limits import Limits

PATH = "/classify"


class TextAPI(LitAPI):
    """Loads a checkpoint in each worker process, and answers requests with it.

    Args:
        checkpoint: of a model that reads texts.
        limits: those that only the model can tell.
        batch_size: texts computed at a time.
        workers: processes that share the processor's cores.
    """

    def __init__(self, checkpoint: str | Path, limits: Limits, *, batch_size: int, workers: int) -> None:
        super().__init__(api_path=PATH, loop=TextBatches(batch_size))
        self._checkpoint = checkpoint
        self._limits = limits
        self._batch_size = batch_size
        self._workers = workers

    def setup(self, device: str) -> None:
        """Load the model; LitServe calls it in the worker process.

        Args:
            device: of the model, such as "cuda:0".
        """
        # Ctrl-C reaches every process of a terminal. The server has to wait for the answers of this one, and ends it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        torch.set_num_threads(max(1, torch.get_num_threads() // self._workers))
        self._classifier = TextClassifier.load(self._checkpoint, map_location=device)

    def predict(self, requests: Sequence[Request]) -> list[bytes | HTTPException]:
        """Answer the requests of a batch: the bodies of their responses, or errors."""
        answers = answer_all(self._classifier, requests, self._limits, batch_size=self._batch_size)
        return [HTTPException(422, str(answer)) if isinstance(answer, InputError) else answer for answer in answers]
