"""`seqclass serve` as a process of its own: how it ends, and what becomes of the requests."""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import RemoteDisconnected
from pathlib import Path
from subprocess import PIPE, Popen
from threading import Event

import pytest
from support.http_client import free_port

pytest.importorskip("litserve", reason="lacks litserve: pip install 'seqclass[serve]'")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="lacks /proc")

NOT_TAKEN = (BrokenPipeError, ConnectionRefusedError, ConnectionResetError, RemoteDisconnected)
"""What a client meets whose connection the service has not accepted, or closed before it had asked."""


def processes_of(group):
    """The command lines of a group's processes, by their ids."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                state, _, of_group = (folder / "stat").read_text().rpartition(") ")[2].split()[:3]
                command = (folder / "cmdline").read_text()
            except OSError:
                continue
            if int(of_group) == group and state != "Z":
                found[int(folder.name)] = command
    return found


def spawned_by(process):
    return [pid for pid, command in processes_of(process.pid).items() if "multiprocessing.spawn" in command]


def workers_of(process):
    """The ids of the processes that hold the model: of the spawned ones, those that have loaded PyTorch."""
    return [pid for pid in spawned_by(process) if "libtorch" in Path(f"/proc/{pid}/maps").read_text()]


def ended(process):
    out, err = process.communicate(timeout=60)
    for _ in range(50):
        if not processes_of(process.pid):
            break
        time.sleep(0.1)
    assert processes_of(process.pid) == {}
    return out, err


def test_sigterm_answers_what_has_been_asked_and_ends(running):
    with running("--workers", "2", "--timeout", "60") as (client, process), ThreadPoolExecutor(16) as pool:
        workers = workers_of(process)
        assert len(workers) == 2
        for worker in workers:
            os.kill(worker, signal.SIGSTOP)
        asked = [pool.submit(client.answers, "a wonderful, superb film", explain=True) for _ in range(16)]
        time.sleep(1)
        process.terminate()
        for _ in range(100):  # no client that comes now waits for an end that does not come
            try:
                client.get("/health")
            except NOT_TAKEN:
                break
            time.sleep(0.05)
        else:
            pytest.fail("it takes new requests five seconds after SIGTERM")
        assert not any(answer.done() for answer in asked)
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
        assert [answer.result()[0]["labels"] for answer in asked] == [["pos"]] * 16
        out, err = ended(process)
    assert out == f"Serving model.ckpt at http://127.0.0.1:{client.port}; Ctrl-C ends\n"
    assert err == "Stopped: whatever was asked has been answered\n"
    assert process.returncode == 0


def test_ctrl_c_under_load_breaks_off_no_answer(running):
    with running() as (client, process), ThreadPoolExecutor(8) as pool:
        stop = Event()

        def ask():
            """Ask again and again; how often, and how the last time failed."""
            for count in range(100_000):
                try:
                    (answer,) = client.answers("a wonderful, superb film")
                except NOT_TAKEN as error:
                    return count, error
                assert answer["labels"] == ["pos"]
                if stop.is_set():
                    break
            return count, None

        asking = [pool.submit(ask) for _ in range(8)]
        time.sleep(1.5)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = ended(process)
        stop.set()
        counts = [asked.result()[0] for asked in asking]
    assert min(counts) > 0
    assert "Traceback" not in out + err
    assert err.endswith("Stopped: whatever was asked has been answered\n")
    assert process.returncode == 0


def test_a_signal_while_it_starts(checkpoint):
    command = [sys.executable, "-m", "seqclass", "serve", str(checkpoint), "--port", str(free_port())]
    with Popen(command, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True) as process:
        while not spawned_by(process):
            assert process.poll() is None
            time.sleep(0.02)
        process.terminate()
        out, err = ended(process)
    assert "Serving" not in out
    assert err == "\nseqclass: interrupted\n"
    assert process.returncode == 130


@pytest.mark.slow
def test_a_worker_that_is_killed_is_replaced(running):
    with running("--timeout", "3") as (client, process), ThreadPoolExecutor(1) as pool:
        (worker,) = workers_of(process)
        os.kill(worker, signal.SIGSTOP)
        asked = pool.submit(client.post, {"texts": ["a film"]})
        time.sleep(1)
        os.kill(worker, signal.SIGKILL)
        lost = asked.result()
        assert lost.status == 504
        assert lost.json["detail"] == "There was no answer within 3 seconds"
        for _ in range(100):
            if workers_of(process) not in ([], [worker]) and client.post({"texts": ["a film"]}).status == 200:
                break
            time.sleep(0.3)
        else:
            pytest.fail("no other worker has taken its place")
        process.terminate()
        ended(process)
