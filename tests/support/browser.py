"""A real Chromium, driven over its DevTools protocol."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.http_client import Client

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Page:
    """A page that is looked at and typed into.

    Args:
        connection: a WebSocket to it.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._calls = 0
        self.messages: list[str] = []
        """What the page wrote to its console, errors and violated policies included."""
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        self._connection.send(json.dumps({"id": self._calls, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._connection.recv(timeout=60))
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"):
                self.messages.append(json.dumps(message["params"]))
            if message.get("id") == self._calls:
                assert "error" not in message, message
                return message["result"]

    def evaluate(self, script: str) -> Any:
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def open(self, address: str, *, width: int = 1280) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=address)
        self.wait_for("document.readyState === 'complete'")

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.call("Input.insertText", text=text)

    def press_ctrl_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 2}
        self.call("Input.dispatchKeyEvent", type="keyDown", **key)
        self.call("Input.dispatchKeyEvent", type="keyUp", **key)

    def click(self, selector: str) -> None:
        """Click in the middle of an element, as a mouse does."""
        box = f"document.querySelector('{selector}').getBoundingClientRect()"
        x, y = self.evaluate(f"(r => [r.x + r.width / 2, r.y + r.height / 2])({box})")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def wait_for(self, condition: str, seconds: float = 60) -> None:
        ends = time.monotonic() + seconds
        while not self.evaluate(f"Boolean({condition})"):
            assert time.monotonic() < ends, f"{condition}\n{self.evaluate('document.body.innerText')}"
            time.sleep(0.05)


@contextmanager
def browser_page(folder: Path) -> Iterator[Page]:
    """Start a browser whose profile lies in a folder, and hand out its first page."""
    from websockets.sync.client import connect

    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}"]
    with subprocess.Popen(
        [*command, "--remote-debugging-port=0", "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            port = _debugging_port(folder)
            (target,) = (entry for entry in Client(port).get("/json").json if entry["type"] == "page")
            # An own socket, so that no proxy of the environment comes between.
            own = socket.create_connection(("127.0.0.1", port))
            with connect(target["webSocketDebuggerUrl"], sock=own, max_size=None) as connection:
                yield Page(connection)
        finally:
            process.terminate()


def _debugging_port(folder: Path) -> int:
    file = folder / "DevToolsActivePort"
    for _ in range(600):
        if file.exists() and (lines := file.read_text().splitlines()):
            return int(lines[0])
        time.sleep(0.1)
    raise TimeoutError("the browser does not say where it can be reached")
