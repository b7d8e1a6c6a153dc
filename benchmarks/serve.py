"""``serve``: texts a second and how long a request takes, of ``seqclass serve`` with 1, 8 and 64 clients.

The model has the notebook's sizes and was not trained: neither changes how long it takes. The texts are made up, with
the lengths of IMDB's reviews. Service and clients run on this machine, over the loopback, and share its processors: the
clients, which do little, take some of what the service would have.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np

from benchmarks import environment
from benchmarks.data import LOG_LENGTH_SPREAD, MEDIAN_LENGTH
from benchmarks.load import HOST, Load, LoadError, ask
from benchmarks.options import Common, say
from benchmarks.results import Result

CLIENTS = (1, 8, 64)
REQUESTS = 5_000
QUICK_REQUESTS = 200
SECONDS = 30.0
"""After which a number of clients is done, however many requests it had."""
WARM_UP = 50
TEXTS = 200
"""Different ones."""
NUM_WORDS = 5_000
MAXLEN = 500
VERSIONS = ("seqclass", "torch", "litserve", "fastapi", "uvicorn")
PATH = "/classify"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options that only this question has."""
    parser.set_defaults(default_stacks=("cnn_lstm",))
    parser.add_argument("--clients", type=int, action="append", help="may be repeated (default 1, 8 and 64)")
    parser.add_argument("--requests", type=int, help=f"at most (default {REQUESTS:,}, quick {QUICK_REQUESTS:,})")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="at most, for each number of clients")
    parser.add_argument("--texts", type=int, default=1, help="in each request")
    parser.add_argument("--workers", type=int, default=1, help="of the service")
    parser.add_argument("--checkpoint", type=Path, help="a model to serve instead of an untrained one")


def run(arguments: argparse.Namespace, common: Common) -> Result:
    """Serve, ask, and return the result."""
    result = common.result("serve", {"source": "synthetic"})
    requests = arguments.requests or (QUICK_REQUESTS if common.quick else REQUESTS)
    bodies = list(request_bodies(arguments.texts, seed=common.seed))
    for stack in common.stacks:
        with tempfile.TemporaryDirectory() as name:
            checkpoint = arguments.checkpoint or untrained(stack, Path(name) / "model.ckpt")
            with service(checkpoint, workers=arguments.workers, common=common) as port:
                warm_up = {"path": PATH, "clients": 1, "seconds": arguments.seconds}
                ask(port, bodies, requests=WARM_UP, **warm_up)
                for clients in arguments.clients or CLIENTS:
                    say(f"serve: {stack}, {clients} clients")
                    settings = {
                        "clients": clients,
                        "texts": arguments.texts,
                        "workers": arguments.workers,
                        "requests": requests,
                    }
                    row = {"stack": stack, "implementation": "seqclass", "settings": settings}
                    try:
                        load = ask(port, bodies, requests=requests, **{**warm_up, "clients": clients})
                    except LoadError as error:
                        result.add_failed(**row, reason=str(error))
                    else:
                        versions = environment.versions(VERSIONS)
                        result.add(**row, versions=versions, **figures(load, arguments.texts))
    return result


def figures(load: Load, texts: int) -> dict[str, Any]:
    """What a row says of a load."""
    middle, slowest = np.quantile(load.latencies_ms, [0.5, 0.99])
    return {
        "texts_per_second": round(len(load.latencies_ms) * texts / load.seconds, 1),
        "p50_ms": round(float(middle), 3),
        "p99_ms": round(float(slowest), 3),
        "seconds": round(load.seconds, 2),
        "samples": {"latencies_ms": [round(latency, 3) for latency in load.latencies_ms]},
    }


def untrained(stack: str, path: Path) -> Path:
    """Write the checkpoint of a model of the notebook's sizes that reads the made-up words."""
    from seqclass.classifier import TextClassifier
    from seqclass.models import StackOptions
    from seqclass.text import TextPipeline, Tokenizer, Vocabulary

    pipeline = TextPipeline(
        tokenizer=Tokenizer(),
        vocabulary=Vocabulary(tuple(_words()), num_words=NUM_WORDS, unseen_words="oov"),
        maxlen=MAXLEN,
    )
    options = StackOptions(stack=stack, num_embeddings=pipeline.num_ids, num_classes=2)
    TextClassifier(options, pipeline=pipeline, label_names=("neg", "pos")).save(path)
    return path


def request_bodies(texts: int, *, seed: int) -> Iterator[bytes]:
    """Requests of so many texts each; Zipf's law gives the words, and IMDB's reviews their number."""
    random = np.random.default_rng(seed)
    words = np.array(_words())
    shares = np.cumsum(1 / np.arange(1, len(words) + 1))
    lengths = np.exp(random.normal(np.log(MEDIAN_LENGTH), LOG_LENGTH_SPREAD, TEXTS * texts)).astype(int) + 1
    drawn = [" ".join(words[np.searchsorted(shares, random.random(length) * shares[-1])]) for length in lengths]
    for start in range(0, len(drawn), texts):
        yield json.dumps({"texts": drawn[start : start + texts]}).encode()


def _words() -> list[str]:
    return [f"w{number}" for number in range(2 * NUM_WORDS)]


@contextmanager
def service(checkpoint: Path, *, workers: int, common: Common) -> Iterator[int]:
    """Start the service, and hand out its port when it is ready.

    Raises:
        RuntimeError: if it does not come up; the message has the end of what it printed.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    command = ["serve", str(checkpoint), "--port", str(port), "--workers", str(workers), "--device", common.device]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "seqclass", *command],
            env={**os.environ, "OMP_NUM_THREADS": str(common.threads)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            while not _ready(port):
                if process.poll() is not None:
                    output.seek(0)
                    raise RuntimeError(f"seqclass serve failed: {output.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield port
        finally:
            process.terminate()
            process.wait()


def _ready(port: int) -> bool:
    try:
        with urlopen(f"http://{HOST}:{port}/health", timeout=10) as response:
            return bool(response.status == 200)
    except URLError:
        return False
