"""Clients of a service, here of one that is made up, and once of the real one."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from benchmarks import __main__ as command_line
from benchmarks import load, results, serve
from seqclass.classifier import TextClassifier


class Service:
    """Answers each request after some seconds, and notes what came."""

    def __init__(self, seconds=0.0, status=200):
        self.bodies, self.connections = bodies, connections = [], []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                connections.append(self.client_address)
                super().setup()

            def do_POST(self):  # named by the library
                assert self.path == "/classify"
                bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
                time.sleep(seconds)
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.handler = Handler

    @contextmanager
    def running(self):
        with ThreadingHTTPServer(("127.0.0.1", 0), self.handler) as server:
            server.daemon_threads = False  # wait for them
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            yield server.server_port
            server.shutdown()
            thread.join()


def ask(port, **options):
    return load.ask(
        port, [b"one", b"two"], **{"path": "/classify", "clients": 1, "requests": 10, "seconds": 60, **options}
    )


def test_clients_share_the_requests_over_a_connection_each():
    service = Service()
    with service.running() as port:
        found = ask(port, clients=4, requests=21)
    assert len(found.latencies_ms) == len(service.bodies) == 21
    assert len(service.connections) == 4
    assert (service.bodies.count(b"one"), service.bodies.count(b"two")) == (11, 10)


def test_times_are_those_of_the_service():
    with Service(seconds=0.05).running() as port:
        one = ask(port, clients=1, requests=4)
        four = ask(port, clients=4, requests=8)
    assert all(50 <= latency < 500 for latency in one.latencies_ms + four.latencies_ms)
    assert 0.2 <= one.seconds < 1
    assert 0.1 <= four.seconds < 0.5
    assert serve.figures(four, texts=3)["texts_per_second"] == pytest.approx(24 / four.seconds, rel=0.01)


def test_time_ends_it_too():
    with Service(seconds=0.02).running() as port:
        found = ask(port, requests=10_000, seconds=0.2)
    assert 2 <= len(found.latencies_ms) <= 11
    assert 0.2 <= found.seconds < 1


def test_an_error_is_no_answer():
    with (
        Service(status=503).running() as port,
        pytest.raises(load.LoadError, match=r"503 Service Unavailable: \{\}"),
    ):
        ask(port)


def test_the_99th_percentile_is_that_of_the_slowest():
    figures = serve.figures(load.Load(2.0, [1.0] * 98 + [50.0, 100.0]), texts=1)
    assert (figures["p50_ms"], figures["texts_per_second"]) == (1.0, 50.0)
    assert 50.0 <= figures["p99_ms"] < 51.0


def test_the_untrained_model_reads_the_requests(tmp_path):
    classifier = TextClassifier.load(serve.untrained("cnn_lstm", tmp_path / "model.ckpt"))
    assert sum(parameter.numel() for parameter in classifier.parameters()) == 216_405
    bodies = list(serve.request_bodies(2, seed=7))
    assert len(bodies) == serve.TEXTS
    texts = [text for body in bodies for text in json.loads(body)["texts"]]
    encoded = classifier.pipeline.encode_all(texts)
    assert not classifier.pipeline.without_words(encoded).any()
    lengths = sorted(len(text.split()) for text in texts)
    assert lengths[len(lengths) // 2] == pytest.approx(serve.MEDIAN_LENGTH, rel=0.15)
    assert bodies == list(serve.request_bodies(2, seed=7))


def test_a_service_that_does_not_come_up(tmp_path):
    (tmp_path / "broken.ckpt").write_bytes(b"nothing")
    arguments = ["--checkpoint", str(tmp_path / "broken.ckpt"), "--device", "cpu", "--threads", "1", "--quick"]
    with pytest.raises(RuntimeError, match=r"seqclass serve failed: .*broken\.ckpt is not a checkpoint"):
        command_line.main(["serve", *arguments])


@pytest.mark.slow
def test_the_question(tmp_path, capsys):
    pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")
    file = tmp_path / "result.json"
    options = ["--clients", "1", "--clients", "4", "--requests", "40", "--threads", "1", "--device", "cpu"]
    command_line.main(["serve", *options, "--json", str(file)])
    rows = results.read(file).rows
    assert [row["settings"]["clients"] for row in rows] == [1, 4]
    for row in rows:
        assert row["status"] == "ok"
        assert len(row["samples"]["latencies_ms"]) == 40
        assert 0 < row["p50_ms"] <= row["p99_ms"]
        assert row["texts_per_second"] > 1
    printed = capsys.readouterr().out
    assert "| `cnn_lstm`, 1 client |" in printed
    assert "| `cnn_lstm`, 4 clients |" in printed
    assert "litserve" in printed
