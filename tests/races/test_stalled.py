"""Bodies that stop half way, at a real server: others buy meanwhile, and the server still ends when it is told to."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench import buyers, serving
from tests import postgres
from tests.builders import a_workshop, arranged

pytestmark = pytest.mark.both_databases
STALLED = 24
BUYERS = 10
A_WHILE = 10.0  # seconds; a machine that does other things as well needs some of them


@pytest.fixture
def house(database_kind: str, tmp_path: Path) -> Iterator[serving.House]:
    with ExitStack() as stack:
        base = postgres.base_url() or ""
        url = stack.enter_context(serving.postgresql_database(base)) if database_kind == "postgresql" else ""
        yield stack.enter_context(serving.running(tmp_path / "instance", database=url))


@pytest.fixture
def slug(house: serving.House) -> str:
    with house.app() as app, arranged(app):
        return a_workshop(capacity=100).slug


def stall(house: serving.House, address: str, cookie: str = "") -> socket.socket:
    """Send the head of a POST and half of its body, and then nothing."""
    connection = socket.create_connection(("127.0.0.1", house.port), 10)
    head = [f"POST {address} HTTP/1.1", f"Host: localhost:{house.port}", "Content-Length: 400", f"Cookie: {cookie}"]
    head += ["Content-Type: application/x-www-form-urlencoded", "", "booker_name=Sta"]
    connection.sendall("\r\n".join(head).encode())
    return connection


def test_bodies_that_stop_half_way_stop_nobody_else(house: serving.House, slug: str) -> None:
    with ExitStack() as stack:
        form = buyers.fetch_form(house.port, slug)
        addresses = (f"/workshops/{slug}/bookings", "/stripe/webhook", "/links", f"/workshops/{slug}/quote")
        for number in range(STALLED):
            address = addresses[number % len(addresses)]
            stack.enter_context(stall(house, address, form.cookie))
        time.sleep(0.3)  # the server has begun to read them
        began = time.monotonic()

        def buyer(number: int) -> Callable[[], buyers.Outcome]:
            return lambda: buyers.buy(house.port, slug, number)

        told = buyers.crowd([buyer(number) for number in range(BUYERS)], 5)

        assert [outcome.status for outcome in told] == [303] * BUYERS
        assert time.monotonic() - began < A_WHILE


def test_a_server_with_a_stalled_body_ends_when_it_is_told(house: serving.House, slug: str) -> None:
    web = next(child for child in house.family.running() if child.name == "web")
    with stall(house, f"/workshops/{slug}/bookings"), stall(house, "/stripe/webhook"):
        time.sleep(0.3)
        began = time.monotonic()
        os.kill(web.process.pid, signal.SIGTERM)
        web.process.wait(15)
        assert time.monotonic() - began < 10
    assert serving.wait_for(lambda: not serving.processes(web.process.pid), 3)
