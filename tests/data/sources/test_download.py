"""Against a real server on the loopback, which misbehaves as it is told to."""

import hashlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing import get_context

import pytest

from seqclass.data.sources.download import download
from seqclass.errors import InputError

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT, and notes the Range of every request.

    Attributes:
        plan: what to do for each request in turn, then plain service: "break" in the middle, "wrong" bytes, or a
            status.
        ranges: whether it honours Range.
    """

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.plan = []
        self.ranges = True
        self.seen = []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/file.tar.gz"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.seen.append(wanted)
        action = server.plan.pop(0) if server.plan else None
        if isinstance(action, int):
            self.send_error(action)
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and server.ranges else 0
        if start >= len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if action == "wrong":
            body = bytes(len(body))
        self.wfile.write(body[: len(body) // 2] if action == "break" else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def fetch(server, folder, **options):
    target = folder / "deep" / "file.tar.gz"
    download(server.url, target, md5=MD5, pause=0.01, timeout=5, **options)
    assert target.read_bytes() == CONTENT
    assert not target.with_name("file.tar.gz.part").exists()


def test_a_download(server, tmp_path, capfd):
    fetch(server, tmp_path)
    assert server.seen == [None]
    assert capfd.readouterr().out == "", "progress belongs on stderr"


def test_what_is_there_is_not_downloaded_again(server, tmp_path):
    fetch(server, tmp_path)
    fetch(server, tmp_path)
    assert len(server.seen) == 1


def test_a_break_is_continued(server, tmp_path):
    server.plan = ["break", "break", "break", "break"]
    fetch(server, tmp_path, attempts=2)  # each attempt gets further, so none of the breaks is the last
    half = len(CONTENT) // 2
    assert server.seen[:3] == [None, f"bytes={half}-", f"bytes={half + half // 2}-"]
    assert len(server.seen) == 5


def test_a_server_without_range_starts_again(server, tmp_path):
    server.ranges = False
    server.plan = ["break"]
    fetch(server, tmp_path)
    assert len(server.seen) == 2


def test_an_earlier_run_is_continued(server, tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.tar.gz.part").write_bytes(CONTENT[:1000])
    fetch(server, tmp_path)
    assert server.seen == ["bytes=1000-"]


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more", b"\0" * 500], ids=["all", "too much", "other"])
def test_any_leftover_ends_in_the_right_file(server, tmp_path, part):
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "file.tar.gz.part").write_bytes(part)
    fetch(server, tmp_path)


def test_wrong_bytes_are_fetched_again(server, tmp_path):
    server.plan = ["wrong"]
    fetch(server, tmp_path)
    assert server.seen == [None, None]


def test_always_wrong_bytes_are_never_kept(server, tmp_path):
    server.plan = ["wrong"] * 9
    with pytest.raises(InputError, match=rf"cannot download .*its md5 is [0-9a-f]{{32}}, expected is {MD5}"):
        download(server.url, tmp_path / "file.tar.gz", md5=MD5, pause=0.01)
    assert len(server.seen) == 3
    assert [path.name for path in tmp_path.iterdir()] in ([], ["file.tar.gz.lock"])


def test_a_server_in_trouble_is_asked_again(server, tmp_path):
    server.plan = [503, 429]
    fetch(server, tmp_path)
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [404, 403])
def test_a_refusal_is_final(server, tmp_path, status):
    server.plan = [status]
    with pytest.raises(InputError, match=f"the server answers {status}"):
        download(server.url, tmp_path / "file.tar.gz", md5=MD5)
    assert len(server.seen) == 1


def test_nobody_listens(tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/file.tar.gz"
    with pytest.raises(InputError, match=r"cannot download .* \(2 attempts\): .*refused"):
        download(url, tmp_path / "file.tar.gz", md5=MD5, attempts=2, pause=0.01)


def test_a_silent_server(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/file.tar.gz"
        with pytest.raises(InputError, match="timed out"):
            download(url, tmp_path / "file.tar.gz", md5=MD5, attempts=1, timeout=0.2)


def test_a_folder_that_cannot_be_made(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match=r"cannot write the download to .*file/file\.tar\.gz"):
        download(server.url, tmp_path / "file" / "file.tar.gz", md5=MD5)


def test_two_processes_download_once(server, tmp_path):
    context = get_context("spawn")
    arguments = (server.url, tmp_path / "file.tar.gz")
    processes = [context.Process(target=download, args=arguments, kwargs={"md5": MD5}) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(300)
        assert process.exitcode == 0
    assert len(server.seen) == 1
    assert (tmp_path / "file.tar.gz").read_bytes() == CONTENT
