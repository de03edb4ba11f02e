"""The application of a test behind a real socket, and a plain client for it."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection

import pytest
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from recordings import storage
from recordings.folder_store import FolderStore


class Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        pass


@dataclass(frozen=True)
class Answer:
    """What came back over the wire."""

    status: int
    headers: Message
    body: bytes


@contextmanager
def served(app: Flask) -> Iterator[int]:
    """The application on a free port of loopback; the port."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@contextmanager
def by_nginx(app: Flask) -> Iterator[None]:
    """The application leaves the sending of films to nginx, which may read the folder, inside the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(app.config, "MEDIA_ACCEL", "/_media/")
        patch.setitem(app.extensions, "media_store", FolderStore(is_read_by_group=True))
        yield
    storage.folder().chmod(0o700)


def ask(port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Answer:
    with closing(HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request(method, path, headers={"Host": "localhost", **(headers or {})})
        answer = connection.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
