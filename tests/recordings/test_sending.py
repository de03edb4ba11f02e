"""Films sent by nginx at the application's word, and what a range costs wherever in the film it lies."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from bookings.models import Attendee
from lib import db
from recordings import media, storage
from recordings.models import Recording
from tests import nginx
from tests.bookings.making import Made
from tests.builders import arranged
from tests.conftest import Clock
from tests.courses.test_shelf import statements
from tests.nginx import Nginx
from tests.page import PageClient
from tests.recordings.serving import ask, by_nginx, served
from tests.recordings.showing import (
    BYTES,
    CLOSES,
    PUBLISHED,
    Kept,
    a_film,
    a_recorded_workshop,
    address,
    booked,
    published,
)

LAST_SECOND = "2027-04-13T16:59:59Z"
TWO_GB = 2 * 1024**3
ASKED = 64 * 1024


@pytest.fixture
def sent_by_nginx(app: Flask) -> Iterator[None]:
    with by_nginx(app):
        yield


@dataclass(frozen=True)
class Shown:
    """Ann's film, published."""

    slug: str
    made: Made
    kept: Kept
    path: str


@pytest.fixture
def shown(app: Flask, clock: Clock) -> Shown:
    slug = a_recorded_workshop(app)
    made, kept = booked(app, slug), a_film(app, slug)
    clock.set(PUBLISHED)
    published(app, kept)
    return Shown(slug, made, kept, f"{address(app, made, kept)}/media")


@pytest.fixture
def front(app: Flask, sent_by_nginx: None, tmp_path: Path) -> Iterator[Nginx]:
    with served(app) as port, nginx.running(tmp_path / "nginx", port, storage.folder()) as running:
        yield running


def test_the_application_sends_a_word_and_no_byte(sent_by_nginx: None, shown: Shown, client: PageClient) -> None:
    for headers in ({}, {"Range": "bytes=0-1"}, {"Range": "bytes=-500"}):
        answer = client.get(shown.path, headers=headers)
        assert (answer.status_code, answer.data) == (200, b"")
        assert answer.headers["X-Accel-Redirect"] == f"/_media/{shown.kept.key}"
        assert answer.headers["Content-Type"] == "video/mp4"


def test_nginx_reads_along_and_nobody_else(app: Flask, sent_by_nginx: None, shown: Shown) -> None:
    folder = storage.folder()
    folder.chmod(0o2700)
    kept = a_film(app, shown.slug)
    assert folder.stat().st_mode & 0o7777 == 0o2750
    assert storage.path(kept.key).stat().st_mode & 0o777 == 0o640


def test_a_file_may_have_a_name_to_be_saved_under(app: Flask, shown: Shown) -> None:
    with app.test_request_context():
        answer = media.answer(shown.kept.key, "application/pdf", "GET", {}, filename="Übung „eins“.pdf")
        answer.close()
    assert answer.headers["Content-Disposition"] == (
        "attachment; filename=\"_bung _eins_.pdf\"; filename*=UTF-8''%C3%9Cbung%20%E2%80%9Eeins%E2%80%9C.pdf"
    )
    assert media.disposition('a"b\\c.pdf\r\nX: y').count("\r") == 0


def test_nobody_gets_a_film_by_its_key_or_by_a_guess(front: Nginx, shown: Shown) -> None:
    key = shown.kept.key
    film = ask(front.port, shown.path, {"Range": "bytes=0-1"})
    assert (film.status, film.body, film.headers["Content-Range"]) == (206, b"\x00\x01", "bytes 0-1/10240")
    assert key not in str(film.headers)
    for guess in (
        f"/_media/{key}",
        f"/_media//{key}",
        f"/_media/./{key}",
        f"/x/../_media/{key}",
        f"/%5fmedia/{key}",
        f"/media/{key}",
        "/_media/",
        "/_media/../settings.env",
        shown.path.replace("/recordings/1", "/recordings/2"),
    ):
        answer = ask(front.port, guess, {"Range": "bytes=0-1", "X-Accel-Redirect": f"/_media/{key}"})
        assert answer.status in (400, 404), guess
        assert "Content-Range" not in answer.headers


def test_who_may_watch_is_asked_for_each_range(app: Flask, front: Nginx, shown: Shown, clock: Clock) -> None:
    asked = {"Range": "bytes=5120-"}
    assert ask(front.port, shown.path, asked).body == BYTES[5120:]
    clock.set(LAST_SECOND)
    assert ask(front.port, shown.path, asked).status == 206
    clock.set(CLOSES)
    closed = ask(front.port, shown.path, asked)
    assert (closed.status, "Content-Range" in closed.headers) == (403, False)
    assert b"This recording has closed" in closed.body
    clock.set(LAST_SECOND)
    with arranged(app):
        db.session.execute(update(Attendee).values(state="cancelled"))
    assert ask(front.port, shown.path, asked).status == 404


def test_vid_03_another_version_through_nginx(app: Flask, front: Nginx, shown: Shown) -> None:
    old = ask(front.port, shown.path, {"Range": "bytes=0-1"}).headers["ETag"]
    a_film(app, shown.slug, body=BYTES[::-1] + b"more")
    now = ask(front.port, shown.path).headers["ETag"]
    assert now != old

    answers = [ask(front.port, shown.path, {"Range": "bytes=2-4", "If-Range": tag}) for tag in (old, f"W/{now}", now)]
    assert [each.status for each in answers] == [200, 200, 206]
    assert {each.headers["ETag"] for each in answers} == {now}
    assert answers[2].body == BYTES[::-1][2:5]


# What a range costs


def a_large_film(app: Flask, shown: Shown) -> str:
    """A film of 2 GB that takes no room: a hole with a beginning and an end."""
    key = "0123456789abcdef" * 2
    with storage.path(key).open("wb") as file:
        file.write(b"begin")
        file.truncate(TWO_GB)
        file.seek(TWO_GB - 3)
        file.write(b"end")
    with arranged(app):
        db.session.execute(update(Recording).values(file=key, size=TWO_GB))
    return key


def read_by(process: str, deed: Callable[[], None]) -> tuple[int, int]:
    """Bytes that a thread or process asked of files and sockets, and in how many calls, while `deed` was done."""

    def counted() -> dict[str, int]:
        lines = Path(f"/proc/{process}/io").read_text(encoding="ascii").splitlines()
        return {name: int(number) for name, _, number in (line.partition(": ") for line in lines)}

    before = counted()
    deed()
    after = counted()
    return after["rchar"] - before["rchar"], after["syscr"] - before["syscr"]


PLACES = {
    "beginning": f"bytes=0-{ASKED - 1}",
    "end": f"bytes=-{ASKED}",
    "middle": f"bytes={TWO_GB // 2}-{TWO_GB // 2 + ASKED - 1}",
}


def test_a_range_at_the_end_of_2_gb_costs_what_one_at_the_beginning_costs(app: Flask, shown: Shown) -> None:
    key = a_large_film(app, shown)
    found: dict[str, bytes] = {}

    def read(name: str) -> None:
        with app.test_request_context():
            answer = media.answer(key, "video/mp4", "GET", {"Range": PLACES[name]})
            found[name] = b"".join(answer.iter_encoded())
            answer.close()

    read("middle")
    costs = {name: read_by("thread-self", partial(read, name)) for name in PLACES}
    assert (found["beginning"][:5], found["end"][-3:]) == (b"begin", b"end")
    assert {len(each) for each in found.values()} == {ASKED}
    assert len(set(costs.values())) == 1, costs
    assert costs["end"][0] < 2 * ASKED
    storage.path(key).unlink()


def test_nginx_reads_the_end_of_2_gb_as_cheaply(app: Flask, front: Nginx, shown: Shown) -> None:
    key = a_large_film(app, shown)
    found: dict[str, bytes] = {}

    def read(name: str) -> None:
        found[name] = ask(front.port, shown.path, {"Range": PLACES[name]}).body

    read("middle")
    costs = {name: read_by(str(front.worker), partial(read, name)) for name in PLACES}
    assert (found["beginning"][:5], found["end"][-3:]) == (b"begin", b"end")
    most, least = max(each[0] for each in costs.values()), min(each[0] for each in costs.values())
    assert least >= ASKED, "what nginx sends from a file is counted"
    assert most - least < 4096, costs  # the head of a request differs by some letters, and none reads what it skips
    storage.path(key).unlink()


def test_a_piece_of_film_asks_the_database_little(app: Flask, client: PageClient, shown: Shown) -> None:
    """A player asks for piece after piece: who may watch, whose money went back, and nothing that only pages show."""
    with statements(app) as asked, client.get(shown.path, headers={"Range": "bytes=10-19"}) as answer:
        assert (answer.status_code, answer.data) == (206, BYTES[10:20])
    assert len(asked) <= 3, asked
    with statements(app) as asked:
        assert client.get(f"{shown.path.removesuffix('/media')}/captions/en.vtt").status_code == 404
    assert len(asked) <= 3, asked
