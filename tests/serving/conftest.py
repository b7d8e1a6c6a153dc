"""A service within this process, and the command as a process of its own; each answers over HTTP."""

import signal
import sys
import time
from contextlib import contextmanager
from queue import Queue
from subprocess import PIPE, Popen
from threading import Event, Thread

import pytest
from support.http_client import Client, free_port


@pytest.fixture(scope="session")
def serving(checkpoint):
    """Run every part of a service in threads of this process; its limits are narrow. Gives a client."""

    @contextmanager
    def start():
        import uvicorn
        from litserve.transport.process_transport import MPQueueTransport
        from litserve.utils import WorkerSetupStatus

        from seqclass.serving import Limits
        from seqclass.serving.server import TextServer

        limits = Limits(
            max_texts=5, max_characters=200, max_explained=2, max_explained_words=20, max_bytes=2_000, timeout=20
        )
        server = TextServer(checkpoint, limits=limits)
        api = server.lit_api
        interrupts = signal.getsignal(signal.SIGINT)
        api.setup("cpu")
        signal.signal(signal.SIGINT, interrupts)
        server.litapi_request_queues = {api.api_path: Queue()}
        server._transport = MPQueueTransport(None, [Queue()])
        server.workers_setup_status = {"classify_0": WorkerSetupStatus.READY}
        server.app.response_queue_id = 0
        port, ended = free_port(), Event()
        web = uvicorn.Server(uvicorn.Config(server.app, port=port, log_level="error"))

        def work():
            while not ended.is_set():
                api.loop.run(api, "cpu", 0, server._get_request_queue(api.api_path), server._transport, {}, None)

        threads = [Thread(target=web.run), Thread(target=work)]
        for thread in threads:
            thread.start()
        while not web.started:
            assert threads[0].is_alive()
            time.sleep(0.05)
        try:
            yield Client(port)
        finally:
            web.should_exit = True
            ended.set()
            for thread in threads:
                thread.join(timeout=30)

    return start


@pytest.fixture(scope="session")
def served_in_process(serving):
    with serving() as client:
        yield client


def wait_until_healthy(client, process=None):
    for _ in range(600):
        if process is not None and process.poll() is not None:
            pytest.fail(f"the service ended at once: {process.communicate()}")
        try:
            if client.get("/health").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.1)
    pytest.fail("the service is not healthy after a minute")


@pytest.fixture
def running(checkpoint):
    """Start `seqclass serve` with options; a client and the process, which is gone afterwards."""

    @contextmanager
    def start(*options):
        port = free_port()
        command = [sys.executable, "-m", "seqclass", "serve", str(checkpoint), "--port", str(port), *options]
        # A group of its own, so that a signal can reach all its processes, as from a terminal.
        with Popen(command, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as process:
            client = Client(port)
            try:
                wait_until_healthy(client, process)
                yield client, process
            finally:
                if process.poll() is None:
                    process.terminate()

    return start
