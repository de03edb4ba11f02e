"""A sender of films as a program: plain sockets to a real server, which may be killed under it."""

import http.client
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from bench import serving
from recordings import tus
from tests.accounts.browsing import sign_in
from tests.builders import a_membership, a_user, a_workshop, an_organiser, arranged

SPEAKS = {"Tus-Resumable": "1.0.0", "Accept": "application/json"}
OLU = "olu@olu-trains.example"


@dataclass(frozen=True)
class Desk:
    """Where somebody who is signed in sends films to; `slug` can be booked by others meanwhile."""

    port: int
    slug: str
    cookie: str

    def ask(self, method: str, path: str, headers: dict[str, str], body: Any = None) -> tuple[int, dict[str, str]]:
        """One request; the answer's status and headers. `body` may be bytes or what yields them."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, {**self._head(), **headers})
            answer = connection.getresponse()
            answer.read()
            return answer.status, {name.title(): value for name, value in answer.getheaders()}

    def create(self, length: int) -> str:
        path = f"/organise/olu-trains/workshops/{self.slug}/recordings/1/uploads"
        status, headers = self.ask("POST", path, {"Upload-Length": str(length)})
        assert status == 201, status
        return headers["Location"]

    def stands(self, path: str) -> int:
        status, headers = self.ask("HEAD", path, {})
        assert status == 200, status
        return int(headers["Upload-Offset"])

    def send(self, path: str, at: int, length: int, body: Any) -> int:
        """A piece; the offset after it."""
        said = {"Upload-Offset": str(at), "Content-Length": str(length), "Content-Type": tus.BODY}
        status, headers = self.ask("PATCH", path, said, body)
        assert status == 204, status
        return int(headers["Upload-Offset"])

    @contextmanager
    def stalled(self, path: str, at: int, length: int, begun: bytes) -> Iterator[socket.socket]:
        """A piece whose sender has sent some of it, and then nothing."""
        said = {"Upload-Offset": str(at), "Content-Length": str(length), "Content-Type": tus.BODY}
        lines = [f"PATCH {path} HTTP/1.1", *(f"{name}: {value}" for name, value in {**self._head(), **said}.items())]
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode() + begun)
            yield connection

    def _head(self) -> dict[str, str]:
        return {**SPEAKS, "Host": f"localhost:{self.port}", "Cookie": self.cookie}


def desk(house: serving.House) -> Desk:
    """A workshop of Olu's, and her browser's cookie: every server with the same key knows it."""
    with house.app() as app:
        with arranged(app):
            organiser = an_organiser()
            a_membership(user=a_user(email=OLU), organiser=organiser, role="owner")
            slug = a_workshop(organiser=organiser, capacity=500, price_minor=0, catch_up_offered=True).slug
        client: Any = app.test_client()
        sign_in(client, app, OLU)
        cookie = client.get_cookie("session")
        assert cookie is not None
        return Desk(house.port, slug, f"session={cookie.value}")


def kill_web(house: serving.House) -> None:
    """End the server as a power cut would, and start it again."""
    web = next(child for child in house.family.running() if child.name == "web")
    os.killpg(web.process.pid, signal.SIGKILL)
    web.process.wait()
    house.family.forget(web)
    serving.start(house, web.program)
