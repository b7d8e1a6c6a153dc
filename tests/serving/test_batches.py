"""The loop of a worker: what it takes from the queue, and what it does about what is late or fails."""

import time
from queue import Queue

import pytest

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")

from fastapi import HTTPException
from litserve.utils import LitAPIStatus

from seqclass.serving.batches import TextBatches


class Api:
    """Answers with the number of texts of the whole batch."""

    request_timeout = 5

    def __init__(self):
        self.batches = []

    def predict(self, requests):
        self.batches.append([len(request["texts"]) for request in requests])
        if any("fails" in request["texts"] for request in requests):
            raise RuntimeError("broken")
        return [b"answer" for _ in requests]


class Transport:
    def __init__(self):
        self.sent = {}

    def send(self, item, consumer_id):
        uid, (answer, status, *_) = item
        self.sent[uid] = (consumer_id, answer, status)


@pytest.fixture
def worker():
    loop, api, transport, queue = TextBatches(batch_size=6), Api(), Transport(), Queue()

    def run():
        loop.run(api, "cpu", 0, queue, transport, {}, None)

    return run, api, transport.sent, queue


def put(queue, uid, texts, *, waited=0.0, consumer=0):
    queue.put((consumer, uid, time.monotonic() - waited, {"texts": texts, "explain": False}))


def test_takes_what_waits_up_to_a_number_of_texts(worker):
    run, api, sent, queue = worker
    for uid, texts in {"a": 2, "b": 3, "c": 4, "d": 9, "e": 1}.items():
        put(queue, uid, ["text"] * texts)
    for _ in range(3):
        run()
    assert api.batches == [[2, 3, 4], [9], [1]]
    assert {uid: entry[1:] for uid, entry in sent.items()} == dict.fromkeys("abcde", (b"answer", LitAPIStatus.OK))


def test_an_answer_goes_to_the_server_that_asked(worker):
    run, _, sent, queue = worker
    put(queue, "a", ["text"], consumer=0)
    put(queue, "b", ["text"], consumer=3)
    run()
    assert [sent[uid][0] for uid in "ab"] == [0, 3]


def test_what_has_waited_too_long_is_not_computed(worker):
    run, api, sent, queue = worker
    put(queue, "late", ["text"], waited=6)
    put(queue, "good", ["text"] * 2, waited=4)
    run()
    assert api.batches == [[2]]
    _, error, status = sent["late"]
    assert status == LitAPIStatus.ERROR
    assert isinstance(error, HTTPException)
    assert error.status_code == 504
    assert "too busy" in error.detail


def test_a_batch_that_fails_is_an_error_each_and_not_the_end(worker, caplog):
    run, _, sent, queue = worker
    put(queue, "a", ["text"])
    put(queue, "b", ["fails"])
    run()
    assert [sent[uid][1].status_code for uid in "ab"] == [500, 500]
    assert "a batch of 2 requests could not be answered" in caplog.text
    assert "broken" in caplog.text
    assert "broken" not in sent["a"][1].detail
    put(queue, "c", ["text"])
    run()
    assert sent["c"][1] == b"answer"


def test_an_empty_queue_is_waited_for_not_asked_again_and_again(worker):
    run, api, sent, _ = worker
    began = time.process_time()
    run()
    assert time.process_time() - began < 0.1
    assert not api.batches
    assert not sent
