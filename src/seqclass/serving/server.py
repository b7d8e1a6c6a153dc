"""LitServe's server with this project's routes, and an end at which nothing is lost."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from litserve import LitServer
from litserve.server import RegularRequestHandler

from seqclass import __version__
from seqclass.classifier import MultiLabel, TextClassifier
from seqclass.errors import InputError
from seqclass.interop.model_card import model_card
from seqclass.serving.deadline import Deadline
from seqclass.serving.limits import Limits
from seqclass.serving.routes import replace_routes
from seqclass.serving.text_api import TextAPI

HOSTS = ("127.0.0.1", "0.0.0.0", "::")
PORTS = (1024, 65535)
_GRACE_SECONDS = 5


class TextServer(LitServer):
    """A service of a trained classifier: `POST /classify`, `/card`, `/health`, `/info`, `/docs` and a page at `/`.

    Args:
        checkpoint: of a model that reads texts.
        limits: of requests.
        workers: processes that each hold the model.
        batch_size: texts computed at a time.
        device: of the model, "cpu" or "cuda"; with several GPUs each has so many workers.

    Attributes:
        serving: whether the processes are there.

    Raises:
        InputError: the file is not a checkpoint, or its model does not read texts.
    """

    serving = False

    def __init__(
        self,
        checkpoint: str | Path,
        *,
        limits: Limits | None = None,
        workers: int = 1,
        batch_size: int = 64,
        device: str = "cpu",
    ) -> None:
        limits = limits or Limits()
        classifier = TextClassifier.load(checkpoint)
        pipeline = classifier.text_pipeline
        name = Path(checkpoint).name
        super().__init__(
            TextAPI(checkpoint, limits, batch_size=batch_size, workers=workers),
            accelerator=device,
            devices="auto",
            workers_per_device=workers,
            timeout=limits.timeout,
            max_payload_size=limits.max_bytes,
            restart_workers=True,
            middlewares=[(Deadline, {"seconds": limits.timeout})],
            model_metadata={
                "name": name,
                "labels": list(classifier.label_names),
                "several_labels": isinstance(classifier.task, MultiLabel),
                "maxlen": pipeline.maxlen,
                "seqclass": __version__,
            },
        )
        self.app.title = f"seqclass: {name}"
        self.app.version = __version__
        # Every request has an answer by then.
        self.uvicorn_graceful_timeout = limits.timeout + _GRACE_SECONDS
        replace_routes(
            self.app,
            RegularRequestHandler(self.lit_api, self),
            limits,
            card=model_card(classifier, name),
            authorize=self.setup_auth(self.lit_api),
        )

    def _start_server(
        self,
        port: int,
        num_uvicorn_servers: int,
        log_level: str,
        sockets: list[socket.socket],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        started = super()._start_server(port, num_uvicorn_servers, log_level, sockets, *args, **kwargs)
        host = sockets[0].getsockname()[0]
        # The servers' processes have it. As long as any other has, who connects while they end waits for nothing.
        for listening in sockets:
            listening.close()
        shown = f"[{host}]" if ":" in host else host
        self.serving = True
        print(f"Serving {self.model_metadata['name']} at http://{shown}:{port}; Ctrl-C ends", flush=True)
        return started

    def shut_down(self) -> None:
        """Answer what has been asked, and end; from any thread but the one that serves."""
        self._shutdown_event.set()


def serve(server: TextServer, *, host: str = "127.0.0.1", port: int = 8000, api_servers: int = 1) -> None:
    """Serve until SIGTERM or Ctrl-C, and answer first what has been asked by then.

    Args:
        server: the service.
        host: where it listens: 127.0.0.1 for this machine alone, 0.0.0.0 or :: for others too.
        port: likewise.
        api_servers: processes that read requests and write responses.

    Raises:
        InputError: it cannot listen there, or no worker has started.
    """
    _check_address(host, port)
    with _signals_end(server), _spawned_processes():
        try:
            server.run(
                host=host,
                port=port,
                num_api_servers=api_servers,
                log_level="warning",
                generate_client_file=False,
                api_server_worker_type="process",
            )
        except RuntimeError as error:
            raise InputError(f"the service could not start: {error}") from error
    print("Stopped: whatever was asked has been answered", file=sys.stderr)


def _check_address(host: str, port: int) -> None:
    """Find out whether it is free: uvicorn would end the process without an exception."""
    if host not in HOSTS:
        raise InputError(f"host is {host!r}; allowed are {', '.join(HOSTS)}")
    if not PORTS[0] <= port <= PORTS[1]:
        raise InputError(f"port is {port}; allowed are {PORTS[0]} to {PORTS[1]}")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise InputError(f"cannot listen at {host}, port {port}: {error.strerror}") from error


@contextmanager
def _signals_end(server: TextServer) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C shut LitServe down; by itself it leaves its processes behind after SIGTERM."""
    process = os.getpid()

    def end(*_: object) -> None:
        if os.getpid() != process:
            return  # forked processes inherit the handler; uvicorn, which has its own there, calls it when all is done
        if not server.serving:
            raise KeyboardInterrupt
        # Not from this thread: it waits for the event, over a connection that takes one call at a time.
        threading.Thread(target=server.shut_down, daemon=True).start()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _spawned_processes() -> Iterator[None]:
    """Start LitServe's helper without a copy of the open sockets, and leave no process behind if LitServe fails."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("spawn", force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)
        for process in multiprocessing.active_children():
            process.terminate()  # Python would wait for the workers, which do not end by themselves
