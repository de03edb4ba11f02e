"""A small Zoom on this machine: a token, files with ranges, and every way in which they go wrong."""

import base64
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

GOOD = "the-token-of-the-app"


@dataclass
class Served:
    """A file and how it is sent."""

    body: bytes
    etag: str = '"one"'
    drops: list[int] = field(default_factory=list)  # after so many bytes, one answer after the other
    stalls: int = 0  # sends so many bytes of the first answer and no more, until it is `released`
    status: int = 200
    claims: int | None = None  # another length than it has
    ranges: bool = True
    chunked: bool = False
    content_type: str = "video/mp4"
    to: str = ""  # where it leads on to
    tokens: tuple[str, ...] = (GOOD,)


@dataclass
class Asked:
    path: str
    range: str
    authorization: str


class ZoomServer:
    """Answers on a free port of this machine."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.asked: list[Asked] = []
        self.asked_for_token: list[tuple[str, dict[str, list[str]]]] = []
        self.token_status = 200
        self.released = threading.Event()
        self.when_asked: Callable[[], None] = lambda: None
        handler = type("Handler", (_Handler,), {"zoom": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ZoomServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def serve(self, path: str, body: bytes, **how: Any) -> str:
        """Put a file at a path; its whole address."""
        self.files[path] = Served(body, **how)
        return self.url + path

    def ranges(self) -> list[str]:
        return [each.range for each in self.asked]


class _Handler(BaseHTTPRequestHandler):
    zoom: ZoomServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        user = base64.b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
        self.zoom.asked_for_token.append((user, parse_qs(body)))
        answer = f'{{"access_token": "{GOOD}", "token_type": "bearer", "expires_in": 3599}}'.encode()
        self._head(self.zoom.token_status, {"Content-Length": str(len(answer))})
        self.wfile.write(answer)

    def do_GET(self) -> None:
        token = self.headers.get("Authorization", "")
        self.zoom.asked.append(Asked(self.path, self.headers.get("Range", ""), token))
        self.zoom.when_asked()
        file = self.zoom.files.get(self.path)
        if file is None:
            self.send_error(404)
        elif file.to:
            self._head(302, {"Location": file.to, "Content-Length": "0"})
        elif file.tokens and token.removeprefix("Bearer ") not in file.tokens:
            self.send_error(401)
        else:
            self._send(file)

    def _send(self, file: Served) -> None:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        is_part = bool(match and file.ranges and self.headers.get("If-Range", file.etag) == file.etag)
        first = int(match[1]) if match and is_part else 0
        if is_part and first >= len(file.body):
            self.send_error(416)
            return
        body = file.body[first:]
        claimed = len(body) if file.claims is None else file.claims - first
        headers = {"Content-Type": file.content_type, "ETag": file.etag, "Content-Length": str(claimed)}
        if is_part:
            headers["Content-Range"] = f"bytes {first}-{first + claimed - 1}/{first + claimed}"
        if file.drops:
            body = body[: file.drops.pop(0)]
        if file.chunked:
            del headers["Content-Length"]
            headers["Transfer-Encoding"] = "chunked"
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        self._head(206 if is_part else file.status, {name: each for name, each in headers.items() if each})
        if file.stalls:
            body, file.stalls = body[: file.stalls], 0
            self.wfile.write(body)
            self.wfile.flush()
            self.zoom.released.wait(60)
            return
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass
