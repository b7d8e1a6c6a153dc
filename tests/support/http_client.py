"""Requests to a service on this machine, by Python's own library."""

import http.client
import json
import socket
from typing import Any, NamedTuple


class Response(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Client:
    """Asks a service, over a new connection each time.

    Args:
        port: where it listens on 127.0.0.1.

    Attributes:
        headers: sent with each request.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.headers: dict[str, str] = {}

    def get(self, path: str) -> Response:
        return self._ask("GET", path)

    def post(self, body: Any, *, path: str = "/classify", content_type: str = "application/json") -> Response:
        """Send an object as JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self._ask("POST", path, content, {"Content-Type": content_type})

    def answers(self, *texts: str, **options: Any) -> list[dict[str, Any]]:
        response = self.post({"texts": texts, **options})
        assert response.status == 200, response.body
        return response.json["answers"]

    def _ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Response:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {**self.headers, **(headers or {})})
            found = connection.getresponse()
            return Response(found.status, {name.lower(): value for name, value in found.getheaders()}, found.read())
        finally:
            connection.close()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
