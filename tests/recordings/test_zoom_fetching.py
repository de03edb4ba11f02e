"""A film from Zoom: every byte of it once, whatever the line, the server or the address does."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from meetings import zoom
from meetings.zoom_accounts import Credentials
from recordings import arriving, kinds, tus, uploads, zoom_fetching
from tests.recordings.zoom_server import GOOD, ZoomServer

HEAD = b"\x00\x00\x00\x20ftypisom"  # as an MP4 begins (ISO/IEC 14496-12, 4.3)
FILM = HEAD + os.urandom(700_000)


@pytest.fixture
def server(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[ZoomServer]:
    """Stands where Zoom is."""
    with ZoomServer() as running, app.app_context():
        monkeypatch.setitem(app.config, "ZOOM_ADDRESS", running.url)
        yield running


class Fetching:
    """One film, fetched as often as a test asks."""

    def __init__(self, url: str, length: int = len(FILM)) -> None:
        self.url, self.length, self.name = url, length, uploads.new_name()
        self.etags: list[str] = []
        self.told: list[int] = []

    def go(self, bearer: str = GOOD, until: int | None = None) -> bytes:
        def progress(has: int) -> None:
            self.told.append(has)
            if until is not None and has >= until:
                raise KeyboardInterrupt  # as a worker ends

        zoom_fetching.fetch(
            self.name,
            self.length,
            self.url,
            bearer,
            etag=self.etags[-1] if self.etags else "",
            noted=self.etags.append,
            progress=progress,
        )
        return self.kept()

    def kept(self) -> bytes:
        return arriving.path(self.name).read_bytes()


def test_a_film_comes_whole(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", FILM))

    assert film.go() == FILM
    assert film.etags == ['"one"']
    assert film.told[-1] == len(FILM)
    assert server.asked[0].authorization == f"Bearer {GOOD}"
    film.go()
    assert len(server.asked) == 1, "what is here is not asked for again"


@pytest.mark.parametrize("etag", ['"one"', 'W/"one"', ""])
def test_a_dropped_line_is_gone_on_with(server: ZoomServer, etag: str) -> None:
    film = Fetching(server.serve("/rec/1", FILM, drops=[300_000, 100_000, 1], etag=etag))

    assert film.go() == FILM
    assert server.ranges() == ["", "bytes=300000-", "bytes=400000-", "bytes=400001-"]


def test_a_worker_that_ends_in_the_middle_leaves_what_it_has(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", FILM))
    with pytest.raises(KeyboardInterrupt):
        film.go(until=1)
    has = len(film.kept())
    assert 0 < has < len(FILM)

    assert film.go() == FILM
    assert server.ranges() == ["", f"bytes={has}-"]


def test_a_film_that_changed_meanwhile_is_fetched_anew(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", FILM, drops=[300_000, 0]))
    with pytest.raises(zoom.ZoomUnreachable):
        film.go()
    other = HEAD + bytes(len(FILM) - len(HEAD))
    server.serve("/rec/1", other, etag='"two"')

    assert film.go() == other
    assert film.etags == ['"one"', '"two"']


def test_a_server_without_ranges_sends_all_of_it_again(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", FILM, drops=[300_000], ranges=False))

    assert film.go() == FILM
    assert server.ranges() == ["", "bytes=300000-"]


def test_a_line_that_brings_nothing_is_left_for_later(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", FILM, drops=[300_000, 0]))

    with pytest.raises(zoom.ZoomUnreachable):
        film.go()
    assert film.kept() == FILM[:300_000]
    assert film.go() == FILM


LIES: dict[str, tuple[dict[str, Any], type[Exception], int]] = {
    "longer than told": ({"body": FILM + b"x"}, zoom_fetching.OtherLength, 0),
    "shorter than told": ({"body": FILM[:-1]}, zoom_fetching.OtherLength, 0),
    "claims more than it sends": ({"claims": len(FILM), "body": FILM[:-1]}, zoom.ZoomUnreachable, len(FILM) - 1),
    "more in chunks without a length": ({"body": FILM + b"x", "chunked": True}, tus.TooMuch, 0),
    "fewer in chunks without a length": ({"body": FILM[:-1], "chunked": True}, zoom.ZoomUnreachable, len(FILM) - 1),
    "a page to sign in": ({"body": b"<!doctype html>", "content_type": "text/html"}, zoom.TokenRefused, 0),
    "no film": ({"body": b"x" * len(FILM)}, kinds.NotAFilm, 0),
    "away": ({"status": 503}, zoom.ZoomUnreachable, 0),
    "too many at once": ({"status": 429}, zoom.ZoomUnreachable, 0),
    "deleted": ({"status": 410}, zoom.ZoomRefused, 0),
    "another token": ({"tokens": ("other",)}, zoom.TokenRefused, 0),
}


@pytest.mark.parametrize("case", LIES)
def test_what_is_not_the_film_is_not_taken_for_it(server: ZoomServer, case: str) -> None:
    how, problem, least = LIES[case]
    film = Fetching(server.serve("/rec/1", **{"body": FILM, **how}))

    with pytest.raises(problem):
        film.go()
    assert least <= len(film.kept()) < len(FILM)


def test_an_address_leads_on_within_zoom_and_takes_no_token_along(
    server: ZoomServer, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.serve("/rec/1", b"", to="/replay/1?signed=1")
    server.serve("/replay/1?signed=1", FILM)

    assert Fetching(f"{server.url}/rec/1").go() == FILM
    assert [each.path for each in server.asked] == ["/rec/1", "/replay/1?signed=1"]


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "https://zoom.us/rec/1",
        "http://localhost:1/x",
        "//evil.example/x",
        "file:///etc/passwd",
        "gopher://x",
    ],
)
def test_an_address_that_leads_elsewhere_is_not_followed(server: ZoomServer, to: str) -> None:
    film = Fetching(server.serve("/rec/1", b"", to=to))

    with pytest.raises(zoom.NotZooms):
        film.go()
    assert film.kept() == b""


def test_an_address_that_leads_in_a_circle_ends(server: ZoomServer) -> None:
    film = Fetching(server.serve("/rec/1", b"", to="/rec/1"))

    with pytest.raises(zoom.ZoomUnreachable):
        film.go()
    assert len(server.asked) == 1 + zoom.MOST_REDIRECTS


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("https://zoom.us/rec/1", True),
        ("https://us02web.zoom.us/rec/1", True),
        ("https://ssrweb.zoom.us:443/rec/1", True),
        ("http://zoom.us/rec/1", False),
        ("https://zoom.us:8443/rec/1", False),
        ("https://zoom.us.example/rec/1", False),
        ("https://evilzoom.us/rec/1", False),
        ("https://zoom.us@evil.example/rec/1", False),
        ("https://evil.example\\.zoom.us/rec/1", False),
        ("https://evil.example/zoom.us", False),
        ("https://127.0.0.1/rec/1", False),
        ("https://[::1]/rec/1", False),
        ("https://zoom.us:99999/rec/1", False),
        ("ftp://zoom.us/rec/1", False),
        ("zoom.us/rec/1", False),
        ("", False),
    ],
)
def test_what_is_an_address_of_zooms(app: Flask, url: str, is_one: bool) -> None:
    with app.app_context():
        assert zoom.is_zooms(url) is is_one


@pytest.mark.parametrize(
    ("status", "problem"), [(400, zoom.ZoomRefused), (401, zoom.ZoomRefused), (500, zoom.ZoomUnreachable)]
)
def test_a_token_is_asked_for_as_zoom_documents_it(server: ZoomServer, status: int, problem: type[Exception]) -> None:
    of = Credentials("account-1", "client-1", "s3cret")

    assert zoom.token(of) == GOOD
    assert server.asked_for_token == [
        ("client-1:s3cret", {"grant_type": ["account_credentials"], "account_id": ["account-1"]})
    ]
    assert "s3cret" not in repr(of)
    server.token_status = status
    with pytest.raises(problem) as refused:
        zoom.token(of)
    assert "s3cret" not in repr(refused.value)


def test_a_zoom_that_does_not_answer_is_asked_later(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "ZOOM_ADDRESS", "http://127.0.0.1:9")
    with app.app_context():
        with pytest.raises(zoom.ZoomUnreachable):
            zoom.token(Credentials("a", "b", "c"))
        with pytest.raises(zoom.ZoomUnreachable):
            Fetching("http://127.0.0.1:9/rec/1").go()
