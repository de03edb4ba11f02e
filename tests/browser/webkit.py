"""A window of WebKitGTK on a screen of its own, driven by its WebDriver (W3C) over HTTP."""

import http.client
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from bench import serving


class Window:
    """One page of the browser."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session = ""

    def start(self, browser: Path) -> None:
        options = {"binary": str(browser), "args": ["--automation"]}
        wanted = {"browserName": "MiniBrowser", "webkitgtk:browserOptions": options}
        self.session = (
            "/session/" + self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
        )

    def go(self, address: str) -> None:
        self._send("POST", f"{self.session}/url", {"url": address})

    def ask(self, what: str) -> Any:
        """What an expression of the page's comes to."""
        return self._send("POST", f"{self.session}/execute/sync", {"script": f"return {what}", "args": []})

    def until(self, what: str) -> None:
        assert serving.wait_for(lambda: bool(self.ask(what)), 30), what

    def is_ready(self) -> bool:
        try:
            return bool(self._send("GET", "/status")["ready"])
        except OSError:
            return False

    def end(self) -> None:
        if self.session:
            self._send("DELETE", self.session)

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, json.dumps(body) if body else None, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = json.loads(answer.read())["value"]
            assert answer.status == 200, value
            return value


@contextmanager
def running() -> Iterator[Window]:
    """A window that ends with the block, with its screen."""
    browser = next(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    with ExitStack() as stack:
        screen = _start(stack, ["Xvfb", "-displayfd", "1", "-nolisten", "tcp"], stdout=subprocess.PIPE)
        assert screen.stdout
        display = screen.stdout.readline().decode().strip()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        # Its own sandbox asks for rights that a container lacks; it shows our pages alone.
        more = {"DISPLAY": f":{display}", "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1", "LIBGL_ALWAYS_SOFTWARE": "1"}
        _start(stack, ["WebKitWebDriver", f"--port={port}"], env={**os.environ, **more}, stdout=subprocess.DEVNULL)
        window = Window(port)
        assert serving.wait_for(window.is_ready, 30), "WebKit's driver does not answer"
        stack.callback(window.end)
        window.start(browser)
        yield window


def _start(stack: ExitStack, command: list[str], **more: Any) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **more)
    stack.callback(process.wait)
    stack.callback(process.terminate)
    if process.stdout:
        stack.callback(process.stdout.close)
    return process
