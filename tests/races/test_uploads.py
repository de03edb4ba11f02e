"""Films on their way in at a real server that is killed, stalled and filled."""

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from bench import buyers, serving
from lib import db
from recordings.uploads import Upload
from tests.races import sending
from tests.recordings.test_storage import webm

MB = 1024 * 1024
GIGABYTES = 3 * 1024 * MB


@pytest.fixture
def house(tmp_path: Path) -> Iterator[serving.House]:
    with serving.running(tmp_path / "instance", names=("web",)) as running:
        yield running


def film(length: int, seed: int) -> bytes:
    return webm() + random.Random(seed).randbytes(length - len(webm()))


def arrive_though_killed(house: serving.House, there: sending.Desk, kills: int, seed: int) -> None:
    """Send a film and kill the server somewhere in it, so many times; then every byte is there, in its place."""
    chance = random.Random(seed)
    body = film(8 * MB, seed)
    path = there.create(len(body))
    at = killed = 0
    while at < len(body):
        piece = body[at : at + MB]
        if killed < kills and chance.random() < 0.5:
            cut = chance.randrange(1, len(piece))
            with there.stalled(path, at, len(piece), piece[:cut]):
                time.sleep(chance.uniform(0, 0.1))
                sending.kill_web(house)
            killed += 1
            stands = there.stands(path)
            assert at <= stands <= at + cut, "an acknowledged byte is lost, or one came that was never sent"
            at = stands
        else:
            at = there.send(path, at, len(piece), piece)
    assert arrived(house, path) == body


def arrived(house: serving.House, path: str) -> bytes:
    """The bytes that came, whether or not the worker has taken them in."""
    name = path.rpartition("/")[2]
    with house.app() as app, app.app_context():
        row = db.session.scalars(select(Upload).where(Upload.name == name)).one()
        assert row.received == row.length
    return (house.instance.folder / "media" / "arriving" / name).read_bytes()


def test_a_stalled_piece_stops_no_booking_and_a_killed_server_loses_no_byte(house: serving.House) -> None:
    there = sending.desk(house)
    body = film(2 * MB, 1)
    path = there.create(len(body))
    with there.stalled(path, 0, len(body), body[:MB]):
        assert serving.wait_for(lambda: there.stands(path) > 0, 10)
        assert buyers.buy(house.port, there.slug, 1).status == 303
    assert serving.wait_for(lambda: there.stands(path) == MB, 10)
    arrive_though_killed(house, there, kills=1, seed=1)


@pytest.mark.prove
@pytest.mark.parametrize("seed", range(5))
def test_however_often_the_server_is_killed_the_film_is_the_same(house: serving.House, seed: int) -> None:
    there = sending.desk(house)
    for turn in range(2):
        arrive_though_killed(house, there, kills=5, seed=100 + 2 * seed + turn)


@pytest.mark.prove
def test_while_pieces_stall_others_book_within_two_seconds(house: serving.House) -> None:
    there = sending.desk(house)
    body = film(2 * MB, 2)
    stop = threading.Event()

    def trickle() -> None:
        """A slow line: a little, again and again, for as long as the others buy."""
        path = there.create(len(body))
        with there.stalled(path, 0, len(body), body[:1000]) as connection:
            for at in range(1000, len(body) - 1000, 1000):
                if stop.wait(0.02):
                    return
                connection.sendall(body[at : at + 1000])

    lines = [threading.Thread(target=trickle) for _ in range(8)]
    for each in lines:
        each.start()
    waits = []
    for number in range(20):
        told = buyers.buy(house.port, there.slug, number)
        assert told.status == 303
        waits.append(told.wait)
    stop.set()
    for each in lines:
        each.join(20)
    assert max(waits) < 2.0, waits


@pytest.mark.prove
def test_three_gigabytes_need_no_memory(house: serving.House) -> None:
    """Sparse at its sender: nothing but a film's head and zeros, in pieces as large as a program likes them."""
    there = sending.desk(house)
    path = there.create(GIGABYTES)
    at, head = 0, webm().ljust(MB, b"\0")
    for piece in (MB, 64 * MB, GIGABYTES - 65 * MB):
        at = there.send(path, at, piece, zeros(piece, head if at == 0 else b""))
    assert at == GIGABYTES
    peaks = [peak_mb(pid) for pid in serving.processes(house.group("web"))]
    assert max(peaks) < 200, peaks
    file = house.instance.folder / "media" / "arriving" / path.rpartition("/")[2]
    assert file.stat().st_size == GIGABYTES
    file.unlink()


def peak_mb(pid: int) -> int:
    """The most memory a process has ever held, pages it shares with others counted."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:"))


def zeros(length: int, head: bytes) -> Iterator[bytes]:
    yield head
    left = length - len(head)
    empty = bytes(MB)
    while left:
        yield empty[:left]
        left -= min(left, MB)
