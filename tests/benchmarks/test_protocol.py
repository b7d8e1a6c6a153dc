"""The protocol between host and worker, with a worker that does all it can to break it."""

import pytest

from benchmarks.protocol import Session, WorkerError


def test_calls_are_answered_in_order_whatever_the_worker_prints(tiny_worker):
    assert [tiny_worker.call("add", left=left, right=1) for left in range(3)] == [1, 2, 3]
    for noise in ("noise from Python", "noise from a child process", "noise from below Python"):
        assert noise in tiny_worker.log()


def test_an_error_is_an_answer_and_the_worker_goes_on(tiny_worker):
    with pytest.raises(WorkerError, match=r"^ValueError: no such stack$"):
        tiny_worker.call("fail", message="no such stack")
    assert "Traceback" in tiny_worker.log()
    assert tiny_worker.call("add", left=1, right=1) == 2


@pytest.mark.parametrize("method", ["hidden", "absent", "nothing", "__init__"])
def test_only_the_served_methods_can_be_called(tiny_worker, method):
    with pytest.raises(WorkerError, match=f"NotImplementedError: this worker cannot {method}"):
        tiny_worker.call(method)


def test_a_wrong_parameter_is_an_answer(tiny_worker):
    with pytest.raises(WorkerError, match="TypeError"):
        tiny_worker.call("add", left=1)


def test_a_death_has_its_exit_status_and_last_words(tiny_worker):
    with pytest.raises(WorkerError, match=r"died in die \(exit status 3\): last words"):
        tiny_worker.call("die")
    with pytest.raises(WorkerError, match="died in add"):
        tiny_worker.call("add", left=1, right=1)


def test_a_slow_answer_ends_the_worker(tiny_worker):
    with pytest.raises(WorkerError, match=r"sleep took more than 0.3 s"):
        tiny_worker.call("sleep", seconds=30, timeout=0.3)
    with pytest.raises(WorkerError, match="died"):
        tiny_worker.call("add", left=1, right=1)


def test_an_answer_that_is_no_json_is_an_error():
    with (
        Session(["sh", "-c", "read line; echo hello"], {"PATH": "/usr/bin:/bin"}) as session,
        pytest.raises(WorkerError, match="something other than JSON: 'hello"),
    ):
        session.call("add")


def test_a_worker_that_never_started_is_an_error():
    with (
        Session(["sh", "-c", "echo no module named keras >&2; exit 1"], {"PATH": "/usr/bin:/bin"}) as session,
        pytest.raises(WorkerError, match="no module named keras"),
    ):
        session.call("build")
